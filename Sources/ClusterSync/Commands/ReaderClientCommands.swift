import ArgumentParser
import FoundationEssentials
import Operations

/// How the commands below find a reader that runs.
struct ReaderOptions: ParsableArguments {
    @Option(
        help: """
            The admin port of the reader; status asks all of several, repeated or behind one name. Environment: \
            CLUSTER_SYNC_ENDPOINT, with commas between several.
            """
    )
    var endpoint: [String] = []

    @Option(help: "The token that a change needs. Environment: CLUSTER_SYNC_ADMIN_TOKEN.")
    var token: String?

    @OptionGroup var tls: AdminTLSOptions

    @Flag(help: "Print the answer as JSON.")
    var json = false

    /// The reader of a command that is about one alone.
    func client() throws -> AdminClient { try self.endpoints.one("reader") }

    /// All readers that are named.
    func replicas() async throws -> ReplicaSet { try await self.endpoints.all(json: self.json) }

    private var endpoints: AdminEndpoints {
        AdminEndpoints(self.endpoint, otherwise: "http://127.0.0.1:9091", token: self.token, self.tls)
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
    var table: String?
    var apply: Bool?
    var policy: String?
    var delete_extras: Bool?
    var reason: String?
}

/// `cluster-sync dual-reader status`.
struct ReaderStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Say how far a comparison is, and what the last ones have found, in one reader or in several.",
        discussion: """
            Exit codes: 0 the last verdict on everything is in_sync, of each, 1 it is another one or there is none, 69 \
            something does not answer.
            """
    )

    @OptionGroup var options: ReaderOptions

    func run() async throws {
        try await self.options.replicas().show(
            "/status",
            as: ReaderStatusDocument.self,
            one: { document, _ in Self.text(document) },
            several: ReaderStatusText.text,
            holds: { $0.lastWhole?.verdict == "in_sync" }
        )
    }

    static func text(_ document: ReaderStatusDocument) -> String {
        var lines = [
            "state: \(document.state)" + (document.subject.map { " (\($0))" } ?? "")
                + (document.reason.map { ": \($0)" } ?? "")
        ]
        if let current = document.current {
            lines += Self.lines(current, "now")
            if let rate = document.rowsPerSecond {
                lines.append(
                    "  \(Human.count(Int(rate))) rows/s"
                        + (document.etaSeconds.map { ", \(Human.duration(seconds: $0)) left" } ?? "")
                )
            }
        }
        if let last = document.last { lines += Self.lines(last, "last") }
        if let whole = document.lastWhole, whole != document.last { lines += Self.lines(whole, "last of everything") }
        if document.last == nil, document.current == nil { lines.append("nothing was compared yet") }
        if let next = document.nextAt { lines.append("next: \(next)") }
        if document.discrepancies > 0 {
            lines.append("\(Human.many(document.discrepancies, "difference")) remembered")
        }
        return lines.joined(separator: "\n")
    }

    private static func lines(_ report: ReaderReportDocument, _ title: String) -> [String] {
        var lines = [
            "\(title): \(report.subject): \(report.verdict)" + (report.reason.map { ": \($0)" } ?? "")
                + " (\(report.beganAt) to \(report.at))",
            "  \(Human.percent(report.tokensCoveredRatio)) of the tokens, \(Human.many(report.counts.rows, "row")), "
                + "\(Human.count(report.counts.rowsDifferent)) different, "
                + "\(Human.count(report.counts.rowsUndecided)) undecided",
        ]
        for table in report.tables where table.verdict != "in_sync" {
            lines.append("  \(table.table): \(table.verdict)" + (table.reason.map { ": \($0)" } ?? ""))
        }
        return lines
    }
}

/// `cluster-sync dual-reader validate [KEYSPACE.TABLE]`.
struct ReaderValidateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Begin a comparison in a reader that serves: of everything, of a table, or of a tenant in it.",
        discussion: "Exit codes: 0 begun, 1 one runs already, 64 wrong command line, 69 nothing answers, 77 token."
    )

    @Argument(help: "KEYSPACE.TABLE, named as in the schema; everything that is configured without it.")
    var table: String?

    @Option(help: "Rows of this tenant alone: the value of the column tenants.column.")
    var tenant: String?

    @Option(help: "Why; it goes to the log.")
    var reason: String?

    @OptionGroup var options: ReaderOptions

    func run() async throws {
        guard self.tenant == nil || self.table != nil else { throw ValidationError("--tenant needs a table") }
        let path =
            "/validate" + (self.table.map { "/\(AdminClient.escaped($0))" } ?? "")
            + (self.tenant.map { "/domain/\(AdminClient.escaped($0))" } ?? "")
        let body = ChangeBody(reason: self.reason)
        self.options.show(try await self.options.client().post(path, body, as: ReaderActionDocument.self), \.message)
    }
}

