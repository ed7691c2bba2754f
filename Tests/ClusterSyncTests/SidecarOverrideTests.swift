import DualWriteCore
import FoundationEssentials
import Logging
import Operations
import Testing

@testable import ClusterSync
@testable import DualWriter

/// Tables with modes of their own, as an operator changes them.
struct SidecarOverrideTests: ControlTests {
    private static func change(
        _ overrides: [(String, String)],
        epoch: Int? = nil,
        reason: String = "a canary",
        force: Bool = false
    ) -> OverridesChange {
        OverridesChange(
            overrides: overrides.map { TableOverride(tables: $0.0, mode: $0.1) },
            epoch: epoch,
            reason: reason,
            force: force,
            by: "test"
        )
    }

    private static func kept(_ texts: String...) throws -> [KeptOverride] {
        try texts.map { KeptOverride(override: try ModeOverride(parsing: $0), since: 0) }
    }

    private static func moment(hoursAgo: Int64) -> String {
        Timestamp.text(milliseconds: Timestamp.milliseconds() - hoursAgo * 3_600_000)
    }

    @Test func `a change is made by the proxy, kept, counted and in the audit`() async throws {
        try await self.withControl(mode: .primaryOnly) { bench in
            let document = try await bench.control.change(Self.change([("app.canary", "1")]))
            #expect(document.epoch == 1 && document.mode == "PrimaryOnly")
            #expect(document.overrides == [.init(tables: "app.canary", mode: "DualWriteAsync")])
            #expect(document.history.map(\.from) == ["PrimaryOnly"] && document.history.map(\.to) == ["DualWriteAsync"])
            #expect(bench.proxy.with { $0.calls } == ["overrides app.canary=DualWriteAsync 1"])
            let kept = try #require(try bench.store.load()).state
            #expect(kept.epoch == 1 && kept.mode == .primaryOnly)
            #expect(kept.modes.overrides.list.map(\.description) == ["app.canary=DualWriteAsync"])
            let audit = await bench.control.audit(max: 1).records
            #expect(audit.first?.action == .overrides && audit.first?.reason == "a canary")
            #expect(audit.first?.what.contains("app.canary PrimaryOnly → DualWriteAsync") == true)
            let phase = await bench.control.phase()
            #expect(phase.overrides == document.overrides && phase.overridesLeftOut == 0)
        }
    }

    @Test func `asking for what is in force changes nothing`() async throws {
        try await self.withControl(mode: .primaryOnly, overrides: try Self.kept("app.t=1")) { bench in
            let document = try await bench.control.change(Self.change([("APP.t", "dualwriteasync")]))
            #expect(document.epoch == 0 && bench.proxy.with { $0.calls.isEmpty })
        }
    }

    @Test(arguments: [
        ("nothing", "1", "PrimaryOnly"), ("a.b.c", "1", "names no table"), ("app.t", "9", "unknown write mode"),
        ("system.local", "1", "the server itself"),
    ])
    func `what cannot be read is refused in words`(tables: String, mode: String, words: String) async throws {
        try await self.withControl(mode: .primaryOnly) { bench in
            let error = await self.refusal { () throws(AdminError) in
                _ = try await bench.control.change(Self.change([(tables, mode)]))
            }
            // A keyspace that nobody knows may be there tomorrow.
            if tables == "nothing" {
                #expect(error == nil)
            } else {
                #expect(error?.code == .invalidDocument && error?.message.contains(words) == true)
                #expect(bench.proxy.with { $0.calls.isEmpty })
            }
        }
    }

    @Test func `too many are refused, and as many as may be are not`() async throws {
        try await self.withControl(mode: .primaryOnly) { bench in
            let many = (0...ModeOverrides.countMax).map { ("app.t\($0)", "1") }
            let error = await self.refusal { () throws(AdminError) in
                _ = try await bench.control.change(Self.change(many))
            }
            #expect(error?.code == .invalidDocument && error?.message.contains("more than 1000") == true)
            let document = try await bench.control.change(Self.change(many.dropLast()))
            #expect(document.overrides.count == ModeOverrides.countMax)
            #expect(await bench.control.phase().overridesLeftOut == ModeOverrides.countMax - PhaseDocument.overridesMax)
            let loaded = try #require(try bench.store.load()).state
            #expect(loaded.overrides.count == ModeOverrides.countMax)
        }
    }

