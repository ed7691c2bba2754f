import CQLProtocol
import DualWriteCore
import DualWriter
import EmbeddedNode
import NIOCore
import Testing

/// The rows of docs/semantics.md; each test has the name of its row.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct SemanticsTests {
    private static let copying: [WriteMode] = [.dualWriteAsync, .shadowPrimary]
    private static let insert = "INSERT INTO one.t (p, v) VALUES ('k', 'v')"
    private static let add = "UPDATE one.n SET n = n + 1 WHERE p = 'k'"
    private static let unavailable = ErrorMessage(
        .unavailable,
        "Cannot achieve consistency level ONE",
        details: .unavailable(consistency: .one, required: 1, alive: 0)
    )

    // MARK: All goes well

    @Test(arguments: copying) func `a plain write reaches both clusters under one timestamp`(mode: WriteMode)
        async throws
    {
        try await Scene.run(mode) { scene in
            let answer = try await scene.write(Self.insert)
            #expect(answer == .done)
            try await scene.expectEqual()
            #expect(scene.doubts == [])
        }
    }

    @Test(arguments: copying) func `a batch reaches both clusters under one timestamp`(mode: WriteMode) async throws {
        try await Scene.run(mode) { scene in
            let other = "INSERT INTO one.t (p, v) VALUES ('other', 'v')"
            let answer = try await scene.write("BEGIN BATCH \(Self.insert); \(other) APPLY BATCH")
            #expect(answer == .done)
            let batch = Batch(children: [
                .init(.text("DELETE FROM one.t WHERE p = 'other'")), .init(.text(Self.insert)),
            ])
            #expect(try await scene.client.ask(.batch(batch)) == .result(.void))
            try await scene.expectEqual()
            #expect(try await scene.texts(scene.shadow).count == 1)
        }
    }

    @Test(arguments: copying)
    func `an applied conditional write reaches the shadow without its condition`(mode: WriteMode) async throws {
        try await Scene.run(mode) { scene in
            let first = try await scene.write(Self.insert + " IF NOT EXISTS")
            let second = try await scene.write("UPDATE one.t SET v = 'w' WHERE p = 'k' IF v = 'v'")
            #expect(first == .applied(true) && second == .applied(true))
            try await scene.expectEqual("SELECT p, v FROM one.t")
            #expect(scene.doubts == [.conditional])
        }
    }

    @Test(arguments: copying)
    func `a conditional write that was not applied does not reach the shadow`(mode: WriteMode) async throws {
        try await Scene.run(mode) { scene in
            let answer = try await scene.write("UPDATE one.t SET v = 'w' WHERE p = 'k' IF v = 'x'")
            #expect(answer == .applied(false))
            try await scene.settled()
            let isThere = try await scene.isThere(scene.shadow)
            #expect(!isThere && scene.doubts == [])
        }
    }

    @Test(arguments: copying) func `a counter is added to once on each cluster`(mode: WriteMode) async throws {
        try await Scene.run(mode) { scene in
            for _ in 0..<3 { _ = try await scene.write(Self.add) }
            try await scene.settled()
            let counts = (try await scene.counter(.source), try await scene.counter(.target))
            #expect(counts == (3, 3) && scene.doubts == [])
        }
    }

    @Test(arguments: copying) func `a list is appended to once on each cluster, in order`(mode: WriteMode) async throws
    {
        try await Scene.run(mode) { scene in
            for item in 0..<20 { _ = try await scene.write("UPDATE one.l SET l = l + ['\(item)'] WHERE p = 'k'") }
            try await scene.expectEqual("SELECT l FROM one.l")
        }
    }

    @Test(arguments: copying)
    func `TRUNCATE reaches the shadow behind what was acknowledged before it`(mode: WriteMode) async throws {
        try await Scene.run(mode) { scene in
            scene.fault(scene.shadow, .delay(.milliseconds(60)), on: "INSERT")
            _ = try await scene.write(Self.insert)
            let answer = try await scene.write("TRUNCATE one.t")
            #expect(answer == .done)
            try await scene.settled()
            let isThere = try await scene.isThere(scene.shadow)
            #expect(!isThere)
        }
    }

    @Test(arguments: copying)
    func `a schema change is on both clusters before the client hears of it`(mode: WriteMode) async throws {
        try await Scene.run(mode) { scene in
            guard case .result(.schemaChange) = try await scene.client.ask(query("ALTER TABLE one.t ADD w int")) else {
                Issue.record("no schema change")
                return
            }
            for cluster in Cluster.allCases {
                let answer = try await scene.harness.client(of: cluster) {
                    try await $0.ask(query("SELECT w FROM one.t"))
                }
                guard case .result = answer else {
                    Issue.record("\(cluster): \(answer)")
                    continue
                }
            }
        }
    }

    @Test(arguments: copying) func `a read is answered by the primary alone`(mode: WriteMode) async throws {
        try await Scene.run(mode) { scene in
            scene.fault(scene.shadow, .drop, on: "SELECT")
            guard case .result(.rows) = try await scene.client.ask(query("SELECT v FROM one.t")) else {
                Issue.record("no rows")
                return
            }
        }
    }

    @Test(arguments: copying)
    func `a write to the server's own tables stays on the primary`(mode: WriteMode) async throws {
        try await Scene.run(mode) { scene in
            _ = try await scene.client.ask(query("INSERT INTO system.local (key) VALUES ('nobody')"))
            try await scene.settled()
            let counters = await scene.proxy.status().counters[scene.shadow]
            #expect(counters.shadowQueued == 0)
        }
    }

    @Test(arguments: [WriteMode.primaryOnly, .targetOnly])
    func `with one cluster everything is there, under the sidecar's timestamps`(mode: WriteMode) async throws {
        try await Scene.run(mode) { scene in
            let answer = try await scene.write(Self.insert)
            #expect(answer == .done)
            let there = try await scene.isThere(scene.primary)
            let elsewhere = try await scene.isThere(scene.primary.other)
            #expect(there && !elsewhere)
        }
    }

    // MARK: The primary fails

    @Test(arguments: copying) func `what the primary refuses reaches nobody`(mode: WriteMode) async throws {
        try await Scene.run(mode) { scene in
            scene.fault(scene.primary, .error(Self.unavailable), on: "INSERT")
            let answer = try await scene.write(Self.insert)
            #expect(answer == .error(.unavailable))
            try await scene.settled()
            let isThere = try await scene.isThere(scene.shadow)
            #expect(!isThere && scene.doubts == [])
        }
    }

    @Test(arguments: copying)
    func `a plain write without an answer is an error, reaches the shadow and is in doubt`(mode: WriteMode) async throws
    {
        try await Scene.run(mode, silent: .primary) { scene in
            scene.fault(scene.primary, .dropAnswer, on: "INSERT")
            let answer = try await scene.write(Self.insert)
            #expect(answer == .error(.writeTimeout))
            try await scene.expectEqual()
            #expect(scene.doubts == [.primaryUnknown])
        }
    }

    @Test(arguments: copying)
    func `a counter without an answer is an error, reaches the shadow once and is in doubt`(mode: WriteMode)
        async throws
    {
        try await Scene.run(mode, silent: .primary) { scene in
            scene.fault(scene.primary, .dropAnswer, on: "UPDATE")
            let answer = try await scene.write(Self.add)
            #expect(answer == .error(.writeTimeout))
            try await scene.settled()
            let count = try await scene.counter(scene.shadow)
            #expect(count == 1)
            #expect(scene.doubts == [.primaryUnknown])
        }
    }

    @Test(arguments: copying)
    func `a conditional write without an answer is an error, reaches nobody else and is in doubt`(
        mode: WriteMode
    ) async throws {
        try await Scene.run(mode, silent: .primary) { scene in
            scene.fault(scene.primary, .dropAnswer, on: "INSERT")
            let answer = try await scene.write(Self.insert + " IF NOT EXISTS")
            #expect(answer == .error(.writeTimeout))
            try await scene.settled()
            let isThere = try await scene.isThere(scene.shadow)
            #expect(!isThere && scene.doubts == [.primaryUnknown])
        }
    }

    // MARK: The shadow fails

    @Test(arguments: copying) func `a shadow that is away gets all when it is back`(mode: WriteMode) async throws {
        try await Scene.run(mode) { scene in
            scene.fault(scene.shadow, .close, on: "INSERT")
            let answer = try await scene.write(Self.insert)
            #expect(answer == .done)
            scene.heal()
            try await scene.expectEqual()
            #expect(scene.doubts == [])
        }
    }

    @Test(arguments: copying)
    func `a silent shadow gets a plain write until it has confirmed it`(mode: WriteMode) async throws {
        try await Scene.run(mode, silent: .shadow) { scene in
            // It does what it is told, and nobody hears of it.
            scene.fault(scene.shadow, .dropAnswer, on: "INSERT", times: 3)
            let answer = try await scene.write(Self.insert)
            #expect(answer == .done)
            try await scene.expectEqual()
            #expect(scene.doubts == [])
        }
    }

    @Test(arguments: copying)
    func `a counter that the shadow has not confirmed is not repeated and is in doubt`(mode: WriteMode) async throws {
        try await Scene.run(mode, silent: .shadow) { scene in
            scene.fault(scene.shadow, .dropAnswer, on: "UPDATE", times: 1)
            let answer = try await scene.write(Self.add)
            #expect(answer == .done)
            try await scene.settled()
            let count = try await scene.counter(scene.shadow)
            #expect(count == 1 && scene.doubts == [.shadowUnknown])
        }
    }

    @Test(arguments: copying)
    func `what the shadow refuses for good is a dead letter and holds nothing up`(mode: WriteMode) async throws {
        try await Scene.run(mode) { scene in
            scene.fault(scene.shadow, .error(ErrorMessage(.invalid, "unconfigured table t")), on: "INSERT", times: 1)
            let first = try await scene.write(Self.insert)
            let second = try await scene.write("INSERT INTO one.t (p, v) VALUES ('next', 'v')")
            #expect(first == .done && second == .done)
            try await scene.settled()
            let (there, next) = (try await scene.isThere(scene.shadow), try await scene.isThere(scene.shadow, "next"))
            #expect(!there && next)
            #expect(scene.proxy.deadLetters(max: 10).map(\.reason) == ["unconfigured table t"])
        }
    }

    // MARK: DualWriteSync

    @Test func `DualWriteSync: both have a plain write before the client hears of it`() async throws {
        try await Scene.run(.dualWriteSync) { scene in
            let answer = try await scene.write(Self.insert)
            #expect(answer == .done)
            let (source, target) = (try await scene.texts(.source), try await scene.texts(.target))
            #expect(source == target && source.count == 1)
        }
    }

    @Test func `DualWriteSync: an applied conditional write is on both before the client hears of it`() async throws {
        try await Scene.run(.dualWriteSync) { scene in
            let answer = try await scene.write(Self.insert + " IF NOT EXISTS")
            let isThere = try await scene.isThere(.target)
            #expect(answer == .applied(true) && isThere)
        }
    }

    @Test func `DualWriteSync: a silent shadow is a timeout to the client and gets the write later`() async throws {
        try await Scene.run(.dualWriteSync, silent: .both) { scene in
            scene.fault(.target, .drop, on: "INSERT")
            let answer = try await scene.write(Self.insert)
            #expect(answer == .error(.writeTimeout))
            scene.heal()
            try await scene.expectEqual()
        }
    }

    @Test func `DualWriteSync: with degrade the client hears of the primary's success and the shadow gets it later`()
        async throws
    {
        try await Scene.run(.dualWriteSync, silent: .both) {
            $0.policy.syncFailure = .degrade
        } _: { scene in
            scene.fault(.target, .drop, on: "INSERT")
            let answer = try await scene.write(Self.insert)
            #expect(answer == .done)
            scene.heal()
            try await scene.expectEqual()
        }
    }

    @Test func `DualWriteSync: what the primary refuses and the shadow has is an error and in doubt`() async throws {
        try await Scene.run(.dualWriteSync) { scene in
            scene.fault(.source, .error(Self.unavailable), on: "INSERT")
            let answer = try await scene.write(Self.insert)
            // Not what the primary said: a driver would send it again, and the shadow would have it twice.
            #expect(answer == .error(.writeTimeout))
            try await scene.settled()
            #expect(scene.doubts == [.primaryRefused])
        }
    }

    @Test func `DualWriteSync: a plain write of which the primary says nothing ends on both`() async throws {
        try await Scene.run(.dualWriteSync, silent: .primary) { scene in
            scene.fault(.source, .drop, on: "INSERT", times: 1)
            let answer = try await scene.write(Self.insert)
            #expect(answer == .error(.writeTimeout))
            try await scene.expectEqual()
            #expect(scene.doubts == [])
        }
    }

    @Test func `DualWriteSync: a counter that one cluster has not confirmed is not repeated and is in doubt`()
        async throws
    {
        for cluster in Cluster.allCases {
            try await Scene.run(.dualWriteSync, silent: .primary) { scene in
                scene.fault(cluster, .dropAnswer, on: "UPDATE")
                let answer = try await scene.write(Self.add)
                #expect(answer == .error(.writeTimeout))
                try await scene.settled()
                let counts = (try await scene.counter(.source), try await scene.counter(.target))
                #expect(counts == (1, 1))
                #expect(scene.doubts == [cluster == .source ? .primaryUnknown : .shadowUnknown])
            }
        }
    }
}
