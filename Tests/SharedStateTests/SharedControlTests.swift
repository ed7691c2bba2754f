import CQLProtocol
import DualWriteCore
import EmbeddedNode
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import SharedState

/// Several replicas with their own loops of rounds, between two embedded nodes.
struct SharedControlTests {
    /// A proxy that notes what it is told.
    final class NotingTaker: StageTaker, ReplicaMemory {
        let stages = Mutex<[ModeStage]>([])
        let kept = Mutex(Replica.Kept())
        let refusal = Mutex<String?>(nil)
        let isInPart = Mutex(false)

        func refusal(of proposal: Proposal) async -> String? { self.refusal.withLock { $0 } }
        func apply(_ record: SharedRecord) async throws {
            self.stages.withLock { if $0.last != record.stage { $0.append(record.stage) } }
        }
        func mayAct(until moment: NIODeadline, inPart: Bool) async { self.isInPart.withLock { $0 = inPart } }
        func owed() async -> PerCluster<Int64> { PerCluster(both: 0) }
        func keep(_ kept: Replica.Kept) throws { self.kept.withLock { $0 = kept } }
    }

    private static var times: Replica.Times {
        var times = Replica.Times()
        times.lifeMilliseconds = 4_000
        times.deadlineMilliseconds = 12_000
        times.joinMilliseconds = 1_000
        return times
    }

    private static var pace: SharedControl.Pace {
        var pace = SharedControl.Pace()
        pace.poll = .milliseconds(200)
        pace.busy = .milliseconds(20)
        return pace
    }

    private static func registers(_ nodes: [Cluster: EmbeddedNode]) async -> [Cluster: ClusterRegister] {
        let registers = nodes.mapValues { ClusterRegisterTests.register($0) }
        for register in registers.values { await register.start() }
        return registers
    }

    private static func control(
        _ id: String,
        _ registers: [Cluster: ClusterRegister],
        _ taker: NotingTaker,
        initial: ModeStage = .primaryOnly
    ) -> SharedControl {
        var logger = Logger(label: "control")
        logger.logLevel = .critical
        let replica = Replica(
            id: id,
            initial: TableModes(initial, .none),
            kept: taker.kept.withLock { $0 },
            times: Self.times
        )
        return SharedControl(
            replica,
            times: Self.times,
            address: id,
            registers: registers,
            memory: taker,
            pace: Self.pace,
            logger: logger
        )
    }

    private static func withNodes(_ body: ([Cluster: EmbeddedNode]) async throws -> Void) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let nodes = [
            Cluster.source: try await EmbeddedNode.start(on: group, configuration: EmbeddedNodeConfiguration()),
            Cluster.target: try await EmbeddedNode.start(on: group, configuration: EmbeddedNodeConfiguration()),
        ]
        let result: Result<Void, any Error>
        do {
            try await body(nodes)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        for node in nodes.values { await node.stop() }
        try result.get()
    }

    @Test func `three replicas go where one of them is told to, and a new one joins them there`() async throws {
        try await Self.withNodes { nodes in
            let registers = await Self.registers(nodes)
            let takers = (0..<3).map { _ in NotingTaker() }
            let controls = takers.indices.map { Self.control("r\($0)", registers, takers[$0]) }
            for control in controls { #expect(try await control.join(isPatient: true)?.stage == .primaryOnly) }
            let running = zip(controls, takers).map { control, taker in Task { await control.run(taker) } }
            try await ClusterRegisterTests.eventually { controls[1].latest.replicas.live.count == 3 }
            for stage in [ModeStage.dualWriteAsync, .dualWriteSync, .readsFirst] {
                let outcome = await controls[1].change(to: .stage(stage), by: "test", reason: nil, force: false)
                guard case .done(let record, laggards: []) = outcome else {
                    Issue.record("\(stage): \(outcome)")
                    break
                }
                #expect(record.stage == stage)
            }
            for taker in takers {
                #expect(taker.stages.withLock { $0 }.suffix(3) == [.dualWriteAsync, .dualWriteSync, .readsFirst])
            }
            let late = NotingTaker()
            let newcomer = Self.control("r9", registers, late, initial: .targetOnly)
            #expect(try await newcomer.join(isPatient: true)?.epoch == 3)
            takers[0].refusal.withLock { $0 = "writes are owed" }
            let refused = await controls[2].change(to: .stage(.shadowPrimary), by: "test", reason: nil, force: false)
            #expect(refused == .refused("r0 cannot go there: writes are owed"))
            for task in running { task.cancel() }
            for task in running { await task.value }
            // Who stops in order is not waited for.
            let left = try await registers[.source]?.read(isSerial: false).entries.map(\.id)
            #expect(left == ["r9"])
            for register in registers.values { await register.stop() }
        }
    }

    @Test func `a replica that hears nothing of the others is told to act for some tables alone`() async throws {
        try await Self.withNodes { nodes in
            let registers = await Self.registers(nodes)
            let (taker, other) = (NotingTaker(), NotingTaker())
            let controls = [("r0", taker), ("r1", other)].map {
                Self.control($0.0, registers, $0.1, initial: .dualWriteSync)
            }
            for control in controls { _ = try await control.join(isPatient: true) }
            let running = zip(controls, [taker, other]).map { control, taker in Task { await control.run(taker) } }
            try await ClusterRegisterTests.eventually { controls[0].latest.replicas.live.count == 2 }
            let overrides = try ModeOverrides([try ModeOverride(parsing: "app.log=DualWriteAsync")])
            var outcome = await controls[0].change(
                to: .overrides(overrides, of: 0),
                by: "test",
                reason: nil,
                force: false
            )
            let lower = try ModeOverrides([try ModeOverride(parsing: "app.log=PrimaryOnly")])
            outcome = await controls[0].change(to: .overrides(lower, of: 1), by: "test", reason: nil, force: false)
            guard case .done(let record, laggards: []) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(record.modes == TableModes(.dualWriteSync, lower) && record.epoch == 2)
            #expect(taker.isInPart.withLock { $0 } == false)
            for register in registers.values { await register.stop() }
            try await ClusterRegisterTests.eventually { taker.isInPart.withLock { $0 } }
            #expect(controls[0].latest.lapse?.contains("PrimaryOnly may be in force") == true)
            for task in running { task.cancel() }
            for task in running { await task.value }
        }
    }

    @Test func `a replica that can read nothing goes on with what it has kept`() async throws {
        let taker = NotingTaker()
        let change = StageChange(id: .random(), by: "test", reason: nil, forced: false, at: 0)
        let record = SharedRecord(epoch: 5, stage: .dualWriteSync, change: change)
        taker.kept.withLock { $0 = Replica.Kept(record: record) }
        try await Self.withNodes { nodes in
            // Nobody has started them.
            let control = Self.control("r0", nodes.mapValues { ClusterRegisterTests.register($0) }, taker)
            let joined = try await control.join(isPatient: false)
            #expect(joined == record)
            let fresh = Self.control("r1", nodes.mapValues { ClusterRegisterTests.register($0) }, NotingTaker())
            let nowhere = try await fresh.join(isPatient: false)
            #expect(nowhere == nil)
        }
    }
}
