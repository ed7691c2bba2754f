import CQLClient
import DualWriteCore
import FoundationEssentials
import Logging
import Operations
import Testing

@testable import ClusterSync
@testable import DualWriter

/// The gates as an operator meets them: refused by name, overruled with a reason, kept in the audit.
struct SidecarGateTests: ControlTests {
    private static func record(_ from: WriteMode, _ to: WriteMode, at: String) -> PhaseRecord {
        PhaseRecord(at: at, from: from.name, to: to.name, epoch: 1, by: "test", reason: nil, forced: false)
    }

    private static func moment(hoursAgo: Int64) -> String {
        Timestamp.text(milliseconds: Timestamp.milliseconds() - hoursAgo * 3_600_000)
    }

    private static func load(
        _ state: String = "complete",
        covered: Double = 1,
        began: Int64 = 9,
        ended: Int64 = 5,
        letters: Int = 0,
        source: String = "w"
    ) -> LoadReport {
        LoadReport(
            job: "load",
            source: source,
            state: state,
            beganAt: Self.moment(hoursAgo: began),
            at: Self.moment(hoursAgo: ended),
            tokensCoveredRatio: covered,
            deadLetters: letters,
            tables: [.init(table: "shop.orders", tokensCoveredRatio: covered)]
        )
    }

    private static func comparison(_ verdict: String = "in_sync", began: Int64 = 4, ended: Int64 = 3)
        -> ComparisonReport
    {
        ComparisonReport(
            job: "compare",
            verdict: verdict,
            beganAt: Self.moment(hoursAgo: began),
            at: Self.moment(hoursAgo: ended),
            tokensCoveredRatio: 1,
            sampledPercentage: 100,
            differences: verdict == "differs" ? 7 : 0,
            tables: [.init(table: "shop.orders", verdict: verdict, differences: 0)]
        )
    }

    private static let dualSince = [Self.record(.primaryOnly, .dualWriteAsync, at: Self.moment(hoursAgo: 10))]

    /// What stands against the step that makes the target primary.
    private static let troubles: [(gate: String, trouble: @Sendable (inout FakeProxy.State) -> Void)] = [
        ("connected", { $0.connected = [.source] }),
        ("backlog", { $0.configureLeg = { if $0.cluster == .target { $0.owes(3) } } }),
        ("dead_letters", { $0.configureLeg = { if $0.cluster == .target { $0.deadLetters = 1 } } }),
        ("losses", { $0.configureLeg = { if $0.cluster == .target { $0.dirtyByReason = [.journalFull: 1] } } }),
        ("error_rate", { $0.counters.target.writesFailed = 5 }),
        (
            "clock_skew",
            {
                $0.configureLeg = {
                    if $0.cluster == .source { $0.clock = .init(asked: 0, server: 5_000, answered: 10) }
                }
            }
        ),
    ]

    @Test(arguments: troubles.map(\.gate))
    func `a gate refuses the step by its name, and the audit keeps by whom and why it was overruled`(
        gate: String
    ) async throws {
        try await self.withControl(mode: .dualWriteSync, history: Self.dualSince) { bench in
            _ = try await bench.control.keep(Self.load())
            _ = try await bench.control.keep(Self.comparison())
            let trouble = try #require(Self.troubles.first { $0.gate == gate }).trouble
            bench.proxy.with { trouble(&$0) }
            let refusal = await self.refusal { () async throws(AdminError) in
                _ = try await bench.control.change(.init(mode: "ShadowPrimary", by: "test"))
            }
            #expect(refusal?.code == .gatesVeto)
            #expect(refusal?.gates?.map(\.gate) == [gate])
            #expect(await bench.control.phase().mode == "DualWriteSync")
            let withoutReason = await self.refusal { () async throws(AdminError) in
                _ = try await bench.control.change(.init(mode: "3", force: true, by: "test"))
            }
            #expect(withoutReason?.code == .gatesVeto)

            let phase = try await bench.control.change(.init(mode: "3", reason: "drill", force: true, by: "me"))
            #expect(phase.mode == "ShadowPrimary")
            #expect(phase.history.first?.overruled == [gate])
            let audit = await bench.control.audit(max: 1)
            #expect(audit.records.first?.overruled == [gate])
            #expect(audit.records.first?.reason == "drill")
            #expect(audit.records.first?.by == "me")
            #expect(audit.records.first?.forced == true)
            // It is on the disk as well.
            #expect(AuditStore(folder: bench.store.folder).load().records.last?.overruled == [gate])
        }
    }

