import DualWriteCore
import SharedState
import TestSupport
import Testing

/// The agreement under crashes, lost and late requests, partitions and other clocks: each history comes from its seed.
struct AgreementSimulationTests {
    private static func history(
        _ seed: UInt64,
        force: Bool = false,
        tables: SimulatedTables? = nil
    ) async throws -> SimulatedWorld {
        let world = SimulatedWorld(seed: seed, replicas: 2 + Int(seed % 3))
        world.usesForce = force
        world.tables = tables
        try world.run(for: 15_000)
        var chaos = SeededRandom(seed: seed ^ 0x5eed)
        for _ in 0..<60 {
            if chaos.percent(40) { world.disturb() }
            if chaos.percent(60) { world.wish() }
            try world.run(for: Int64(chaos.number(200...12_000)))
            // Others are waiting for answers meanwhile.
            await Task.yield()
        }
        world.heal()
        for _ in 0..<18 {
            try world.run(for: 10_000)
            await Task.yield()
        }
        if let disagreement = world.disagreement {
            throw SimulatedWorld.Finding(description: "after everything is mended: \(disagreement)")
        }
        return world
    }

    @Test(arguments: 0..<8)
    func `an epoch has one meaning, live replicas are one stage apart at most, and all come to what is decided`(
        _ part: UInt64
    ) async throws {
        var (decided, alone) = (0, 0)
        for seed in part * 15..<(part + 1) * 15 {
            do {
                let world = try await Self.history(seed)
                decided += world.decided
                alone += world.decidedWithOneCluster
            } catch {
                Issue.record("seed \(seed): \(error)")
            }
        }
        // Nothing holds where nothing happens.
        #expect(decided > 15 * 3)
        #expect(alone > 0)
    }

    /// Applications write all the time, and each replica is asked what it would read after each thing that happens.
    @Test(arguments: 0..<4)
    func `whatever becomes of the modes of tables, no acknowledged write is unseen by a replica's read of any table`(
        _ part: UInt64
    ) async throws {
        var (decided, writes) = (0, 0)
        for seed in part * 10..<(part + 1) * 10 {
            do {
                let world = try await Self.history(seed ^ 0x7ab1e, tables: SimulatedTables())
                decided += world.decidedForTables
                writes += world.tables?.writes ?? 0
            } catch {
                Issue.record("seed \(seed): \(error)")
            }
        }
        #expect(decided > 10 * 2)
        #expect(writes > 10 * 100)
    }

    @Test(arguments: 0..<1)
    func `whatever is forced for tables on both sides of a partition, all have one list in the end`(
        _ part: UInt64
    ) async throws {
        for seed in part * 10..<(part + 1) * 10 {
            do {
                _ = try await Self.history(seed, force: true, tables: SimulatedTables())
            } catch {
                Issue.record("seed \(seed): \(error)")
            }
        }
    }

    private static func peaceful(_ seed: UInt64) throws -> SimulatedWorld {
        let world = SimulatedWorld(seed: seed, replicas: 3)
        world.calm()
        try world.run(for: 15_000)
        return world
    }

    private static func overrides(_ texts: String...) throws -> ModeOverrides {
        try ModeOverrides(texts.map { try ModeOverride(parsing: $0) })
    }

    @Test func `a list that was made of an older epoch changes nothing`() throws {
        let world = try Self.peaceful(19)
        let (one, other) = (world.replicas[0], world.replicas[1])
        world.order(one, .overrides(try Self.overrides("a.x=1"), of: 0))
        try world.run(for: 10_000)
        world.order(other, .overrides(try Self.overrides("b.x=1"), of: 0))
        try world.run(for: 10_000)
        guard case .refused(let reason)? = other.outcomes.last else {
            Issue.record("\(other.outcomes)")
            return
        }
        #expect(reason.contains("another change was decided first"))
        let lists = world.replicas.map { $0.acting?.modes.overrides }
        #expect(lists == Array(repeating: try Self.overrides("a.x=1"), count: 3))
    }

    @Test func `the sidecars' own step leaves the overrides as they are, and a table goes one stage at most`() throws {
        let world = try Self.peaceful(23)
        let list = try Self.overrides("a.x=0", "b.*=1")
        world.order(world.replicas[0], .overrides(list, of: 0))
        try world.run(for: 10_000)
        world.order(world.replicas[1], to: .dualWriteAsync)
        try world.run(for: 10_000)
        #expect(world.replicas.allSatisfy { $0.acting?.modes == TableModes(.dualWriteAsync, list) })
        // a.x would go from PrimaryOnly to ReadsFirst.
        let far = try list.setting(try ModeOverride(parsing: "a.x=ReadsFirst"))
        world.order(world.replicas[2], .overrides(far, of: 2))
        try world.run(for: 10_000)
        #expect(world.replicas[2].outcomes == [.refused("a.x cannot go from PrimaryOnly to ReadsFirst in one step")])
        #expect(world.disagreement == nil)
    }

    @Test(arguments: 0..<2)
    func `whatever is forced on both sides of a partition, all choose the same in the end`(_ part: UInt64) async throws
    {
        for seed in part * 15..<(part + 1) * 15 {
            do { _ = try await Self.history(seed, force: true) } catch { Issue.record("seed \(seed): \(error)") }
        }
    }

    @Test func `in peace every step is decided and followed, there and back`() throws {
        let world = SimulatedWorld(seed: 7, replicas: 3)
        world.calm()
        try world.run(for: 15_000)
        let stages = ModeStage.allCases
        for (index, stage) in (stages.dropFirst() + stages.dropLast().reversed()).enumerated() {
            let replica = world.replicas[index % 3]
            world.order(replica, to: stage)
            try world.run(for: 10_000)
            guard case .done(let record, let laggards)? = replica.outcomes.last else {
                Issue.record("\(stage): \(String(describing: replica.outcomes.last))")
                return
            }
            #expect(record.stage == stage)
            #expect(laggards == [])
            #expect(world.disagreement == nil)
        }
    }

    @Test func `a dead replica is waited for until its sign of life has faded, and no longer`() throws {
        let world = SimulatedWorld(seed: 11, replicas: 3)
        world.calm()
        try world.run(for: 15_000)
        world.kill(world.replicas[2])
        world.order(world.replicas[0], to: .dualWriteAsync)
        try world.run(for: 10_000)
        #expect(world.replicas[0].outcomes == [])
        try world.run(for: 10_000)
        guard case .done(let record, _)? = world.replicas[0].outcomes.last else {
            Issue.record("\(world.replicas[0].outcomes)")
            return
        }
        #expect(record.stage == .dualWriteAsync)
        world.start(world.replicas[2])
        try world.run(for: 15_000)
        #expect(world.replicas[2].acting == record)
    }

    @Test(arguments: Cluster.allCases)
    func `with one cluster down the others go on, and it learns of it later`(_ cluster: Cluster) throws {
        let world = SimulatedWorld(seed: 13, replicas: 3)
        world.calm()
        try world.run(for: 15_000)
        world.registers[cluster]?.isUp = false
        world.order(world.replicas[1], to: .dualWriteAsync)
        try world.run(for: 10_000)
        #expect(world.replicas.allSatisfy { $0.acting?.stage == .dualWriteAsync })
        #expect(world.registers[cluster]?.row?.record.stage == .primaryOnly)
        world.registers[cluster]?.isUp = true
        try world.run(for: 10_000)
        #expect(world.disagreement == nil)
    }
}
