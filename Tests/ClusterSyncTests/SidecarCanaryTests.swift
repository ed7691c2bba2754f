import DualWriteCore
import FoundationEssentials
import Logging
import Operations
import Testing

@testable import ClusterSync
@testable import DualWriter

/// Tenants whose reads go ahead of their tables, as an operator sends them.
struct SidecarCanaryTests: ControlTests {
    private static func canary(_ values: String..., of tables: String = "app.t") -> TableOverride {
        TableOverride(tables: tables, mode: "ReadsFirst", tenants: OverrideTenants(column: "tenant", values: values))
    }

    private static func change(_ overrides: TableOverride..., force: Bool = false) -> OverridesChange {
        OverridesChange(overrides: overrides, reason: "a canary", force: force, by: "test")
    }

    private static func kept(_ overrides: TableOverride...) throws -> [KeptOverride] {
        try overrides.map { KeptOverride(override: try ModeOverride($0), since: 0) }
    }

    private static func moment(hoursAgo: Int64) -> String {
        Timestamp.text(milliseconds: Timestamp.milliseconds() - hoursAgo * 3_600_000)
    }

    /// Reports of a load and of a comparison that are enough for a table.
    private static func report(_ table: String, _ control: SidecarControl) async throws {
        _ = try await control.keep(
            LoadReport(
                job: "load of \(table)",
                source: "w",
                state: "complete",
                beganAt: Self.moment(hoursAgo: 9),
                at: Self.moment(hoursAgo: 8),
                tokensCoveredRatio: 1,
                deadLetters: 0,
                tables: [.init(table: table, tokensCoveredRatio: 1)]
            )
        )
        _ = try await control.keep(
            ComparisonReport(
                job: "compare",
                verdict: "in_sync",
                beganAt: Self.moment(hoursAgo: 5),
                at: Self.moment(hoursAgo: 4),
                tokensCoveredRatio: 1,
                sampledPercentage: 100,
                differences: 0,
                tables: [.init(table: table, verdict: "in_sync", differences: 0)]
            )
        )
    }

    private func refused(_ bench: ControlBench, _ change: OverridesChange) async -> AdminError? {
        await self.refusal { () throws(AdminError) in _ = try await bench.control.change(change) }
    }

    @Test func `in DualWriteSync they are asked what ReadsFirst of their table asks`() async throws {
        try await self.withControl(mode: .dualWriteSync) { bench in
            let error = await self.refused(bench, Self.change(Self.canary("acme")))
            #expect(error?.code == .gatesVeto && error?.gates?.map(\.gate) == ["bulk_load", "comparison"])
            #expect(error?.message.contains("Tenants cannot go ahead to the target yet. app.t: ") == true)
            #expect(bench.proxy.with { $0.calls.isEmpty })
            // A load of another table says nothing of this one.
            try await Self.report("app.other", bench.control)
            #expect(await self.refused(bench, Self.change(Self.canary("acme")))?.code == .gatesVeto)
            try await Self.report("app.t", bench.control)
            let document = try await bench.control.change(Self.change(Self.canary("acme")))
            #expect(document.epoch == 1 && document.overrides.map(\.state) == ["ahead"])
            #expect(document.history.map(\.tenants) == ["tenant=acme"] && document.history.map(\.tables) == ["app.t"])
            #expect(document.history.map(\.from) == ["DualWriteSync"] && document.history.map(\.to) == ["ReadsFirst"])
            #expect(bench.proxy.with { $0.calls } == ["overrides app.t[tenant=acme]=ReadsFirst 1"])
            let record = await bench.control.audit(max: 1).records.first
            #expect(record?.action == .overrides && record?.forced == false)
            #expect(record?.what.contains("app.t tenant=acme DualWriteSync → ReadsFirst, 1 overrides") == true)

            bench.proxy.with { $0.connected = [.source] }
            let away = await self.refused(bench, Self.change(Self.canary("acme", "globex")))
            #expect(away?.gates?.map(\.gate) == ["connected"])
            // That one does no more needs nobody's leave.
            _ = try await bench.control.change(Self.change())
            let removal = await bench.control.audit(max: 1).records.first
            #expect(removal?.what.contains("app.t tenant=acme ReadsFirst → DualWriteSync") == true)
            #expect(try #require(try bench.store.load()).state.overrides.isEmpty)
        }
    }