    @Test func `without reports the target does not become primary, and with them it does`() async throws {
        try await self.withControl(mode: .dualWriteSync, history: Self.dualSince) { bench in
            func vetoes() async -> [String] {
                let refusal = await self.refusal { () async throws(AdminError) in
                    _ = try await bench.control.change(.init(mode: "3", by: "test"))
                }
                return refusal?.gates?.map(\.gate) ?? []
            }
            #expect(await vetoes() == ["bulk_load", "comparison"])
            _ = try await bench.control.keep(Self.load("running", covered: 0.5))
            _ = try await bench.control.keep(Self.comparison())
            #expect(await vetoes() == ["bulk_load"])
            _ = try await bench.control.keep(Self.load())
            _ = try await bench.control.keep(Self.comparison("differs", ended: 2))
            #expect(await vetoes() == ["comparison"])
            // What is older than what is known changes nothing.
            _ = try await bench.control.keep(Self.comparison())
            #expect(await vetoes() == ["comparison"])
            _ = try await bench.control.keep(Self.comparison(began: 1, ended: 0))
            #expect(await vetoes() == [])
            #expect(await bench.control.phase().mode == "ShadowPrimary")
        }
    }

    @Test func `a load that goes on has begun when it first began, and is forgotten by name`() async throws {
        try await self.withControl { bench in
            _ = try await bench.control.keep(Self.load("incomplete", covered: 0.5, began: 12, ended: 11))
            let kept = try await bench.control.keep(Self.load(began: 3, ended: 2))
            #expect(kept.loads.count == 1)
            let evidence = try #require(kept.loadEvidence.first)
            #expect(evidence.isWhole)
            #expect((Timestamp.milliseconds() - evidence.beganAt) / 3_600_000 == 12)
            // Said once more, it is complete since it was complete.
            let again = try await bench.control.keep(Self.load(began: 1, ended: 0))
            #expect(again.loads == kept.loads)
            // A restart of the sidecar forgets nothing.
            #expect(ReportStore(folder: bench.store.folder).load().reports == again)
            let left = try await bench.control.forgetLoad("load", by: "me")
            #expect(left.loads == [])
            #expect(await bench.control.audit(max: 1).records.first?.action == .reportForget)
            let unknown = await self.refusal { () async throws(AdminError) in
                _ = try await bench.control.forgetLoad("load", by: "me")
            }
            #expect(unknown?.code == .nothingFound)
        }
    }

    @Test func `a report of the future, or one that ends before it begins, is refused`() async throws {
        try await self.withControl { bench in
            for report in [Self.load(began: 0, ended: -1), Self.load(began: 1, ended: 2)] {
                let refusal = await self.refusal { () async throws(AdminError) in
                    _ = try await bench.control.keep(report)
                }
                #expect(refusal?.code == .invalidDocument)
            }
            #expect(await bench.control.reports().loads == [])
        }
    }

    @Test func `the six-field document passes gates that only reports feed, and no others`() async throws {
        try await self.withControl(mode: .dualWriteSync, history: Self.dualSince) { bench in
            var change = ConfigurationChange(by: "script")
            change.writeMode = "ShadowPrimary"
            let wanted = change
            bench.proxy.with { $0.configureLeg = { if $0.cluster == .target { $0.deadLetters = 1 } } }
            let refusal = await self.refusal { () async throws(AdminError) in
                _ = try await bench.control.apply(wanted)
            }
            #expect(refusal?.gates?.map(\.gate) == ["dead_letters"])
            bench.proxy.with { $0.configureLeg = { _ in } }
            let applied = try await bench.control.apply(wanted)
            #expect(applied.writeMode == "ShadowPrimary")
            let audit = await bench.control.audit(max: 10)
            #expect(audit.records.map(\.action) == [.configuration, .phase])
            #expect(audit.records.last?.notAsked == ["bulk_load", "comparison"])
            #expect(audit.records.last?.forced == false)
        }
    }

