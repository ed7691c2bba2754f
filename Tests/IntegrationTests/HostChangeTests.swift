import CQLClient
import CQLProtocol
import DualWriteCore
import DualWriter
import NIOPosix
import Testing

/// Nodes and hosts that come and go while requests are on their way.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct HostChangeTests {
    private static let update = "UPDATE ks.t SET n = n + 1 WHERE a = ?"

    private static func server(_ name: String, salt: UInt8) async throws -> ScriptedServer {
        let server = ScriptedServer(name: name, salt: salt)
        try await server.start(on: MultiThreadedEventLoopGroup.singleton)
        return server
    }

    private static func contactPoints(_ server: ScriptedServer) -> [ContactPoint] {
        [ContactPoint(host: "127.0.0.1", port: server.port)]
    }

    /// Counter updates may not be repeated, so each must get the answer of the node that it went to.
    private static func updates(_ count: Int, _ client: TestClient) -> Task<[Response], any Error> {
        Task {
            try await withThrowingTaskGroup(of: Response.self) { tasks in
                for number in 0..<count {
                    tasks.addTask { try await client.ask(query(Self.update, ["\(number)"])) }
                }
                return try await tasks.reduce(into: []) { $0.append($1) }
            }
        }
    }

    @Test func `a node that leaves the cluster still answers what it was asked`() async throws {
        let second = try await Self.server("source", salt: 1)
        let configure: (inout DualWriterConfiguration) -> Void = { $0.source.topologyIntervalMilliseconds = 20 }
        try await ProxyHarness.run(mode: .primaryOnly, sourcePeers: [second], configure: configure) { harness in
            try await eventually { await harness.proxy.status().leg(.source)?.nodesConnected == 2 }
            second.react(.late(300))
            let client = try await harness.client()
            let answers = Self.updates(40, client)
            try await eventually { second.seen.count == 20 && harness.source.seen.count == 20 }
            harness.source.setPeers([])
            try await eventually { await harness.proxy.status().leg(.source)?.nodesConnected == 1 }
            #expect(try await client.ask(query(Self.update, ["later"])) == .result(.void))
            #expect(try await answers.value == Array(repeating: .result(.void), count: 40))
            #expect(harness.source.seen.count == 21)
        }
        await second.kill()
    }

    @Test func `a leg moves to other hosts of its cluster without an error`() async throws {
        let other = try await Self.server("source", salt: 1)
        try await ProxyHarness.run(mode: .dualWriteAsync) { harness in
            harness.source.react(.late(200))
            let client = try await harness.client()
            let answers = Self.updates(20, client)
            try await eventually { harness.source.seen.count == 20 }
            try await harness.proxy.setContactPoints([.source: Self.contactPoints(other)])
            #expect(await harness.proxy.status().leg(.source)?.isConnected == true)
            #expect(try await answers.value == Array(repeating: .result(.void), count: 20))
            try await eventually {
                _ = try await client.ask(query(Self.update, ["later"]))
                return !other.seen.isEmpty
            }
            await harness.source.kill()
            #expect(try await client.ask(query(Self.update, ["last"])) == .result(.void))
            #expect(await harness.proxy.status().leg(.source)?.isConnected == true)
        }
        await other.kill()
    }

    @Test func `another cluster cannot take the place of one that the mode uses`() async throws {
        let stranger = try await Self.server("stranger", salt: 9)
        try await ProxyHarness.run(mode: .dualWriteAsync) { harness in
            for cluster in Cluster.allCases {
                let error = await #expect(throws: DualWriterError.self) {
                    try await harness.proxy.setContactPoints([cluster: Self.contactPoints(stranger)])
                }
                #expect(error?.code == .anotherCluster)
            }
            let error = await #expect(throws: DualWriterError.self) {
                try await harness.proxy.setContactPoints([.target: []])
            }
            #expect(error?.code == .clusterMissing)
            let client = try await harness.client()
            #expect(try await client.ask(query(Self.update, ["k"])) == .result(.void))
            try await eventually { harness.target.seen.count == 1 }
            #expect(stranger.seen.isEmpty)
        }
        await stranger.kill()
    }

    @Test func `a target can be given, changed and taken away while nothing needs it`() async throws {
        let next = try await Self.server("next", salt: 9)
        try await ProxyHarness.run(mode: .primaryOnly, configure: { $0.target.contactPoints = [] }) { harness in
            let client = try await harness.client()
            await #expect(throws: DualWriterError.self) { try await harness.proxy.setMode(.dualWriteAsync) }
            try await harness.proxy.setContactPoints([.target: Self.contactPoints(harness.target)])
            try await harness.proxy.setMode(.dualWriteAsync)
            #expect(try await client.ask(query(Self.update, ["one"])) == .result(.void))
            try await eventually { harness.target.seen.map(\.firstValue) == ["one"] }
            try await eventually { await harness.proxy.status().leg(.target)?.shadowWritesQueued == 0 }
            try await harness.proxy.setMode(.primaryOnly)
            try await harness.proxy.setContactPoints([.target: Self.contactPoints(next)])
            try await harness.proxy.setMode(.dualWriteAsync)
            #expect(try await client.ask(query(Self.update, ["two"])) == .result(.void))
            try await eventually { next.seen.map(\.firstValue) == ["two"] }
            #expect(harness.target.seen.count == 1)
            try await eventually { await harness.proxy.status().leg(.target)?.shadowWritesQueued == 0 }
            try await harness.proxy.setMode(.primaryOnly)
            try await harness.proxy.setContactPoints([.target: []])
            #expect(await harness.proxy.status().leg(.target) == nil)
            #expect(try await client.ask(query(Self.update, ["three"])) == .result(.void))
        }
        await next.kill()
    }

    @Test func `a leg stays with the cluster that it has reached, whatever else its contact points name`() async throws
    {
        let second = try await Self.server("source", salt: 1)
        try await ProxyHarness.run(mode: .primaryOnly) { harness in
            let mixed =
                Self.contactPoints(harness.source) + Self.contactPoints(harness.target)
                + Self.contactPoints(second)
            try await harness.proxy.setContactPoints([.source: mixed])
            let client = try await harness.client()
            await harness.source.kill()
            try await eventually { try await client.ask(query(Self.update, ["k"])) == .result(.void) }
            #expect(!second.seen.isEmpty && harness.target.seen.isEmpty)
        }
        await second.kill()
    }

    @Test func `both legs cannot lead to one cluster`() async throws {
        let other = try await Self.server("source", salt: 1)
        try await ProxyHarness.run(mode: .primaryOnly) { harness in
            let error = await #expect(throws: DualWriterError.self) {
                try await harness.proxy.setContactPoints([.target: Self.contactPoints(other)])
            }
            #expect(error?.code == .anotherCluster)
        }
        let points = Self.contactPoints(other)
        try await ProxyHarness.run(
            mode: .dualWriteAsync,
            configure: { $0.target.contactPoints = points },
            isUp: { $0.legs.filter(\.isConnected).count == 1 }
        ) { harness in
            try await eventually {
                await harness.proxy.status().legs.contains { $0.lastError?.contains("one cluster") == true }
            }
            // Whichever of the two has answered first, applications depend on the primary.
            try await eventually {
                await harness.proxy.status().legs.first { $0.cluster == .source }?.isConnected == true
            }
            let client = try await harness.client()
            #expect(try await client.ask(query("SELECT name FROM ks.t")) != .result(.void))
            #expect(await harness.proxy.status().legs.filter(\.isConnected).map(\.cluster) == [.source])
        }
        await other.kill()
    }

    @Test func `hosts that cannot be reached change nothing`() async throws {
        let gone = try await Self.server("source", salt: 1)
        let address = Self.contactPoints(gone)
        await gone.kill()
        try await ProxyHarness.run(mode: .dualWriteAsync) { harness in
            let error = await #expect(throws: DualWriterError.self) {
                try await harness.proxy.setContactPoints([.source: address])
            }
            #expect(error?.code == .clusterUnreachable)
            #expect(error?.description.contains("127.0.0.1:\(address[0].port ?? 0)") == true)
            let client = try await harness.client()
            #expect(try await client.ask(query(Self.update, ["k"])) == .result(.void))
        }
    }
}