/// `cluster-sync dual-reader stop`.
struct ReaderStopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "End the comparison that runs; a later one of the same goes on there. The reader goes on serving.",
        discussion: "Exit codes: 0 told, 1 none runs, 69 nothing answers, 77 token."
    )

    @Option(help: "Why; it goes to the log.")
    var reason: String?

    @OptionGroup var options: ReaderOptions

    func run() async throws {
        let body = ChangeBody(reason: self.reason)
        self.options.show(try await self.options.client().post("/stop", body, as: ReaderActionDocument.self), \.message)
    }
}

/// `cluster-sync dual-reader discrepancies`.
struct ReaderDiscrepanciesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "discrepancies",
        abstract: "List the differences that a reader remembers, or forget them.",
        discussion:
            "Exit codes: 0 there is none, or they are forgotten, 1 there are some, 69 nothing answers, 77 token."
    )

    @Argument(help: "KEYSPACE.TABLE, named as in the schema; all tables without it.")
    var table: String?

    @Option(help: "How many to list at most, 1 to 1000.")
    var limit = 20

    @Flag(help: "Forget them, whether or not they are still there.")
    var clear = false

    @Option(help: "Why they are forgotten; it goes to the log.")
    var reason: String?

    @OptionGroup var options: ReaderOptions

    func run() async throws {
        let client = try self.options.client()
        if self.clear {
            let body = ChangeBody(table: self.table, reason: self.reason)
            let answer = try await client.post("/discrepancies/clear", body, as: DiscrepanciesClearedDocument.self)
            self.options.show(answer) {
                "\(Human.many($0.cleared, "difference")) forgotten, \(Human.count($0.left)) left"
            }
            return
        }
        let path = "/discrepancies" + (self.table.map { "/\(AdminClient.escaped($0))" } ?? "") + "?limit=\(self.limit)"
        let answer = try await client.get(path, as: DiscrepanciesDocument.self)
        self.options.show(answer) { Self.text($0) }
        if answer.0.total > 0 { throw Exit.negative }
    }

    static func text(_ document: DiscrepanciesDocument) -> String {
        guard document.total > 0 else { return "no difference is remembered" }
        var table = TextTable([
            .init("ID"), .init("CLASS"), .init("TABLE"), .init("ROW"), .init("SOURCE"), .init("TARGET"),
        ])
        for one in document.discrepancies {
            var place = "(\(one.key.joined(separator: ", ")))"
            if let clustering = one.clustering {
                if !clustering.isEmpty { place += " (\(clustering.joined(separator: ", ")))" }
            } else {
                place += " static"
            }
            if let column = one.column { place += " \(column)" + (one.element.map { "[\($0)]" } ?? "") }
            table.add([
                .init(one.id), .init(one.class), .init(Human.line(one.table)), .init(Human.line(place)),
                .init(Self.text(one.source)), .init(Self.text(one.target)),
            ])
        }
        let rest = document.total - document.discrepancies.count
        return table.render(Style.standardOutput()) + (rest > 0 ? "\n  \(Human.count(rest)) more" : "")
    }

    private static func text(_ content: DiscrepancyDocument.Content?) -> String {
        guard let content else { return "nothing" }
        return Human.line(content.value ?? "a row") + (content.writetime.map { " @\($0)" } ?? "")
    }
}

/// `cluster-sync dual-reader reconcile ID`.
struct ReaderReconcileCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconcile",
        abstract:
            "Repair the row of one difference that a reader remembers; without --apply say what that would write.",
        discussion: """
            Exit codes: 0 both clusters agree about the row, 1 they do not (a dry run: it would be written), 64 wrong command \
            line, 69 nothing answers, 77 token.
            """
    )

    @Argument(help: "The id of the difference, as dual-reader discrepancies lists it.")
    var id: String

    @Flag(help: "Write.")
    var apply = false

    @Option(help: "Who is right: source_wins or newest_wins; without it as configured.")
    var policy: String?

    @Flag(help: "Delete what the target alone has.")
    var deleteExtras = false

    @Option(help: "Why; it goes to the log.")
    var reason: String?

    @OptionGroup var options: ReaderOptions

    func run() async throws {
        let body = ChangeBody(
            apply: self.apply,
            policy: self.policy,
            delete_extras: self.deleteExtras ? true : nil,
            reason: self.reason
        )
        let path = "/reconcile/\(AdminClient.escaped(self.id))"
        let answer = try await self.options.client().post(path, body, as: ReconciledDocument.self)
        self.options.show(answer) { document in
            var lines = [document.outcome.rawValue + (document.reason.map { ": \($0)" } ?? "")]
            lines += document.notes
            if document.statements > 0 {
                lines.append("\(Human.many(document.statements, "statement")) would be sent; see \(document.report)")
            }
            return lines.joined(separator: "\n")
        }
        switch answer.0.outcome {
        case .agrees, .repaired: return
        case .listed, .unrepaired: throw Exit.negative
        }
    }
}