    @Test func `force with a reason overrules, and is in the audit`() async throws {
        try await self.withControl(mode: .dualWriteSync) { bench in
            bench.proxy.with { $0.connected = [.source] }
            _ = try await bench.control.change(Self.change(Self.canary("acme"), force: true))
            #expect(bench.proxy.with { $0.calls } == ["overrides app.t[tenant=acme]=ReadsFirst 1 forced"])
            let record = await bench.control.audit(max: 1).records.first
            #expect(record?.overruled.contains("bulk_load") == true && record?.overruled.contains("connected") == true)
        }
    }

    @Test(arguments: [
        (WriteMode.primaryOnly, "waiting"), (.dualWriteAsync, "waiting"), (.shadowPrimary, "passed"),
        (.targetOnly, "passed"),
    ])
    func `elsewhere they are kept without effect, and nothing is asked`(mode: WriteMode, state: String) async throws {
        try await self.withControl(mode: mode) { bench in
            bench.proxy.with { $0.connected = [mode.primary] }
            let document = try await bench.control.change(Self.change(Self.canary("acme")))
            #expect(document.overrides.map(\.state) == [state])
            let audit = await bench.control.audit(max: 1).records.first
            #expect(audit?.what.contains("app.t tenant=acme \(mode) → ReadsFirst (\(state))") == true)
            #expect(await bench.control.phase().overrides?.map(\.state) == [state])
        }
        // Nor does it need a cluster that the mode does not.
        try await self.withControl(hosts: ("a", ""), mode: .primaryOnly) { bench in
            #expect(await self.refused(bench, Self.change(Self.canary("acme"))) == nil)
            #expect(await bench.control.readiness() == .ready)
        }
    }

