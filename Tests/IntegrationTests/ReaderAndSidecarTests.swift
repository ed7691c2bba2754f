import CQLProtocol
import DualWriteCore
import EmbeddedNode
import FoundationEssentials
import NIOCore
import NIOPosix
import Operations
import TestSupport
import Testing

/// A reader that asks a sidecar what it still owes and what is in doubt: three processes and two nodes.
@Suite(.timeLimit(.minutes(2)))
struct ReaderAndSidecarTests {
    /// A sidecar in DualWriteAsync between the two, and a client of it.
    private static func withSidecar(
        _ clusters: ReaderClusters,
        _ body: (SidecarProcess, TestClient) async throws -> Void
    ) async throws {
        let sidecar = try await SidecarProcess(files: [:]) { folder in
            """
            source: {hosts: ["127.0.0.1:\(clusters.source.port)"]}
            target: {hosts: ["127.0.0.1:\(clusters.target.port)"]}
            listen: 127.0.0.1:0
            admin: {listen: 127.0.0.1:0, token: secret}
            state_dir: \(folder)/state
            write_mode: DualWriteAsync
            timeouts: {shadow_write_ms: 100, drain_ms: 100}
            """
        }
        let port = try await sidecar.listenPort()
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: port)
        let client = try await TestClient.start(on: address, group: MultiThreadedEventLoopGroup.singleton)
        try await body(sidecar, client)
        await client.close()
        _ = await sidecar.stop()
    }

    private static func asking(_ sidecar: SidecarProcess) -> [String] {
        ["dual_writer.admin=\(sidecar.admin)", "dual_writer.token=secret"]
    }

    @Test func `what is still owed is undecided and never a difference, and agrees once it has arrived`() async throws {
        let clusters = try await ReaderClusters()
        try await Self.withSidecar(clusters) { sidecar, client in
            clusters.target.setFaults([FaultRule(.textContains("INSERT"), .drop)])
            let insert = query("INSERT INTO shop.t (p, c, v) VALUES (7, 3, 'owed')")
            #expect(try await client.ask(insert) == .result(.void))
            let settings = Self.asking(sidecar)
            let without = try await clusters.run(["compare"])
            #expect(without.code == 1, "nobody was asked: \(without.output)")
            let owed = try await clusters.run(["compare"], settings: settings + ["settle.owed_max_ms=200"])
            #expect(owed.code == 74, "\(owed.output) \(owed.errors)")
            #expect(owed.output.contains("1 row undecided"), "\(owed.output)")
            let waiting = try ChildProcess(clusters.arguments(["compare"], settings: settings))
            clusters.target.setFaults([])
            let settled = await waiting.result()
            #expect(settled.code == 0, "\(settled.output) \(settled.errors)")
        }
        await clusters.stop()
    }

    @Test func `partitions in doubt are compared first, and a repair takes them out of doubt`() async throws {
        let clusters = try await ReaderClusters()
        try await Self.withSidecar(clusters) { sidecar, client in
            // The outcome of a conditional write is in doubt until somebody has looked.
            let insert = query("UPDATE shop.t SET v = 'lwt' WHERE p = 7 AND c = 3 IF EXISTS")
            #expect(try await client.ask(insert).rows != nil)
            try await eventually { try await sidecar.dirty().total == 1 }
            try await ReaderClusters.write(73, "drift", clusters.atTarget, seconds: 1_000_000_000)
            let settings = Self.asking(sidecar)
            let compared = try await clusters.run(["compare"], settings: settings)
            #expect(compared.code == 1, "\(compared.output) \(compared.errors)")
            #expect(try await sidecar.dirty().total == 1, "what differs stays in doubt")
            let words = ["repair", "--policy", "source_wins", "--align-source", "--apply"]
            let repaired = try await clusters.run(words, settings: settings)
            #expect(repaired.output.contains("in doubt: 1 partition compared first, 1 in doubt no more"), "\(repaired)")
            #expect(repaired.code == 0, "\(repaired.output) \(repaired.errors)")
            #expect(try await sidecar.dirty().total == 0)
        }
        await clusters.stop()
    }

    @Test func `a sidecar that does not answer, or refuses the token, makes rows undecided`() async throws {
        let clusters = try await ReaderClusters()
        try await ReaderClusters.write(73, "newer", clusters.atSource, seconds: 1)
        let soon = "settle.tries=1"
        let away = ["dual_writer.admin=http://127.0.0.1:1", "dual_writer.timeout_ms=100", soon]
        let result = try await clusters.run(["compare"], settings: away)
        #expect(result.code == 74, "\(result.output)")
        #expect(result.output.contains("1 row undecided") && result.output.contains("does not answer"))
        try await Self.withSidecar(clusters) { sidecar, _ in
            let wrong = ["dual_writer.admin=\(sidecar.admin)", "dual_writer.token=wrong", soon]
            let result = try await clusters.run(["compare"], settings: wrong)
            #expect(result.code == 74, "\(result.output)")
        }
        await clusters.stop()
    }
}
