import ArgumentParser
import Operations

/// The partitions in doubt.
struct DirtyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dirty",
        abstract: "List the partitions in doubt, or take them out of doubt.",
        subcommands: [List.self, Clear.self],
        defaultSubcommand: List.self
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List them by table and reason, then the oldest of them.",
            discussion: "Exit codes: 0 listed, 64 wrong command line, 69 nothing answers."
        )

        @Option(help: "source or target; both without it.")
        var cluster: ClusterName?

        @Option(help: "How many partitions to list at most, 1 to 1000.")
        var limit = 20

        @OptionGroup var admin: AdminOptions

        func run() async throws {
            let path = "/v1/dirty?limit=\(self.limit)" + (self.cluster.map { "&cluster=\($0.rawValue)" } ?? "")
            try await self.admin.replicas().show(
                path,
                as: DirtyDocument.self,
                one: DirtyCommand.text,
                several: { ReplicaText.sections($0, $1, DirtyCommand.text) }
            )
        }
    }

    struct Clear: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say that partitions were compared and repaired.",
            discussion: """
                Nothing is compared here: what is cleared counts as equal, and no longer stands against the step to \
                another primary.

                Exit codes: 0 cleared, 1 none is in doubt, 64 wrong command line, 69 nothing answers, 77 token.
                """
        )

        private struct Body: Encodable {
            let action = "clear"
            let cluster: String
            let table: String?
            let reason: String
        }

        @Option(help: "The cluster on which they are in doubt: source or target.")
        var cluster: ClusterName

        @Option(help: "keyspace.table, or keyspace.* for all of a keyspace; everything of the cluster without it.")
        var table: String?

        @Option(help: "Why; it is kept in the log.")
        var reason: String

        @OptionGroup var admin: AdminOptions

        func run() async throws {
            let body = Body(cluster: self.cluster.rawValue, table: self.table, reason: self.reason)
            let (done, data) = try await self.admin.client().post("/v1/dirty", body, as: DirtyClearingDocument.self)
            guard !self.admin.json else {
                Output.text(String(decoding: data, as: UTF8.self))
                return
            }
            let verb = done.cleared == 1 ? "is" : "are"
            Output.line(
                "\(Human.many(done.cleared, "partition")) \(verb) in doubt no more, \(Human.count(done.left)) left"
            )
        }
    }

    static func text(_ document: DirtyDocument, _ style: Style) -> String {
        var lines = ["\(style.bold("in doubt")): \(Human.many(document.total, "partition"))"]
        guard document.total > 0 else { return lines[0] }
        var groups = TextTable([
            .init("CLUSTER"), .init("TABLE"), .init("PARTITIONS", .right), .init("AT STAKE"), .init("REASON"),
        ])
        for group in document.summary {
            let isLoss = group.severity == "loss"
            groups.add([
                .init(group.cluster), .init(Human.line(group.table ?? "anything"), style.bold),
                .init(Human.count(group.partitions)), .init(group.severity) { isLoss ? style.red($0) : $0 },
                .init(group.reason),
            ])
        }
        lines += ["", groups.render(style)]
        if document.groupsLeftOut > 0 {
            lines.append(style.dim("  and \(Human.many(document.groupsLeftOut, "other line"))"))
        }
        var oldest = TextTable([.init("SINCE"), .init("CLUSTER"), .init("TABLE"), .init("REASON"), .init("KEY")])
        for partition in document.partitions {
            let isCut = (partition.keyBytes ?? 0) > DirtyDocument.Partition.keyBytesMax
            oldest.add([
                .init(partition.since), .init(partition.cluster),
                .init(Human.line(partition.table ?? "anything"), style.bold),
                .init(partition.reason),
                .init(partition.key.map { "0x\($0)\(isCut ? "…" : "")" } ?? "any"),
            ])
        }
        lines += ["", oldest.render(style)]
        let rest = document.total - document.partitions.count
        if rest > 0 { lines.append(style.dim("  the oldest; \(Human.count(rest)) more")) }
        return lines.joined(separator: "\n")
    }
}
