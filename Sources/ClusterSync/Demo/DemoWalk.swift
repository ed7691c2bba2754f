import CQLClient
import CQLProtocol
import DualWriteCore
import DualWriter
import EmbeddedNode
import NIOCore
import Operations

/// The demonstration itself: each step changes the mode under traffic, writes, and compares both nodes.
struct DemoWalk: Sendable {
    let stage: DemoStage
    let style: Style

    /// Forward through all modes, and one step back.
    private static let modes = WriteMode.allCases + [.shadowPrimary]

    private static let columns: [TextTable.Column] = [
        .init("STEP"), .init("WRITE MODE"), .init("WRITES", .right), .init("FAILED", .right),
        .init("SOURCE ROWS", .right), .init("TARGET ROWS", .right), .init("COMPARED"),
    ]

    private struct Body: Encodable {
        let mode: String
        let reason = "demonstration"
    }

    /// Whether everything was as it must be.
    func run() async throws -> Bool {
        let (proxy, admin) = try await self.stage.ready()
        let address = proxy.contactPoints[0].description
        Output.line(self.style.bold("cluster-sync demo: two embedded nodes, a sidecar between them, real sockets"))
        Output.line()
        Output.line("  source    127.0.0.1:\(self.stage.source.port)")
        Output.line("  target    127.0.0.1:\(self.stage.target.port)")
        Output.line("  sidecar   \(address), admin port \(admin)")
        Output.line()
        return try await self.stage.withSessions(proxy) { sessions in try await self.walk(sessions, admin) }
    }

    private func walk(_ sessions: DemoSessions, _ admin: String) async throws -> Bool {
        try await self.prepare(sessions)
        let traffic = try await DemoTraffic(sessions.application)
        let steady = Task { await traffic.keepWriting() }
        defer { steady.cancel() }
        var table = TextTable(Self.columns)
        table.minimumWidths = [4, 14, 6, 6, 11, 11, 8]
        Output.line(table.header(self.style))
        Output.line(table.rule(self.style))
        var isFine = true
        for (step, mode) in Self.modes.enumerated() {
            if step > 0 {
                let client = AdminClient(base: admin, token: nil)
                _ = try await client.put("/v1/phase", Body(mode: mode.name), as: PhaseDocument.self)
            }
            let count = await traffic.step(step)
            let expectsEqual = mode.shadow != nil
            let comparison = try await DemoComparison.settled(step, sessions, expectsEqual: expectsEqual)
            let verdict = self.verdict(mode, comparison, count)
            isFine = isFine && verdict.isFine
            Output.line(table.line(self.cells(step, mode, count, comparison, verdict), table.widths))
            if let error = count.firstError { Output.line("        first error: \(error)") }
        }
        steady.cancel()
        let background = await steady.value
        return self.conclude(background, isFine: isFine && background.failed == 0)
    }

    private func cells(
        _ step: Int,
        _ mode: WriteMode,
        _ count: DemoTraffic.Count,
        _ comparison: DemoComparison,
        _ verdict: (text: String, isFine: Bool)
    ) -> [TextTable.Cell] {
        let isBack = step > 0 && mode.rawValue < Self.modes[step - 1].rawValue
        let style = self.style
        let label: String = isBack ? "back" : "\(step)"
        let (source, target) = (comparison.source.count, comparison.target.count)
        let isFine = verdict.isFine
        return [
            TextTable.Cell(label, { style.dim($0) }),
            TextTable.Cell(mode.name, { style.cyan($0) }),
            TextTable.Cell(Human.count(count.done)),
            TextTable.Cell(Human.count(count.failed)),
            TextTable.Cell(Human.count(source)),
            TextTable.Cell(Human.count(target)),
            TextTable.Cell(verdict.text, { isFine ? style.green($0) : style.red($0) }),
        ]
    }

    private func conclude(_ background: DemoTraffic.Count, isFine: Bool) -> Bool {
        let changes = Self.modes.count - 1
        let done = Human.count(background.done)
        Output.line()
        Output.line(
            "  Meanwhile one more client made \(done) writes, one after the other, through \(changes) changes of the mode:"
        )
        Output.line("  \(background.failed) failed.")
        if let error = background.firstError { Output.line("  first error: \(error)") }
        let words = isFine ? "Everything is as it must be." : "Something is not as it must be."
        Output.line("  " + (isFine ? self.style.green(words) : self.style.red(words)))
        return isFine
    }

    /// The schema is made on both nodes, as an operator does before a migration.
    private func prepare(_ sessions: DemoSessions) async throws {
        for session in [sessions.source, sessions.target] {
            try await session.query(
                "CREATE KEYSPACE demo WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
            )
            for table in DemoTraffic.tables { try await session.query("CREATE TABLE \(table)") }
        }
    }

    private func verdict(
        _ mode: WriteMode,
        _ comparison: DemoComparison,
        _ count: DemoTraffic.Count
    ) -> (text: String, isFine: Bool) {
        let primary = mode.primary == .source ? comparison.source : comparison.target
        let other = mode.primary == .source ? comparison.target : comparison.source
        let expected = DemoTraffic.inserts - DemoTraffic.deletions + 1 + DemoTraffic.guests
        guard count.failed == 0 else { return ("\(count.failed) writes failed", false) }
        guard primary.count == expected, primary.hits == [[.bigint(Int64(DemoTraffic.counts))]] else {
            return ("the \(mode.primary) does not hold what was written", false)
        }
        guard mode.shadow != nil else {
            return other.isEmpty
                ? ("\(mode.primary) only, as it must be", true) : ("the unused cluster was written to", false)
        }
        return primary == other ? ("equal, to the cell and its time", true) : ("they differ", false)
    }

    /// What to do with what was left up.
    static func explainStay(_ stage: DemoStage) {
        let port = stage.sidecar.service.boundAddress?.port ?? 0
        Output.line()
        Output.line("  Everything stays up until Ctrl-C. Look around from another terminal:")
        Output.line("    cqlsh 127.0.0.1 \(port)                through the sidecar")
        Output.line("    cqlsh 127.0.0.1 \(stage.source.port)               the source itself")
        Output.line("    cqlsh 127.0.0.1 \(stage.target.port)               the target itself")
        Output.line("    cluster-sync status")
    }
}