    @Test func `the proxy is told to pass what the configuration lets pass`() async throws {
        let gates = [("gates.dead_letters", "off"), ("gates.bulk_load", "off"), ("gates.comparison", "warn")]
        try await self.withControl(mode: .dualWriteSync, gates: gates) { bench in
            bench.proxy.with { $0.configureLeg = { if $0.cluster == .target { $0.deadLetters = 1 } } }
            _ = try await bench.control.change(.init(mode: "3", by: "test"))
            #expect(bench.proxy.with { $0.calls } == ["mode ShadowPrimary 1 forced"])
            #expect(await bench.control.audit(max: 1).records.first?.forced == false)
        }
    }

    @Test func `before each step and verdict the nodes are asked anew, for metrics no oftener than every few seconds`()
        async throws
    {
        let node = NodeID(host: "10.0.0.7", port: 9_042)
        try await self.withControl(mode: .dualWriteAsync) { bench in
            #expect(await bench.control.nextVerdict()?.isAllowed == true)
            bench.proxy.with { $0.signs[.target] = [node: .silent(for: .seconds(41))] }
            #expect(await bench.control.nextVerdict()?.isAllowed == true)
            #expect(bench.proxy.with { $0.questions } == 1)
            let verdict = try await bench.control.verdict(to: nil)
            #expect(verdict.gates.first?.figure == "0 of 1 connected nodes answer" && !verdict.allowed)
            let refusal = await self.refusal { () async throws(AdminError) in
                _ = try await bench.control.change(.init(mode: "2", by: "test"))
            }
            #expect(refusal?.gates?.map(\.gate) == ["connected"])
            #expect(refusal?.message.contains("10.0.0.7:9042 (silent for 41 s)") == true)
            #expect(bench.proxy.with { $0.questions } == 3)
            // What was found out for the verdict is news for the metrics, too.
            #expect(await bench.control.nextVerdict()?.isAllowed == false)
            #expect(bench.proxy.with { $0.questions } == 3)
            bench.proxy.with { $0.signs[.target] = [node: .refused("OVERLOADED: busy")] }
            let busy = try await bench.control.verdict(to: nil)
            #expect(busy.gates.first?.words.contains("10.0.0.7:9042 (OVERLOADED: busy)") == true)
            // Nobody waits for a target on the way back.
            _ = try await bench.control.change(.init(mode: "0", by: "test"))
            #expect(bench.proxy.with { $0.questions } == 4)
        }
        try await self.withControl(mode: .dualWriteAsync, gates: [("gates.connected", "off")]) { bench in
            _ = try await bench.control.verdict(to: nil)
            #expect(bench.proxy.with { $0.questions } == 0)
        }
    }

    @Test func `the verdict names each gate and the way back`() async throws {
        try await self.withControl(mode: .dualWriteSync, history: Self.dualSince) { bench in
            let next = try await bench.control.verdict(to: nil)
            #expect(next.to == "ShadowPrimary" && !next.allowed)
            #expect(next.gates.filter { !$0.holds }.map(\.gate) == ["compared_reads", "bulk_load", "comparison"])
            #expect(next.wayBack == "DualWriteSync" && next.wayBackCost == nil)
            let back = try await bench.control.verdict(to: "DualWriteAsync")
            #expect(back.allowed && back.gates == [])
            let far = try await bench.control.verdict(to: "TargetOnly")
            #expect(!far.allowed)
            let wrong = await self.refusal { () async throws(AdminError) in
                _ = try await bench.control.verdict(to: "sideways")
            }
            #expect(wrong?.code == .invalidMode)
        }
        try await self.withControl(mode: .targetOnly) { bench in
            let last = await self.refusal { () async throws(AdminError) in _ = try await bench.control.verdict(to: nil)
            }
            #expect(last?.code == .transitionRefused)
            #expect(await bench.control.nextVerdict() == nil)
        }
    }

