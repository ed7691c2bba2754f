import CQLProtocol
import DualWriteCore
import NIOCore
import Testing

@testable import SharedState

/// Whether a replica may act although it may have been passed over. Times are seconds.
struct LeaseTests {
    private static func record(_ stage: ModeStage, _ epoch: Int64 = 3) -> SharedRecord {
        let change = StageChange(id: .random(), by: "test", reason: nil, forced: false, at: 0)
        return SharedRecord(epoch: epoch, stage: stage, change: change)
    }

    private static func at(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }

    private static func entry(_ id: String) -> ReplicaEntry { ReplicaEntry(id: id, address: id, applied: 3, at: 1) }

    /// What a replica has read of both clusters.
    private static func read(_ others: String...) -> RoundView {
        RoundView(source: .read(nil, (["me"] + others).map(Self.entry)), target: .read(nil, []))
    }

    private static let deaf = RoundView(source: .unreadable("no answer"), target: .unreadable("no answer"))

    private static func round(
        _ began: Int64,
        heard: Bool = true,
        _ view: RoundView,
        _ stage: ModeStage = .primaryOnly,
        applied: Int64? = 3,
        refusing: Set<Cluster> = []
    ) -> Lease.Round {
        Lease.Round(
            began: Self.at(began),
            heard: heard ? Self.at(began) : nil,
            view: view,
            refusing: refusing,
            record: Self.record(stage),
            applied: applied,
            fault: nil
        )
    }

    /// 15 s of life, so nobody is passed over for 12 s.
    private static func lease() -> Lease { Lease(id: "me", times: Replica.Times()) }

    private static func holds(_ verdict: Lease.Verdict) -> Bool { if case .holds = verdict { true } else { false } }

    @Test func `who was heard may act for four fifths of its life, by the moment at which it spoke`() {
        var lease = Self.lease()
        #expect(lease.judge(Self.round(100, Self.read("a")), now: Self.at(101)) == .holds(until: Self.at(112)))
        // It cannot read, but is heard: the others wait for it.
        #expect(lease.judge(Self.round(105, Self.deaf), now: Self.at(106)) == .holds(until: Self.at(117)))
        // What it has said before still counts.
        #expect(lease.judge(Self.round(108, heard: false, Self.deaf), now: Self.at(109)) == .holds(until: Self.at(117)))
    }

    @Test func `who stood still acts again when it has read what is decided, and has come to it`() {
        var lease = Self.lease()
        _ = lease.judge(Self.round(100, Self.read("a")), now: Self.at(100))
        // It is heard again, but has not read anything since.
        #expect(!Self.holds(lease.judge(Self.round(200, Self.deaf), now: Self.at(200))))
        let behind = Self.round(201, Self.read("a"), .targetOnly, applied: 2)
        guard case .lapsed(let reason) = lease.judge(behind, now: Self.at(201)) else {
            Issue.record("it acts in an epoch that was left")
            return
        }
        #expect(reason.contains("TargetOnly is in force"))
        #expect(Self.holds(lease.judge(Self.round(202, Self.read("a")), now: Self.at(202))))
    }

    @Test(arguments: ModeStage.allCases)
    func `who hears nothing stops where the other cluster would lack what it acknowledges`(_ stage: ModeStage) {
        var lease = Self.lease()
        _ = lease.judge(Self.round(100, Self.read("a"), stage), now: Self.at(100))
        let verdict = lease.judge(Self.round(113, heard: false, Self.deaf, stage), now: Self.at(113))
        #expect(Self.holds(verdict) == (stage.mode.shadow != nil))
    }

    @Test func `who hears nothing acts for the tables that are written to both clusters, and for no others`() throws {
        func verdict(_ stage: ModeStage, _ texts: String...) throws -> Lease.Verdict {
            var lease = Self.lease()
            let overrides = try ModeOverrides(texts.map { try ModeOverride(parsing: $0) })
            let change = StageChange(id: .random(), by: "test", reason: nil, forced: false, at: 0)
            let record = SharedRecord(epoch: 3, modes: TableModes(stage, overrides), change: change)
            var round = Self.round(100, Self.read("a"))
            round.record = record
            _ = lease.judge(round, now: Self.at(100))
            round = Self.round(113, heard: false, Self.deaf)
            round.record = record
            return lease.judge(round, now: Self.at(113))
        }
        for (stage, text) in [(ModeStage.dualWriteSync, "app.log=0"), (.primaryOnly, "app.canary=1")] {
            guard case .holdsInPart(let moment, let reason) = try verdict(stage, text) else {
                Issue.record("\(stage) with \(text)")
                continue
            }
            #expect(moment == Self.at(125) && reason.contains("PrimaryOnly may be in force"))
        }
        #expect(Self.holds(try verdict(.dualWriteAsync, "app.canary=ReadsFirst", "app.u=3")))
        guard case .lapsed(let reason) = try verdict(.targetOnly, "app.log=0") else {
            Issue.record("it acts although no table is written to both clusters")
            return
        }
        #expect(reason.contains("TargetOnly and PrimaryOnly may be in force"))
    }

    @Test func `who is alone, or hears that the clusters refuse, goes on`() {
        var alone = Self.lease()
        _ = alone.judge(Self.round(100, Self.read()), now: Self.at(100))
        #expect(Self.holds(alone.judge(Self.round(200, heard: false, Self.deaf), now: Self.at(200))))
        var refused = Self.lease()
        _ = refused.judge(Self.round(100, Self.read("a")), now: Self.at(100))
        let both = Self.round(200, heard: false, Self.deaf, refusing: [.source, .target])
        #expect(Self.holds(refused.judge(both, now: Self.at(200))))
        let one = Self.round(201, heard: false, Self.deaf, refusing: [.source])
        #expect(!Self.holds(refused.judge(one, now: Self.at(201))))
    }

    @Test func `who began with what it has kept, and has never heard anything, does not act in a mode of one cluster`()
    {
        var lease = Self.lease()
        #expect(!Self.holds(lease.judge(Self.round(5, heard: false, Self.deaf), now: Self.at(5))))
        #expect(Self.holds(lease.judge(Self.round(6, heard: false, Self.deaf, .dualWriteAsync), now: Self.at(6))))
    }
}
