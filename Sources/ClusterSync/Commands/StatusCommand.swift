import ArgumentParser
import Operations

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show what running sidecars are doing.",
        discussion: """
            Exit codes: 0 ready, 1 not ready, or several that are not in one write mode, 69 something does not answer.
            """
    )

    @OptionGroup var admin: AdminOptions

    func run() async throws {
        try await self.admin.replicas().show(
            "/v1/status",
            as: StatusDocument.self,
            one: Self.text,
            several: ReplicaStatusText.text,
            holds: \.ready,
            agree: { documents in Set(documents.map(\.mode)).count <= 1 }
        )
    }

    static func text(_ status: StatusDocument, _ style: Style) -> String {
        let state =
            status.ready ? style.green("ready") : style.red("not ready: \(status.reason ?? "for an unknown reason")")
        let uptime = Human.duration(seconds: status.uptimeSeconds)
        let lines = [
            "\(style.bold(status.service)) \(status.version) on \(status.listen), \(state)",
            "mode \(style.bold(status.mode)), epoch \(status.epoch), \(Human.count(status.clients)) clients, up \(uptime)",
        ]
        var table = TextTable([
            .init("CLUSTER"), .init("ROLE"), .init("STATE"), .init("NODES", .right), .init("WRITES", .right),
            .init("FAILED", .right), .init("READS", .right), .init("FAILED", .right), .init("OWED", .right),
            .init("DEAD", .right), .init("DOUBT", .right),
        ])
        for leg in status.legs {
            table.add([
                .init(leg.cluster, style.bold), .init(leg.role), self.state(of: leg, style),
                .init("\(leg.nodesConnected)/\(leg.nodesKnown)"), .init(Human.count(leg.writesSucceeded)),
                self.alarming(leg.writesFailed, style), .init(Human.count(leg.readsSucceeded)),
                self.alarming(leg.readsFailed, style), .init(Human.count(leg.shadowQueued)),
                self.alarming(leg.deadLetters, style), self.alarming(leg.dirtyPartitions, style),
            ])
        }
        let replicas = ReplicasCommand.table(status.replicas ?? [], style)
        return (lines + ["", table.render(style)] + replicas + self.remarks(status, style)).joined(separator: "\n")
    }

    /// What is wrong with the clusters, and with what they are owed, in a line each.
    static func remarks(_ status: StatusDocument, _ style: Style) -> [String] {
        let errors = status.legs.compactMap { leg in
            leg.error.map { style.yellow("  \(leg.cluster): \(Human.line($0))") }
        }
        let backlog = status.legs.flatMap { BacklogWords.of($0, isJournalled: status.journalled) }
        return errors + backlog.map { $0.isAlarming ? style.red("  \($0.text)") : style.yellow("  \($0.text)") }
    }

    static func state(of leg: StatusDocument.Leg, _ style: Style) -> TextTable.Cell {
        if leg.connected { return TextTable.Cell("connected") { style.green($0) } }
        if leg.hosts.isEmpty { return TextTable.Cell("not configured") { style.dim($0) } }
        let isNeeded = leg.role != "unused"
        return TextTable.Cell("away") { isNeeded ? style.red($0) : style.dim($0) }
    }

    static func alarming(_ count: some BinaryInteger, _ style: Style) -> TextTable.Cell {
        TextTable.Cell(Human.count(count)) { count > 0 ? style.red($0) : $0 }
    }
}
