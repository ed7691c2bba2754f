import ArgumentParser
import Operations

/// A cluster on the command line.
enum ClusterName: String, ExpressibleByArgument, CaseIterable {
    case source, target
}

/// The writes that a cluster has refused for good.
struct DeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letters",
        abstract: "List, retry or discard the writes that a cluster has refused for good.",
        subcommands: [List.self, Retry.self, Discard.self],
        defaultSubcommand: List.self
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List them, the oldest first.",
            discussion:
                "Values that stand in texts are left out. Exit codes: 0 listed, 64 wrong command line, 69 nothing answers."
        )

        @Option(help: "source or target; both without it.")
        var cluster: ClusterName?

        @Option(help: "How many to list at most, 1 to 500.")
        var limit = 100

        @OptionGroup var admin: AdminOptions

        func run() async throws {
            let path = "/v1/dead-letters?limit=\(self.limit)" + (self.cluster.map { "&cluster=\($0.rawValue)" } ?? "")
            try await self.admin.replicas().show(
                path,
                as: DeadLettersDocument.self,
                one: DeadLettersCommand.text,
                several: { ReplicaText.sections($0, $1, DeadLettersCommand.text) }
            )
        }
    }

    /// Which of them a change is about.
    struct Choice: ParsableArguments {
        @Option(help: "The cluster that has refused them: source or target.")
        var cluster: ClusterName

        @Argument(help: "Their numbers.")
        var ids: [UInt64] = []

        @Flag(help: "All of the cluster, instead of numbers.")
        var all = false

        func validate() throws {
            guard self.all == self.ids.isEmpty else {
                throw ValidationError(self.all ? "Give numbers or --all, not both." : "Give their numbers, or --all.")
            }
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Owe them to the cluster once more.",
            discussion: """
                What the cluster refuses again is a dead letter again, under another number.

                Exit codes: 0 owed again, 1 there are none or no room in the journal, 64 wrong command line, 69 nothing \
                answers, 77 token.
                """
        )

        @OptionGroup var choice: Choice

        @Option(help: "Why; it is kept in the log.")
        var reason: String?

        @OptionGroup var admin: AdminOptions

        func run() async throws {
            try await DeadLettersCommand.change("retry", self.choice, self.reason, self.admin)
        }
    }

    struct Discard: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Forget them.",
            discussion: """
                The partitions that they wrote to are in doubt from then on, until somebody has compared and repaired them.

                Exit codes: 0 forgotten, 1 there are none, 64 wrong command line, 69 nothing answers, 77 token.
                """
        )

        @OptionGroup var choice: Choice

        @Option(help: "Why; it is kept in the log.")
        var reason: String

        @OptionGroup var admin: AdminOptions

        func run() async throws {
            try await DeadLettersCommand.change("discard", self.choice, self.reason, self.admin)
        }
    }

    private struct Body: Encodable {
        let action: String
        let cluster: String
        let ids: [UInt64]?
        let all: Bool?
        let reason: String?
    }

    private static func change(
        _ action: String,
        _ choice: Choice,
        _ reason: String?,
        _ admin: AdminOptions
    ) async throws {
        let body = Body(
            action: action,
            cluster: choice.cluster.rawValue,
            ids: choice.all ? nil : choice.ids,
            all: choice.all ? true : nil,
            reason: reason
        )
        let (done, data) = try await admin.client().post("/v1/dead-letters", body, as: DeadLettersChangeDocument.self)
        guard !admin.json else {
            Output.text(String(decoding: data, as: UTF8.self))
            return
        }
        let verb = action == "retry" ? "owed to the \(done.cluster) again" : "discarded"
        Output.line("\(Human.many(done.changed, "dead letter")) \(verb), \(Human.count(done.left)) left")
        if !done.unknown.isEmpty {
            Output.line("no dead letters: \(done.unknown.map { "\($0)" }.joined(separator: ", "))")
        }
        if done.withoutRoom > 0 { Output.line("\(Human.count(done.withoutRoom)) did not fit into the journal") }
        if action == "discard" { Output.line("what they wrote is in doubt now: cluster-sync journal dirty") }
    }

    static func text(_ document: DeadLettersDocument, _ style: Style) -> String {
        var lines = [
            "\(style.bold("dead letters")): \(Human.count(document.source)) of the source, "
                + "\(Human.count(document.target)) of the target"
        ]
        guard !document.letters.isEmpty else { return lines[0] }
        var table = TextTable([
            .init("NUMBER", .right), .init("CLUSTER"), .init("WRITTEN"), .init("KEYSPACE"), .init("USER"),
            .init("ERROR"),
        ])
        for letter in document.letters {
            table.add([
                .init("\(letter.id)", style.bold), .init(letter.cluster), .init(letter.writtenAt),
                .init(Human.line(letter.keyspace ?? "-", max: 48)), .init(Human.line(letter.user ?? "-", max: 48)),
                .init(letter.error ?? "-", style.red),
            ])
        }
        let widths = table.widths
        let indent = String(repeating: " ", count: widths[0] + 4)
        lines += ["", table.header(style), table.rule(style)]
        for (letter, row) in zip(document.letters, table.rows) {
            lines.append(table.line(row, widths))
            lines.append(indent + style.dim(Human.line(letter.reason)))
            lines += letter.statements.map { indent + style.dim(Human.line($0)) }
            let rest = letter.statementCount - letter.statements.count
            if rest > 0 { lines.append(indent + style.dim("and \(Human.many(rest, "more statement"))")) }
        }
        return lines.joined(separator: "\n")
    }
}
