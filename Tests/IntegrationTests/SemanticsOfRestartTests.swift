import CQLProtocol
import DualWriteCore
import DualWriter
import EmbeddedNode
import NIOCore
import TestSupport
import Testing

/// The rows of docs/semantics.md about the end of a sidecar and changes of the mode; each test has the name of its row.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct SemanticsOfRestartTests {
    private static let insert = "INSERT INTO one.t (p, v) VALUES ('k', 'v')"
    private static let copying: [WriteMode] = [.dualWriteAsync, .shadowPrimary]

    /// Has a sidecar killed while it writes, and shows what the next one makes of it.
    private static func killed(
        _ mode: WriteMode,
        while text: String,
        _ faults: (Scene) -> Void,
        isTime: @escaping (Scene) async throws -> Bool,
        then body: (Scene) async throws -> Void
    ) async throws {
        try await JournalHarness.run { harness in
            for cluster in Cluster.allCases {
                try await harness.client(of: cluster) { client in
                    for table in Scene.tables { _ = try await client.ask(query(table)) }
                }
            }
            var left: TemporaryFolder?
            try await Scene.run(mode, harness) {
                $0.timeouts.drainMilliseconds = 1
            } _: { scene in
                faults(scene)
                async let answer = scene.client.ask(query(text))
                try await eventually { try await isTime(scene) }
                left = try harness.folder.copy()
                await scene.client.close()
                _ = try? await answer
            }
            let folder = try #require(left)
            for cluster in Cluster.allCases { harness.node(cluster).setFaults([]) }
            try await Scene.run(mode, harness, in: folder) { scene in
                try await scene.settled()
                try await body(scene)
            }
        }
    }

    @Test(arguments: copying)
    func `what was acknowledged before a kill is delivered by the next sidecar`(mode: WriteMode) async throws {
        try await Self.killed(mode, while: Self.insert) { scene in
            scene.fault(scene.shadow, .drop, on: "INSERT")
        } isTime: { scene in
            await scene.proxy.status().leg(scene.shadow)?.shadowWritesQueued == 1 && scene.client.unasked.isEmpty
        } then: { scene in
            try await scene.expectEqual()
            #expect(scene.doubts == [])
        }
    }

    @Test(arguments: copying)
    func `a plain write under way at a kill ends on both clusters`(mode: WriteMode) async throws {
        try await Self.killed(mode, while: Self.insert) { scene in
            scene.fault(scene.primary, .drop, on: "INSERT")
        } isTime: { scene in
            await scene.proxy.status().leg(scene.shadow)?.shadowWritesQueued == 1
        } then: { scene in
            try await scene.expectEqual()
            #expect(scene.doubts == [])
        }
    }

    @Test(arguments: copying)
    func `a counter under way at a kill comes once at most and is in doubt`(mode: WriteMode) async throws {
        try await Self.killed(mode, while: "UPDATE one.n SET n = n + 1 WHERE p = 'k'") { scene in
            scene.fault(scene.primary, .dropAnswer, on: "UPDATE")
        } isTime: { scene in
            try await scene.counter(scene.primary) == 1
        } then: { scene in
            let counts = (try await scene.counter(scene.primary), try await scene.counter(scene.shadow))
            #expect(counts == (1, nil))
            #expect(scene.doubts == [.restart])
        }
    }

    @Test(arguments: copying)
    func `a counter on its way to the shadow at a kill is not repeated and is in doubt`(mode: WriteMode) async throws {
        try await Self.killed(mode, while: "UPDATE one.n SET n = n + 1 WHERE p = 'k'") { scene in
            scene.fault(scene.shadow, .dropAnswer, on: "UPDATE")
        } isTime: { scene in
            try await scene.counter(scene.shadow) == 1
        } then: { scene in
            let counts = (try await scene.counter(scene.primary), try await scene.counter(scene.shadow))
            #expect(counts == (1, 1))
            #expect(scene.doubts == [.shadowUnknown])
        }
    }

    @Test(arguments: copying)
    func `a conditional write under way at a kill is in doubt`(mode: WriteMode) async throws {
        try await Self.killed(mode, while: Self.insert + " IF NOT EXISTS") { scene in
            scene.fault(scene.primary, .dropAnswer, on: "INSERT")
        } isTime: { scene in
            try await scene.isThere(scene.primary)
        } then: { scene in
            let isThere = try await scene.isThere(scene.shadow)
            #expect(!isThere && scene.doubts == [.restart])
        }
    }

    @Test(arguments: copying)
    func `TRUNCATE under way at a kill is not repeated, and the table is in doubt`(mode: WriteMode) async throws {
        try await Self.killed(mode, while: "TRUNCATE one.t") { scene in
            scene.fault(scene.primary, .dropAnswer, on: "TRUNCATE")
        } isTime: { scene in
            await scene.proxy.status().leg(scene.shadow)?.shadowWritesQueued == 1
        } then: { scene in
            #expect(scene.doubts == [.restart])
            #expect(scene.proxy.dirtyPartitions(max: 10).first?.place.table == "t")
        }
    }

    // MARK: Modes

    @Test func `a step back loses nothing although the source was away`() async throws {
        try await Scene.run(.shadowPrimary, silent: .shadow) { scene in
            scene.fault(.source, .drop, on: "INSERT")
            for key in 0..<30 { _ = try await scene.write("INSERT INTO one.t (p, v) VALUES ('\(key)', 'v')") }
            await #expect(throws: DualWriterError.self) { try await scene.proxy.setMode(.dualWriteSync) }
            scene.heal()
            try await scene.settled()
            try await scene.proxy.setMode(.dualWriteSync)
            try await scene.expectEqual()
            #expect(try await scene.texts(.source).count == 30)
        }
    }

    @Test func `a cluster that lacks acknowledged writes becomes primary by force only`() async throws {
        try await Scene.run(.dualWriteSync) {
            $0.policy.syncFailure = .degrade
        } _: { scene in
            scene.fault(.target, .error(ErrorMessage(.invalid, "no")), on: "INSERT", times: 2)
            _ = try await scene.write(Self.insert)
            try await scene.settled()
            await #expect(throws: DualWriterError.self) { try await scene.proxy.setMode(.shadowPrimary) }
            #expect(try await scene.proxy.discardDeadLetters(of: .target, ids: nil) == 1)
            #expect(scene.doubts == [.discarded])
            await #expect(throws: DualWriterError.self) { try await scene.proxy.setMode(.shadowPrimary) }
            #expect(scene.proxy.clearDirtyPartitions(of: .target, table: nil) == 1)
            try await scene.proxy.setMode(.shadowPrimary)
        }
    }
}
