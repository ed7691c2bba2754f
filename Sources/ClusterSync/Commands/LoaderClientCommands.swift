import ArgumentParser
import FoundationEssentials
import Operations

/// How the commands below find a loader that runs.
struct LoaderOptions: ParsableArguments {
    @Option(
        help: """
            The admin port of the loader; status asks all of several, repeated or behind one name. Environment: \
            CLUSTER_SYNC_ENDPOINT, with commas between several.
            """
    )
    var endpoint: [String] = []

    @Option(help: "The token that a change needs. Environment: CLUSTER_SYNC_ADMIN_TOKEN.")
    var token: String?

    @OptionGroup var tls: AdminTLSOptions

    @Flag(help: "Print the answer as JSON.")
    var json = false

    /// The loader of a command that is about one alone.
    func client() throws -> AdminClient { try self.endpoints.one("loader") }

    /// All loaders that are named.
    func replicas() async throws -> ReplicaSet { try await self.endpoints.all(json: self.json) }

    private var endpoints: AdminEndpoints {
        AdminEndpoints(self.endpoint, otherwise: "http://127.0.0.1:9092", token: self.token, self.tls)
    }

    func show<Document>(_ answer: (Document, Data), _ text: (Document) -> String) {
        if self.json {
            Output.text(String(decoding: answer.1, as: UTF8.self))
        } else {
            Output.line(text(answer.0))
        }
    }
}

/// The body of a change.
private struct ChangeBody: Encodable {
    var keyspace_filter: [String]?
    var drop_indexes_first: Bool?
    var rebuild_indexes_after: Bool?
    var tables: [String]?
    var reason: String?
}

/// `cluster-sync sstable-loader status`.
struct LoaderStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Say how far a load is, in one loader or in several.",
        discussion: "Exit codes: 0 it runs or is done, 1 something of it is missing, 69 something does not answer."
    )

    @OptionGroup var options: LoaderOptions

    func run() async throws {
        try await self.options.replicas().show(
            "/status",
            as: LoaderStatusDocument.self,
            one: { document, _ in Self.text(document) },
            several: LoaderStatusText.text,
            holds: { $0.job.state != LoaderRun.State.failed.rawValue }
        )
    }

    static func text(_ document: LoaderStatusDocument) -> String {
        let job = document.job
        var lines = ["job \(job.name): \(job.state)" + (job.reason.map { ": \($0)" } ?? "")]
        let covered =
            job.tokensCovered.map { "\(($0 * 1_000).rounded(.down) / 10) % of the tokens" } ?? "nothing planned yet"
        lines.append(
            "\(covered), \(Human.many(job.rows, "row")), \(Human.bytes(Int(clamping: job.bytes))), "
                + "\(Human.many(job.tables.count + job.tablesLeftOut, "table"))"
                + (job.elapsedSeconds > 0 ? " in \(Human.duration(seconds: job.elapsedSeconds))" : "")
        )
        if let rate = job.rowsPerSecond {
            lines.append(
                "\(Human.count(Int(rate))) rows/s"
                    + (job.etaSeconds.map { ", \(Human.duration(seconds: $0)) left" } ?? "")
            )
        }
        if job.inFlightLimit > 0 {
            lines.append(
                "\(Human.many(job.inFlight, "request")) on the way, \(job.inFlightLimit) allowed now (limits.in_flight_min "
                    + "\(job.inFlightMin), limits.in_flight \(job.inFlightMax))"
            )
        }
        for table in job.tables {
            let share = table.tokensCovered.map { " \(($0 * 1_000).rounded(.down) / 10) %" } ?? ""
            lines.append("  \(table.table): \(table.state)\(share)" + (table.reason.map { ": \($0)" } ?? ""))
        }
        if job.deadLetters > 0 {
            lines.append("\(Human.many(job.deadLetters, "dead letter")) in \(job.deadLettersFile ?? "?")")
        } else if job.state == LoaderRun.State.done.rawValue {
            lines.append("no dead letters")
        }
        return lines.joined(separator: "\n")
    }
}

/// `cluster-sync sstable-loader start`.
struct LoaderStartCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Begin a load in a loader that waits, of everything or of some keyspaces.",
        discussion: "Exit codes: 0 begun, 1 one runs already, 69 nothing answers, 77 token."
    )

    @Option(help: "A keyspace; can be repeated. Without it everything that is configured.")
    var keyspace: [String] = []

    @Flag(inversion: .prefixedNo, help: "Drop the target's indexes first.")
    var dropIndexesFirst: Bool?

    @Flag(inversion: .prefixedNo, help: "Make them again afterwards.")
    var rebuildIndexesAfter: Bool?

    @Option(help: "Why; it goes to the log.")
    var reason: String?

    @OptionGroup var options: LoaderOptions

    func run() async throws {
        let body = ChangeBody(
            keyspace_filter: self.keyspace.isEmpty ? nil : self.keyspace,
            drop_indexes_first: self.dropIndexesFirst,
            rebuild_indexes_after: self.rebuildIndexesAfter,
            reason: self.reason
        )
        let answer = try await self.options.client().post("/start", body, as: LoaderActionDocument.self)
        self.options.show(answer, \.message)
    }
}

