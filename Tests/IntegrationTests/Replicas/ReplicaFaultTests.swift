import CQLProtocol
import DualWriteCore
import EmbeddedNode
import FoundationEssentials
import NIOCore
import NIOPosix
import Operations
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What may happen to replicas that share a write mode: each is a process that can be stopped, killed and cut off.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct ReplicaFaultTests {
    private static func client(of replica: ReplicaStage.Replica) async throws -> TestClient {
        try await TestClient.start(on: replica.address, group: MultiThreadedEventLoopGroup.singleton)
    }

    private static func insert(_ key: String) -> Request {
        query("INSERT INTO shop.t (p, v) VALUES (?, ?)", [key, "v"])
    }

    private static func isWritten(_ key: String, _ client: TestClient) async -> Bool {
        (try? await client.ask(Self.insert(key))) == .result(.void)
    }

    /// Whether all threads of a process are stopped (proc(5): the state behind the name in parentheses).
    private static func standsStill(_ pid: Int32) throws -> Bool {
        let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task")
        return threads.allSatisfy { thread in
            let stat = try? Fixtures.text("/proc/\(pid)/task/\(thread)/stat")
            return stat?.split(separator: ")").last?.hasPrefix(" T") == true
        }
    }

    /// Without the lease the first requests after the standstill would be written to the source alone, which nobody copies.
    @Test
    func `a replica that stood still while the others went on acknowledges nothing in the mode that they have left`()
        async throws
    {
        try await ReplicaStage.run(lifeMilliseconds: 4_000) { stage in
            let frozen = stage.replicas[2]
            let client = try await Self.client(of: frozen)
            #expect(await Self.isWritten("before", client))
            frozen.process.signal(SIGSTOP)
            // One thread after the other stops, whenever it is its turn on a busy machine: what is sent before is answered as ever.
            try await eventually { try Self.standsStill(frozen.process.pid) }
            let acknowledged = await withTaskGroup(of: (String, Response?).self) { group in
                for number in 0..<100 {
                    group.addTask { ("late-\(number)", try? await client.ask(Self.insert("late-\(number)"))) }
                }
                // It is waited for until it has not been heard for its time to live, and no longer.
                let step = try? await stage.replicas[0].command("phase", "set", "DualWriteAsync")
                #expect(step?.code == 0, "\(step?.errors ?? "-")")
                frozen.process.signal(SIGCONT)
                var answers: [(String, Response?)] = []
                for await answer in group { answers.append(answer) }
                return answers.filter { $0.1 == .result(.void) }.map(\.0)
            }
            try await eventually { await Self.isWritten("after", client) }
            _ = try await stage.settled()
            let target = try await stage.keys(of: .target)
            #expect((acknowledged + ["after"]).allSatisfy { target.contains($0) }, "\(acknowledged)")
            let status = try await frozen.document(ReplicasDocument.self, "replicas")
            #expect(status.lapse == nil)
        }
    }

    @Test func `two operators who step at once come to one mode, and each is told what became of the step`()
        async throws
    {
        try await ReplicaStage.run { stage in
            let (one, other) = (stage.replicas[0], stage.replicas[1])
            try await one.walk(to: .dualWriteAsync)
            for round in 0..<3 {
                let here = try await one.document(PhaseDocument.self, "phase", "show").epoch
                async let forward = one.command("phase", "set", "DualWriteSync")
                async let back = other.command("phase", "set", "PrimaryOnly")
                let results = try await [forward, back]
                let documents = try await stage.settled()
                #expect(Set(documents.map(\.epoch)).count == 1)
                // The second one may have come after the first one had ended; then it was more than one step away.
                let done = results.count { $0.code == 0 }
                #expect(done >= 1 || documents[0].epoch == Int64(here), "round \(round): \(results.map(\.errors))")
                #expect(documents[0].epoch <= Int64(here + done))
                #expect(results.allSatisfy { $0.code == 0 || $0.errors.contains("cluster-sync:") })
                try await one.walk(to: .dualWriteAsync)
            }
        }
    }

    @Test func `a cluster that is away stands against no step that frees applications of it, and learns of it later`()
        async throws
    {
        try await ReplicaStage.run { stage in
            for mode in [WriteMode.dualWriteAsync, .dualWriteSync] { try await stage.replicas[0].walk(to: mode) }
            let target = try #require(stage.nodes[.target]).process
            target.signal(SIGSTOP)
            let back = try await stage.replicas[1].command(
                "phase",
                "set",
                "DualWriteAsync",
                "--reason",
                "target is away"
            )
            #expect(back.code == 0, "\(back.errors)")
            let client = try await Self.client(of: stage.replicas[2])
            #expect(await Self.isWritten("meanwhile", client))
            target.signal(SIGCONT)
            let documents = try await stage.settled()
            #expect(Set(documents.map(\.stage)) == ["DualWriteAsync"])
            try await eventually { try await stage.keys(of: .target).contains("meanwhile") }
        }
    }

    @Test func `with both clusters away a step is refused or unknown, and afterwards all are in one mode again`()
        async throws
    {
        try await ReplicaStage.run { stage in
            try await stage.replicas[0].walk(to: .dualWriteAsync)
            let nodes = stage.nodes.values.map(\.process)
            async let step = stage.replicas[0].command("phase", "set", "PrimaryOnly")
            for node in nodes { node.signal(SIGSTOP) }
            let result = try await step
            if result.code != 0 { #expect(result.errors.contains("be read"), "\(result.errors)") }
            for node in nodes { node.signal(SIGCONT) }
            let documents = try await stage.settled()
            #expect(Set(documents.map(\.epoch)).count == 1)
            let mode = documents[0].stage == "PrimaryOnly" ? WriteMode.dualWriteAsync : .dualWriteSync
            try await stage.replicas[1].walk(to: mode)
            #expect(Set(try await stage.settled().map(\.stage)) == [mode.name])
        }
    }

    @Test func `a keyspace that is dropped under running replicas is made again, and the epoch goes on`() async throws {
        try await ReplicaStage.run { stage in
            for mode in [WriteMode.dualWriteAsync, .dualWriteSync] { try await stage.replicas[0].walk(to: mode) }
            let traffic = ReplicaTraffic(stage, rate: 60)
            let running = Task { await traffic.run() }
            try await traffic.advanced(by: 10)
            for cluster in Cluster.allCases {
                _ = try await stage.withClient(of: cluster) { try await $0.ask(query("DROP KEYSPACE cluster_sync")) }
            }
            try await traffic.advanced(by: 50)
            let documents = try await stage.settled()
            #expect(Set(documents.map(\.epoch)) == [2])
            try await stage.replicas[2].walk(to: .dualWriteAsync)
            #expect(Set(try await stage.settled().map(\.epoch)) == [3])
            traffic.stop()
            await running.value
            #expect(traffic.failures.isEmpty, "\(traffic.failures.prefix(3))")
        }
    }

    @Test func `a replica that comes back on an old state folder joins the mode in force before it listens`()
        async throws
    {
        try await ReplicaStage.run(2) { stage in
            let late = stage.replicas[1]
            await late.kill()
            for mode in [WriteMode.dualWriteAsync, .dualWriteSync] { try await stage.replicas[0].walk(to: mode) }
            try await late.restart()
            let log = late.process.errors
            let joined = try #require(log.firstRange(of: "joined the other replicas"))
            let listens = try #require(log.firstRange(of: "dual-writer listens"))
            #expect(joined.lowerBound < listens.lowerBound)
            #expect(log[listens.lowerBound...].prefix { $0 != "\n" }.contains("mode=DualWriteSync"))
        }
    }

    @Test func `without rights in a cluster a sidecar ends, and says what an administrator can do`() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let folder = try TemporaryFolder()
        let (source, target) = (try await EmbeddedNode.start(on: group), try await EmbeddedNode.start(on: group))
        let refusal = ErrorMessage(
            .unauthorized,
            "User app has no CREATE permission on <all keyspaces> or any of its parents"
        )
        target.setFaults([FaultRule(.textContains("cluster_sync"), .error(refusal))])
        let settings = [
            "source.hosts=127.0.0.1:\(source.port)", "target.hosts=127.0.0.1:\(target.port)",
            "admin.listen=127.0.0.1:0",
            "listen=127.0.0.1:0", "state_dir=\(folder.path)/state", "control=cluster",
        ]
        let result = try await ChildProcess.run(["dual-writer"] + settings.flatMap { ["--set", $0] })
        #expect(result.code == 78, "\(result.errors)")
        for words in [
            "CREATE KEYSPACE", "CREATE TABLE", "GRANT MODIFY", "control: file", "no CREATE permission", "target",
        ] {
            #expect(result.errors.contains(words), "\(words) is missing: \(result.errors)")
        }
        await source.stop()
        await target.stop()
    }
}