    @Test func `who waits is asked about when the tables come, by the step and by its verdict`() async throws {
        try await self.withControl(mode: .dualWriteAsync, overrides: try Self.kept(Self.canary("acme"))) { bench in
            let verdict = try await bench.control.verdict(to: nil)
            #expect(!verdict.allowed && verdict.overrides == nil)
            #expect(
                verdict.gates.filter { !$0.holds && $0.action == "veto" }.map(\.gate) == ["bulk_load", "comparison"]
            )
            let step = PhaseChange(mode: "2", by: "test")
            let error = await self.refusal { () throws(AdminError) in _ = try await bench.control.change(step) }
            #expect(error?.code == .gatesVeto && error?.message.contains("app.t") == true)
            #expect(bench.proxy.with { $0.calls.isEmpty })
            try await Self.report("app.t", bench.control)
            #expect(try await bench.control.verdict(to: nil).allowed)
            _ = try await bench.control.change(step)
            #expect(await bench.control.overrides().overrides.map(\.state) == ["ahead"])
            // On, and back: the target has answered everybody meanwhile, so nothing is asked for them.
            _ = try await bench.control.change(PhaseChange(mode: "3", by: "test"))
            #expect(await bench.control.overrides().overrides.map(\.state) == ["passed"])
            #expect(try await bench.control.verdict(to: "DualWriteSync").gates.allSatisfy { $0.gate != "bulk_load" })
            _ = try await bench.control.change(PhaseChange(mode: "2", by: "test"))
            #expect(await bench.control.overrides().overrides.map(\.state) == ["ahead"])
        }
    }

    @Test func `tables of their own bring their tenants with the same question`() async throws {
        let held = TableOverride(tables: "app.t", mode: "1")
        try await self.withControl(mode: .primaryOnly, overrides: try Self.kept(held, Self.canary("acme"))) { bench in
            let step = TableOverride(tables: "app.t", mode: "2")
            let error = await self.refused(bench, Self.change(step, Self.canary("acme")))
            #expect(error?.gates?.map(\.gate) == ["bulk_load", "comparison"])
            try await Self.report("app.t", bench.control)
            _ = try await bench.control.change(Self.change(step, Self.canary("acme")))
            let kept = try #require(try bench.store.load()).state.overrides
            // Since when a table has its own mode is nothing to its tenants, and the other way round.
            #expect(kept.map(\.since) == [0, 0] && kept.map(\.override.stage) == [.dualWriteSync, .readsFirst])
        }
    }

    @Test func `tenants do not stand against TargetOnly, nor count as tables of their own`() async throws {
        try await self.withControl(mode: .shadowPrimary, overrides: try Self.kept(Self.canary("acme"))) { bench in
            let gate = try await bench.control.verdict(to: nil).gates.first { $0.gate == "overrides" }
            #expect(gate?.holds != false)
            #expect(await bench.control.completeSince(.target, about: [try .init(parsing: "app.t")]) == nil)
        }
    }

    @Test func `too many values and other modes are refused`() async throws {
        try await self.withControl(mode: .dualWriteSync) { bench in
            var many = Self.canary("acme")
            many.tenants?.values = (0...ModeOverrides.canaryValuesMax).map { "t\($0)" }
            let error = await self.refused(bench, Self.change(many))
            #expect(error?.code == .invalidDocument && error?.message.contains("1001 values") == true)
            var other = Self.canary("acme")
            other.mode = "ShadowPrimary"
            let mode = await self.refused(bench, Self.change(other))
            #expect(mode?.code == .invalidDocument && mode?.message.contains("tenants of app.t") == true)
            #expect(bench.proxy.with { $0.calls.isEmpty })
        }
    }

    @Test func `documents about something else name a few values of many`() async throws {
        var many = Self.canary("acme")
        many.tenants?.values = (1...40).map { "t\($0)" }
        try await self.withControl(mode: .dualWriteAsync, overrides: try Self.kept(many)) { bench in
            let tenants = await bench.control.phase().overrides?.first?.tenants
            #expect(tenants?.values.count == 10 && tenants?.leftOut == 30)
            #expect(await bench.control.overrides().overrides.first?.tenants?.values.count == 40)
        }
    }

    @Test func `an older program does not start with a folder whose tenants go ahead`() throws {
        try withTemporaryFolder { path in
            let store = PhaseStore(folder: try StateFolder(path: path))
            var state = PhaseState(mode: .dualWriteSync, epoch: 3, history: [])
            state.overrides = try Self.kept(
                TableOverride(tables: "app.*", mode: "1"),
                Self.canary("a,b", "\"quoted\"", of: "\"My\".t*")
            )
            try store.save(state)
            let data = try #require(FileManager.default.contents(atPath: "\(path)/\(PhaseStore.name)"))
            #expect(String(decoding: data, as: UTF8.self).contains(#/"format"\s*:\s*3/#))
            #expect(try store.load()?.state == state)
        }
    }

    // MARK: Commands

    @Test func `the list shows tenants and what they have of going ahead`() {
        var canary = Self.canary("acme", "globex")
        canary.state = "waiting"
        let held = TableOverride(tables: "app.held", mode: "PrimaryOnly")
        func text(_ overrides: [TableOverride]) -> String {
            OverrideCommand.text(
                OverridesDocument(mode: "DualWriteAsync", epoch: 7, overrides: overrides, history: []),
                Style(isColored: false)
            )
        }
        let both = text([held, canary])
        #expect(both.contains("app.held  PrimaryOnly") && both.contains("all others are in DualWriteAsync"))
        #expect(both.contains("app.t   tenant=acme,globex  ReadsFirst  waiting"), "\(both)")
        #expect(text([canary]).contains("all tables are in DualWriteAsync, epoch 7"))
        let line = OverrideCommand.words([held, canary], leftOut: 0, Style(isColored: false))
        #expect(line.contains("tables with a mode of their own: app.held (PrimaryOnly)"))
        #expect(line.contains("tenants ahead of their tables: app.t tenant=acme,globex (waiting)"))
    }
}