    @Test func `tables go one step at a time, else by force with a reason`() async throws {
        try await self.withControl(mode: .primaryOnly) { bench in
            let error = await self.refusal { () throws(AdminError) in
                _ = try await bench.control.change(Self.change([("app.t", "3")]))
            }
            #expect(error?.code == .transitionRefused)
            #expect(error?.message.contains("app.t: cannot go from PrimaryOnly to ShadowPrimary") == true)
            #expect(bench.proxy.with { $0.calls.isEmpty })
            _ = try await bench.control.change(Self.change([("app.t", "3")], force: true))
            #expect(bench.proxy.with { $0.calls } == ["overrides app.t=ShadowPrimary 1 forced"])
            let removal = await self.refusal { () throws(AdminError) in
                _ = try await bench.control.change(Self.change([]))
            }
            #expect(removal?.code == .transitionRefused)
            #expect(await bench.control.audit(max: 1).records.first?.forced == true)
        }
    }

    @Test func `a mode that needs a cluster without hosts is refused`() async throws {
        try await self.withControl(hosts: ("a", ""), mode: .primaryOnly) { bench in
            let error = await self.refusal { () throws(AdminError) in
                _ = try await bench.control.change(Self.change([("app.t", "1")]))
            }
            #expect(
                error?.code == .clusterUnreachable
                    && error?.message.contains("app.t in DualWriteAsync needs the target") == true
            )
            #expect(bench.proxy.with { $0.calls.isEmpty })
        }
    }

    @Test func `a host list that a table needs is not taken away`() async throws {
        try await self.withControl(mode: .primaryOnly, overrides: try Self.kept("app.t=1")) { bench in
            let error = await self.refusal { () throws(AdminError) in
                var change = ConfigurationChange(by: "test")
                change.scyllaHosts = []
                _ = try await bench.control.apply(change)
            }
            #expect(error?.message.contains("app.t in DualWriteAsync needs the target") == true)
        }
    }

    @Test func `somebody who has seen another list changes nothing`() async throws {
        try await self.withControl(mode: .primaryOnly) { bench in
            _ = try await bench.control.change(Self.change([("app.t", "1")], epoch: 0))
            let error = await self.refusal { () throws(AdminError) in
                _ = try await bench.control.change(Self.change([("app.u", "1")], epoch: 0))
            }
            #expect(error?.code == .transitionRefused && error?.message.contains("epoch 1") == true)
            _ = try await bench.control.change(PhaseChange(mode: "1", by: "test"))
            #expect(await bench.control.overrides().epoch == 2)
        }
    }

    @Test func `what the proxy refuses, or the folder, leaves everything as it was`() async throws {
        try await self.withControl(mode: .primaryOnly) { bench in
            bench.proxy.with { $0.refusesModes = true }
            let error = await self.refusal { () throws(AdminError) in
                _ = try await bench.control.change(Self.change([("app.t", "1")]))
            }
            #expect(error?.code == .clusterUnreachable && error?.message.contains("connection refused") == true)
            #expect(await bench.control.overrides() == .init(mode: "PrimaryOnly", epoch: 0, overrides: [], history: []))
            bench.proxy.with { $0.refusesModes = false }
            try FileManager.default.removeItem(atPath: bench.path)
            let failure = await self.refusal { () throws(AdminError) in
                _ = try await bench.control.change(Self.change([("app.t", "1")]))
            }
            #expect(failure?.code == .changeFailed)
            #expect(bench.proxy.with { $0.calls.last } == "overrides  0 forced")
            #expect(await bench.control.overrides().overrides.isEmpty)
        }
    }

    // MARK: Gates

    private static func load(_ table: String, began: Int64) -> LoadReport {
        LoadReport(
            job: "load of \(table)",
            source: "w",
            state: "complete",
            beganAt: Self.moment(hoursAgo: began),
            at: Self.moment(hoursAgo: began - 1),
            tokensCoveredRatio: 1,
            deadLetters: 0,
            tables: [.init(table: table, tokensCoveredRatio: 1)]
        )
    }

    private static func comparison(_ table: String, began: Int64) -> ComparisonReport {
        ComparisonReport(
            job: "compare",
            verdict: "in_sync",
            beganAt: Self.moment(hoursAgo: began),
            at: Self.moment(hoursAgo: began - 1),
            tokensCoveredRatio: 1,
            sampledPercentage: 100,
            differences: 0,
            tables: [.init(table: table, verdict: "in_sync", differences: 0)]
        )
    }

    private func vetoes(_ bench: ControlBench, _ overrides: [(String, String)]) async -> [String] {
        let error = await self.refusal { () throws(AdminError) in
            _ = try await bench.control.change(Self.change(overrides))
        }
        return (error?.gates ?? []).map(\.gate)
    }

    @Test(arguments: ["ShadowPrimary", "ReadsFirst"])
    func `a table is answered by the target when it was loaded and compared itself`(mode: String) async throws {
        try await self.withControl(
            mode: .dualWriteAsync,
            history: [
                PhaseRecord(
                    at: Self.moment(hoursAgo: 20),
                    from: "PrimaryOnly",
                    to: "DualWriteAsync",
                    epoch: 1,
                    by: "test",
                    reason: nil,
                    forced: false
                )
            ],
            overrides: try Self.kept("app.canary=2")
        ) { bench in
            let wanted = [("app.canary", mode)]
            #expect(await self.vetoes(bench, wanted) == ["bulk_load", "comparison"])
            // A load of another table says nothing of this one.
            _ = try await bench.control.keep(Self.load("app.other", began: 9))
            #expect(await self.vetoes(bench, wanted) == ["bulk_load", "comparison"])
            _ = try await bench.control.keep(Self.load("app.canary", began: 9))
            _ = try await bench.control.keep(Self.comparison("app.other", began: 5))
            #expect(await self.vetoes(bench, wanted) == ["comparison"])
            _ = try await bench.control.keep(Self.comparison("app.canary", began: 5))
            #expect(await self.vetoes(bench, wanted).isEmpty)
            #expect(await bench.control.overrides().overrides.map(\.mode) == [mode])
        }
    }

    @Test func `what a cluster is owed or was refused stands against its tables`() async throws {
        try await self.withControl(mode: .dualWriteAsync, overrides: try Self.kept("app.canary=2")) { bench in
            bench.proxy.with { $0.configureLeg = { if $0.cluster == .target { $0.deadLetters = 3 } } }
            #expect(await self.vetoes(bench, [("app.canary", "3")]).contains("dead_letters"))
            bench.proxy.with { $0.configureLeg = { _ in } }
            bench.proxy.with { $0.connected = [.source] }
            #expect(await self.vetoes(bench, [("app.canary", "3")]).contains("connected"))
            _ = try await bench.control.change(Self.change([("app.canary", "3")], reason: "it must", force: true))
            let record = await bench.control.audit(max: 1).records.first
            #expect(record?.overruled.contains("connected") == true && record?.forced == true)
            #expect(bench.proxy.with { $0.calls.last?.hasSuffix("forced") } == true)
        }
    }

    @Test func `a load before a table's own copies began does not count, the sidecar's later steps do not matter`()
        async throws
    {
        try await self.withControl(mode: .primaryOnly) { bench in
            _ = try await bench.control.keep(Self.load("app.canary", began: 9))
            _ = try await bench.control.change(Self.change([("app.canary", "1")]))
            _ = try await bench.control.change(Self.change([("app.canary", "2")]))
            let late = await self.refusal { () throws(AdminError) in
                _ = try await bench.control.change(Self.change([("app.canary", "3")]))
            }
            let words = late?.gates?.first { $0.gate == "bulk_load" }?.words
            #expect(words?.contains("began before the target got every write") == true, "\(words ?? "-")")
            let since = await bench.control.completeSince(.target, about: [try .init(parsing: "app.canary")])
            try await Task.sleep(for: .milliseconds(1_100))
            _ = try await bench.control.change(PhaseChange(mode: "1", by: "test"))
            #expect(await bench.control.completeSince(.target, about: [try .init(parsing: "app.canary")]) == since)
            let others = await bench.control.completeSince(.target, about: nil)
            #expect(others ?? 0 > since ?? 0)
            #expect(await bench.control.completeSince(.target, about: [try .init(parsing: "app.other")]) == others)
        }
    }

    @Test func `tables that were held back count for the sidecar once they go with it`() async throws {
        try await self.withControl(mode: .dualWriteAsync, overrides: try Self.kept("app.held=0")) { bench in
            #expect(await bench.control.completeSince(.target, about: nil) == nil)
            _ = try await bench.control.change(Self.change([]))
            #expect(await bench.control.completeSince(.target, about: nil) != nil)
        }
    }

    // MARK: The sidecar's steps

    @Test func `TargetOnly is not entered while tables need the source, unless somebody says so`() async throws {
        try await self.withControl(mode: .shadowPrimary, overrides: try Self.kept("app.held=1")) { bench in
            let verdict = try await bench.control.verdict(to: nil)
            let gate = try #require(verdict.gates.first { $0.gate == "overrides" })
            #expect(!gate.holds && gate.action == "veto" && gate.words.contains("app.held"))
            #expect(verdict.overrides == [.init(tables: "app.held", mode: "DualWriteAsync")])
            let error = await self.refusal { () throws(AdminError) in
                _ = try await bench.control.change(PhaseChange(mode: "4", by: "test"))
            }
            #expect(error?.code == .gatesVeto && error?.gates?.map(\.gate) == ["overrides"])
            _ = try await bench.control.change(
                PhaseChange(mode: "4", reason: "the source stays", force: true, by: "test")
            )
            #expect(await bench.control.overrides().overrides.count == 1)
        }
        try await self.withControl(mode: .shadowPrimary, overrides: try Self.kept("app.done=4")) { bench in
            let verdict = try await bench.control.verdict(to: nil)
            #expect(verdict.gates.first { $0.gate == "overrides" }?.holds == true)
        }
        try await self.withControl(mode: .shadowPrimary) { bench in
            let verdict = try await bench.control.verdict(to: nil)
            #expect(verdict.gates.allSatisfy { $0.gate != "overrides" })
        }
    }

    @Test func `health and readiness depend on every cluster that clients need`() async throws {
        try await self.withControl(mode: .primaryOnly, overrides: try Self.kept("app.canary=3")) { bench in
            #expect(await bench.control.readiness() == .ready)
            #expect(await bench.control.status().legs.map(\.role) == ["primary", "overrides"])
            bench.proxy.with { $0.connected = [.source] }
            guard case .notReady(let reason) = await bench.control.readiness() else {
                Issue.record("ready without the primary of a table")
                return
            }
            #expect(reason.contains("target"))
        }
        try await self.withControl(mode: .primaryOnly, overrides: try Self.kept("app.held=1")) { bench in
            bench.proxy.with { $0.connected = [.source] }
            #expect(await bench.control.readiness() == .ready)
            #expect(await bench.control.health().status == "degraded")
        }
    }

    // MARK: The folder and the configuration

    @Test func `an older program does not start with a folder whose tables have modes of their own`() throws {
        try withTemporaryFolder { path in
            let store = PhaseStore(folder: try StateFolder(path: path))
            func format() throws -> String {
                let data = try #require(FileManager.default.contents(atPath: "\(path)/\(PhaseStore.name)"))
                let text = String(decoding: data, as: UTF8.self)
                return try #require(text.firstMatch(of: #/"format"\s*:\s*(\d+)/#).map { String($0.output.1) })
            }
            var state = PhaseState(mode: .dualWriteAsync, epoch: 3, history: [])
            try store.save(state)
            #expect(try format() == "1")
            state.overrides = try Self.kept("\"My\".\"t*\"=3", "app.*=0")
            state.tableHistory = [
                .init(
                    at: "2026-11-26T09:00:00Z",
                    tables: "app.*",
                    from: "DualWriteAsync",
                    to: "PrimaryOnly",
                    epoch: 3,
                    by: "x",
                    reason: "y"
                )
            ]
            try store.save(state)
            #expect(try format() == "2")
            #expect(try store.load()?.state == state)
        }
    }

    @Test func `overrides that cannot be are no reason to guess`() throws {
        try withTemporaryFolder { path in
            let store = PhaseStore(folder: try StateFolder(path: path))
            let text =
                #"{"format":2,"mode":"PrimaryOnly","epoch":1,"history":[],"overrides":[{"tables":"a.b","mode":"Never","since":1}]}"#
            for name in [PhaseStore.name, PhaseStore.copyName] {
                try Data(text.utf8).write(to: URL(filePath: "\(path)/\(name)"))
            }
            let error = #expect(throws: StateError.self) { try store.load() }
            #expect(error?.code == .damaged && error?.description.contains("unknown write mode") == true)
        }
    }

    @Test func `the configuration names overrides of a new folder`() throws {
        func read(_ text: String) throws -> SidecarConfiguration {
            let options = [("source.hosts", "a"), ("target.hosts", "b"), ("overrides", text)]
            let layers = ConfigurationLayers(schema: .sidecar, options: options, environment: [:], file: nil)
            return try SidecarConfiguration(layers) { _ in nil }
        }
        #expect(
            try read("app.canary=ShadowPrimary, app.*=0").overrides.list.map(\.description) == [
                "app.canary=ShadowPrimary", "app.*=PrimaryOnly",
            ]
        )
        let error = #expect(throws: ConfigurationError.self) { try read("app.canary") }
        #expect("\(String(describing: error))".contains("write keyspace.table=Mode"))
    }
}
