import ArgumentParser
import Operations

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show what a running sidecar is doing.",
        discussion: "Exit codes: 0 ready, 1 not ready, 69 nothing answers."
    )

    @OptionGroup var admin: AdminOptions

    func run() async throws {
        let (status, data) = try await self.admin.client().get("/v1/status", as: StatusDocument.self)
        if self.admin.json {
            Output.text(String(decoding: data, as: UTF8.self))
        } else {
            Self.show(status, Style.standardOutput())
        }
        if !status.ready { throw Exit.negative }
    }

    static func show(_ status: StatusDocument, _ style: Style) {
        let state =
            status.ready ? style.green("ready") : style.red("not ready: \(status.reason ?? "for an unknown reason")")
        Output.line("\(style.bold(status.service)) \(status.version) on \(status.listen), \(state)")
        let uptime = Human.duration(seconds: status.uptimeSeconds)
        Output.line(
            "mode \(style.bold(status.mode)), epoch \(status.epoch), \(Human.count(status.clients)) clients, up \(uptime)"
        )
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
        Output.line()
        Output.line(table.render(style))
        for leg in status.legs {
            if let error = leg.error { Output.line(style.yellow("  \(leg.cluster): \(Human.line(error))")) }
        }
        for remark in status.legs.flatMap({ BacklogWords.of($0, isJournalled: status.journalled) }) {
            Output.line(remark.isAlarming ? style.red("  \(remark.text)") : style.yellow("  \(remark.text)"))
        }
    }

    private static func state(of leg: StatusDocument.Leg, _ style: Style) -> TextTable.Cell {
        if leg.connected { return TextTable.Cell("connected") { style.green($0) } }
        if leg.hosts.isEmpty { return TextTable.Cell("not configured") { style.dim($0) } }
        let isNeeded = leg.role != "unused"
        return TextTable.Cell("away") { isNeeded ? style.red($0) : style.dim($0) }
    }

    private static func alarming(_ count: some BinaryInteger, _ style: Style) -> TextTable.Cell {
        TextTable.Cell(Human.count(count)) { count > 0 ? style.red($0) : $0 }
    }
}
