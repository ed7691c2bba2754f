import CQLProtocol
import DualWriteCore
import FoundationEssentials
import NIOCore
import NIOPosix
import Operations
import TestSupport
import Testing

/// Tables with modes of their own on several replicas that share them, each a process that can be killed.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct ReplicaOverrideTests {
    /// Asks one replica for a mode of `shop.t`, nil for the sidecars', again and again until it is let.
    private static func bring(_ mode: String?, _ replica: ReplicaStage.Replica) async throws {
        var last = ""
        for _ in 0..<20 {
            let result =
                if let mode {
                    try await replica.command("phase", "override", "set", "shop.t", mode, "--reason", "a walk")
                } else {
                    try await replica.command("phase", "override", "remove", "shop.t", "--reason", "a walk")
                }
            if result.code == 0 { return }
            last = result.errors
            try await Task.sleep(for: .milliseconds(300))
        }
        Issue.record("\(mode ?? "none") never came: \(last)")
    }

    private static func lists(_ stage: ReplicaStage) async throws -> [[TableOverride]] {
        var lists: [[TableOverride]] = []
        for replica in stage.replicas {
            lists.append(try await replica.document(OverridesDocument.self, "phase", "override", "list").overrides)
        }
        return lists
    }

    @Test
    func
        `a table walks to the target and back under traffic while a replica is killed and restarted, and nothing is lost`()
        async throws
    {
        try await ReplicaStage.run { stage in
            let (victim, guides) = (stage.replicas[2], stage.replicas.prefix(2))
            let traffic = ReplicaTraffic(stage, rate: 300)
            let running = Task { await traffic.run() }
            try await traffic.advanced(by: 50)
            var copied = ContinuousClock.now
            let way = ["DualWriteAsync", "DualWriteSync", "ShadowPrimary", "DualWriteSync", "DualWriteAsync"]
            for (place, mode) in way.enumerated() {
                if mode == "ShadowPrimary" {
                    // It is dead while the change is on its way, and back before it has ended or not.
                    await victim.kill()
                    async let change: Void = Self.bring(mode, guides[place % 2])
                    try await traffic.advanced(by: 50)
                    try await victim.restart()
                    try await change
                } else {
                    try await Self.bring(mode, guides[place % 2])
                }
                if place == 0 { copied = .now }
                try await traffic.advanced(by: 100)
                _ = try await stage.settled()
                let wanted = [TableOverride(tables: "shop.t", mode: mode)]
                #expect(try await Self.lists(stage) == [wanted, wanted, wanted], "\(mode)")
            }
            let asked = ContinuousClock.now
            try await Self.bring(nil, guides[0])
            traffic.stop()
            await running.value

            let documents = try await stage.settled()
            // Two of the steps go by the stage in which reads are ahead.
            #expect(Set(documents.map(\.epoch)) == [8] && documents.allSatisfy { $0.stage == "PrimaryOnly" })
            #expect(documents.allSatisfy { $0.overrides == nil })
            let failures = traffic.failures.filter { $0.replica != victim.id }
            #expect(failures.isEmpty, "\(failures.count), the first: \(failures.prefix(5))")
            let missed = traffic.failures.filter { $0.description.contains("is not there") }
            #expect(missed.isEmpty, "\(missed.prefix(5))")

            let (source, target) = (try await stage.keys(of: .source), try await stage.keys(of: .target))
            let writes = traffic.writes
            let copies = writes.filter { $0.sent > copied && $0.answered < asked }
            #expect(copies.count > 300 && traffic.reads > 100)
            #expect(writes.allSatisfy { source.contains($0.key) })
            #expect(copies.allSatisfy { target.contains($0.key) })
        }
    }

    @Test func `one change counts for all replicas that are named, and each says what all have`() async throws {
        try await ReplicaStage.run { stage in
            let endpoints = stage.replicas.flatMap { ["--endpoint", $0.admin] }
            let words = ["phase", "override", "set", "shop.t", "DualWriteAsync", "--reason", "a canary"]
            let set = try await ChildProcess.run(words + endpoints)
            #expect(set.code == 0 && set.output.contains("the same on 3 replicas"), "\(set.output)\(set.errors)")
            for replica in stage.replicas {
                // It hears of the others in its next round.
                try await eventually {
                    try await replica.command("replicas").output.contains("the same on 3 replicas")
                }
                let document = try await replica.document(ReplicasDocument.self, "replicas")
                #expect(document.epoch == 1 && document.overrides?.map(\.mode) == ["DualWriteAsync"])
                let text = try await replica.command("replicas").output
                #expect(text.contains("shop.t (DualWriteAsync)"), "\(text)")
            }
            // Who comes late has the list before it listens.
            let late = stage.replicas[1]
            await late.kill()
            try await late.restart()
            #expect(late.process.errors.contains("PrimaryOnly with 1 override"))
            #expect(try await Self.lists(stage).allSatisfy { $0.count == 1 })
            let removed = try await ChildProcess.run(
                ["phase", "override", "remove", "shop.t", "--reason", "enough"] + endpoints
            )
            #expect(removed.code == 0 && removed.output.contains("all tables are in PrimaryOnly"), "\(removed.errors)")
            let again = try await ChildProcess.run(
                ["phase", "override", "remove", "shop.t", "--reason", "enough"] + endpoints
            )
            #expect(again.code == 64 && again.errors.contains("has no override"))

            let ahead = try await ChildProcess.run(
                ["phase", "override", "set", "shop.t", "ReadsFirst", "--tenant", "p=a", "--reason", "too soon"]
                    + endpoints
            )
            #expect(ahead.code != 0 && ahead.errors.contains("Tenants cannot go ahead with control: cluster"))
            #expect(try await Self.lists(stage) == [[], [], []])
        }
    }

    @Test func `a folder with tenants that go ahead is not taken among replicas`() async throws {
        let folder = try TemporaryFolder()
        let text = #"""
            {"format": 3, "mode": "DualWriteSync", "epoch": 1, "history": [], "overrides": [
              {"tables": "shop.t", "mode": "ReadsFirst", "since": 1, "tenants": {"column": "p", "values": ["a"]}}]}
            """#
        try Data(text.utf8).write(to: URL(filePath: "\(folder.path)/phase.json"))
        let result = try await ChildProcess.run([
            "dual-writer", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--state-dir", folder.path, "--set",
            "control=cluster", "--set", "source.hosts=127.0.0.1:1", "--set", "target.hosts=127.0.0.1:1",
        ])
        #expect(result.code == 78 && result.errors.contains("has tenants that go ahead"), "\(result.errors)")
    }
}
