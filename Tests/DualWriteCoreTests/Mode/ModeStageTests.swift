import CQLSyntax
import DualWriteCore
import Testing

struct ModeStageTests {
    @Test func `each mode has a stage, and one more lies between the joined writes and the other primary`() {
        #expect(WriteMode.allCases.allSatisfy { ModeStage($0).mode == $0 })
        #expect(ModeStage.allCases.map(\.mode.rawValue) == [0, 1, 2, 2, 3, 4])
        #expect(ModeStage.allCases.allSatisfy { ModeStage(name: $0.name) == $0 })
        #expect(ModeStage(name: "Sideways") == nil)
    }

    @Test func `the way forward and back goes through the stage in which reads are ahead`() {
        func way(_ from: WriteMode, _ to: WriteMode) -> [ModeStage] {
            var (stage, way) = (ModeStage(from), [ModeStage]())
            while let next = stage.next(toward: to) {
                way.append(next)
                stage = next
            }
            return way
        }
        #expect(way(.dualWriteSync, .shadowPrimary) == [.readsFirst, .shadowPrimary])
        #expect(way(.shadowPrimary, .dualWriteSync) == [.readsFirst, .dualWriteSync])
        #expect(way(.primaryOnly, .dualWriteAsync) == [.dualWriteAsync])
        #expect(way(.targetOnly, .shadowPrimary) == [.shadowPrimary])
        #expect(way(.dualWriteSync, .dualWriteSync) == [])
        #expect(ModeStage.readsFirst.next(toward: .dualWriteSync) == .dualWriteSync)
        #expect(ModeStage.readsFirst.distance(to: .dualWriteAsync) == 2)
    }

    @Test func `with reads ahead only applications' reads go to the target`() {
        let policy = StatementPolicy()
        for kind in RequestKind.allCases {
            let plan = RoutePlan(kind: kind, stage: .readsFirst, policy: policy)
            if kind == .read {
                #expect(plan == .single(.target))
            } else {
                #expect(plan == RoutePlan(kind: kind, mode: .dualWriteSync, policy: policy))
            }
        }
    }

    /// What one replica acknowledges, another one that is a stage ahead or behind must read.
    @Test func `replicas one stage apart read what the others have acknowledged`() {
        let policy = StatementPolicy()
        for stage in ModeStage.allCases {
            let plan = RoutePlan(kind: .plainWrite, stage: stage, policy: policy)
            let acknowledgedOn: Set<Cluster> =
                switch plan {
                case .single(let cluster), .ship(let cluster, _): [cluster]
                case .join: [.source, .target]
                case .proxy, .sequence, .refuse: []
                }
            for other in ModeStage.allCases where stage.distance(to: other) <= 1 {
                #expect(acknowledgedOn.contains(other.reads), "\(stage) beside \(other)")
            }
        }
    }
}