/// `cluster-sync sstable-loader migrate KEYSPACE TABLE`.
struct LoaderMigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Begin the load of one table in a loader that waits.",
        discussion: "Exit codes: 0 begun, 1 one runs already or there is no such table, 69 nothing answers, 77 token."
    )

    @Argument(help: "The keyspace, named as in the schema.")
    var keyspace: String

    @Argument(help: "The table, named as in the schema.")
    var table: String

    @OptionGroup var options: LoaderOptions

    func run() async throws {
        let path = "/migrate/\(AdminClient.escaped(self.keyspace))/\(AdminClient.escaped(self.table))"
        let answer = try await self.options.client().post(path, ChangeBody(), as: LoaderActionDocument.self)
        self.options.show(answer, \.message)
    }
}

/// Tells a load something.
private func perform(_ verb: LoaderAction.Verb, _ reason: String?, _ options: LoaderOptions) async throws {
    let body = ChangeBody(reason: reason)
    let answer = try await options.client().post("/\(verb.rawValue)", body, as: LoaderActionDocument.self)
    options.show(answer, \.message)
}

/// `cluster-sync sstable-loader stop`.
struct LoaderStopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "End a load; a later start goes on there.",
        discussion: "All workers of the job are told. Exit codes: 0 told, 1 none runs, 69 nothing answers, 77 token."
    )

    @Option(help: "Why; it goes to the log.")
    var reason: String?

    @OptionGroup var options: LoaderOptions

    func run() async throws { try await perform(.stop, self.reason, self.options) }
}

/// `cluster-sync sstable-loader pause`.
struct LoaderPauseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Let a load rest until it is resumed.",
        discussion: "All workers of the job are told. Exit codes: 0 told, 1 none runs, 69 nothing answers, 77 token."
    )

    @Option(help: "Why; it goes to the log.")
    var reason: String?

    @OptionGroup var options: LoaderOptions

    func run() async throws { try await perform(.pause, self.reason, self.options) }
}

/// `cluster-sync sstable-loader resume`.
struct LoaderResumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Let a load that was paused go on.",
        discussion: "All workers of the job are told. Exit codes: 0 told, 1 none runs, 69 nothing answers, 77 token."
    )

    @Option(help: "Why; it goes to the log.")
    var reason: String?

    @OptionGroup var options: LoaderOptions

    func run() async throws { try await perform(.resume, self.reason, self.options) }
}

/// `cluster-sync sstable-loader discover KEYSPACE`.
struct LoaderDiscoverCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "discover",
        abstract: "List what of a keyspace can be loaded.",
        discussion: "Exit codes: 0 listed, 1 there is no such keyspace, 69 nothing answers."
    )

    @Argument(help: "The keyspace, named as in the schema.")
    var keyspace: String

    @OptionGroup var options: LoaderOptions

    func run() async throws {
        let path = "/discover/\(AdminClient.escaped(self.keyspace))"
        let answer = try await self.options.client().get(path, as: DiscoveryDocument.self)
        self.options.show(answer) { document in
            document.details.map { table in
                let size = table.bytes.map { ", \(Human.bytes(Int(clamping: $0)))" } ?? ""
                return "\(table.name)\(size)" + (table.loaded ? "" : ": not loaded")
                    + (table.reason.map { ": \($0)" } ?? "")
            }.joined(separator: "\n")
        }
    }
}

/// `cluster-sync sstable-loader indexes`.
struct LoaderIndexesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "indexes",
        abstract:
            "The target's secondary indexes: where they are, whether they are as they were; drop or make them again.",
        discussion:
            """
            drop is about the tables of the job, rebuild about whatever is recorded as dropped, by any job.

            Exit codes: 0 done, 1 one is missing or different, or a load runs, 69 nothing answers, 77 token.
            """
    )

    enum Verb: String, ExpressibleByArgument, CaseIterable { case status, verify, drop, rebuild }

    @Argument(help: "status, verify, drop or rebuild.")
    var verb = Verb.status

    @Option(help: "Only those of this keyspace, for drop and rebuild; can be repeated.")
    var keyspace: [String] = []

    @Option(help: "Only those of this table, as keyspace.table, for drop and rebuild; can be repeated.")
    var table: [String] = []

    @OptionGroup var options: LoaderOptions

    func run() async throws {
        let client = try self.options.client()
        switch self.verb {
        case .status:
            self.options.show(try await client.get("/indexes/status", as: IndexesDocument.self)) { document in
                Self.text(document.indexes)
            }
        case .verify:
            let answer = try await client.get("/indexes/verify", as: IndexesVerifiedDocument.self)
            self.options.show(answer) { document in
                (document.indexes.map { "\($0.keyspace).\($0.name): \($0.verdict.rawValue)" }
                    + (document.damaged > 0 ? ["\(Human.many(document.damaged, "damaged record"))"] : [])).joined(
                        separator: "\n"
                    )
            }
            if !answer.0.verified { throw Exit.negative }
        case .drop, .rebuild:
            let body = ChangeBody(
                keyspace_filter: self.keyspace.isEmpty ? nil : self.keyspace,
                tables: self.table.isEmpty ? nil : self.table
            )
            let path = "/indexes/\(self.verb.rawValue)"
            let answer = try await client.post(path, body, as: IndexesChangedDocument.self)
            self.options.show(answer) { Self.text($0.indexes) }
            if answer.0.status != "success" { throw Exit.negative }
        }
    }

    private static func text(_ indexes: [IndexesDocument.Index]) -> String {
        indexes.isEmpty
            ? "no index is recorded"
            : indexes.map { "\($0.keyspace).\($0.name): \($0.state.rawValue)" + ($0.reason.map { ": \($0)" } ?? "") }
                .joined(separator: "\n")
    }
}