    @Test(arguments: zip(WriteMode.allCases.dropFirst(), WriteMode.allCases))
    func `rollback takes the step back from each mode`(from: WriteMode, to: WriteMode) async throws {
        try await self.withControl(mode: from) { bench in
            let plan = try await bench.control.rollBack(.init(reason: nil, isDryRun: true, by: "test"))
            #expect(plan.to == to.name && plan.allowed && plan.dryRun && plan.epoch == 0)
            #expect(bench.proxy.with { $0.calls } == [])
            let done = try await bench.control.rollBack(.init(reason: "errors", by: "test"))
            #expect(done.to == to.name && done.epoch == 1)
            #expect(await bench.control.phase().mode == to.name)
            let record = try #require(await bench.control.audit(max: 1).records.first)
            #expect(record.action == .rollback && record.reason == "errors")
            #expect((done.cost != nil) == (to == .primaryOnly || from == .targetOnly))
        }
    }

    @Test func `there is no way back from the first mode, and an owed source stands against the rollback`() async throws
    {
        try await self.withControl { bench in
            let refusal = await self.refusal { () async throws(AdminError) in
                _ = try await bench.control.rollBack(.init(reason: "why", by: "test"))
            }
            #expect(refusal?.code == .transitionRefused)
        }
        try await self.withControl(mode: .shadowPrimary) { bench in
            bench.proxy.with { state in
                state.connected = [.source]
                state.configureLeg = { if $0.cluster == .source { $0.owes(4) } }
            }
            let refusal = await self.refusal { () async throws(AdminError) in
                _ = try await bench.control.rollBack(.init(reason: "why", by: "test"))
            }
            #expect(refusal?.gates?.map(\.gate) == ["backlog"])
            let done = try await bench.control.rollBack(.init(reason: "why", force: true, by: "test"))
            #expect(done.cost?.contains("lacks 4 writes") == true)
            #expect(done.cost?.contains("target cannot be reached") == true)
            #expect(await bench.control.audit(max: 1).records.first?.overruled == ["backlog"])
        }
    }

    @Test func `a source that was left answers only after a comparison that came later`() async throws {
        let history = [Self.record(.targetOnly, .shadowPrimary, at: Self.moment(hoursAgo: 2))]
        try await self.withControl(mode: .shadowPrimary, history: history) { bench in
            _ = try await bench.control.keep(Self.comparison(began: 4, ended: 3))
            let refusal = await self.refusal { () async throws(AdminError) in
                _ = try await bench.control.rollBack(.init(reason: "why", by: "test"))
            }
            #expect(refusal?.gates?.map(\.gate) == ["comparison"])
            _ = try await bench.control.keep(Self.comparison(began: 1, ended: 0))
            let done = try await bench.control.rollBack(.init(reason: "why", by: "test"))
            #expect(done.to == "DualWriteSync")
        }
    }

    @Test func `an audit that is damaged is kept aside, and a new one begins`() async throws {
        try await self.withControl { bench in
            try bench.store.folder.replace(AuditStore.name, with: Array("{".utf8))
            let store = AuditStore(folder: bench.store.folder)
            #expect(store.load().remark?.contains("damaged") == true)
            let aside = try bench.store.folder.content(of: AuditStore.damagedName)
            #expect(aside == Array("{".utf8))
            let record = AuditRecord(at: "t", action: .phase, by: "b", reason: nil, what: "w")
            try store.save([record])
            #expect(store.load().records == [record])
        }
    }

    @Test func `changes of other kinds are in the audit`() async throws {
        try await self.withControl { bench in
            let place = DirtyPartition.Place(keyspace: "shop", table: "orders", key: nil)
            bench.proxy.with {
                $0.dirty = [DirtyPartition(place: place, cluster: .target, reason: .journalFull, since: 0)]
            }
            _ = try await bench.control.clear(.init(cluster: "target", table: nil, reason: "compared", by: "me"))
            var change = ConfigurationChange(by: "me")
            change.validationPercentage = 5
            _ = try await bench.control.apply(change)
            let audit = await bench.control.audit(max: 10)
            #expect(audit.records.map(\.action) == [.configuration, .dirtyClear])
            #expect(audit.records.first?.what == "validation_percentage 5.0")
            #expect(audit.records.last?.reason == "compared")
            #expect(audit.total == 2)
        }
    }
}

extension DualWriterStatus.Leg {
    /// Makes it owe writes, the oldest for two seconds.
    fileprivate mutating func owes(_ writes: Int) {
        self.shadowWritesQueued = writes
        self.shadowOldestMilliseconds = 2_000
    }
}
