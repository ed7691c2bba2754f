import CQLClient
import CQLProtocol
import DualWriteCore
import DualWriter
import EmbeddedNode
import Logging
import NIOCore
import NIOPosix
import Testing

/// Requests go to the nodes, racks and shards that have their data, and elsewhere where these are away.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct RoutingTests {
    private static let keys: Range<Int32> = 0..<90
    private static let insert = "INSERT INTO k.t (p, v) VALUES (?, 'x')"

    /// A client of a proxy between two rings, and an INSERT that every node has prepared.
    private struct Scene {
        let proxy: DualWriterService
        let client: TestClient
        let insert: ByteBuffer

        func execute(_ keys: Range<Int32> = RoutingTests.keys) async throws {
            for key in keys {
                let values = QueryValues.positional([.value(ByteBuffer(integer: key))])
                let parameters = QueryParameters(consistency: .localOne, values: values)
                let answer = try await self.client.ask(.execute(Execute(id: self.insert, parameters: parameters)))
                try #require(answer == .result(.void), "key \(key)")
            }
        }

        func counters(_ cluster: Cluster) async -> DualWriterCounters.Leg {
            await self.proxy.status().counters[cluster]
        }
    }

    private static func replication(_ factor: Int) -> String {
        "{'class': 'NetworkTopologyStrategy', 'datacenter1': \(factor)}"
    }

    private static func withScene(
        _ source: RingOfNodes,
        _ target: RingOfNodes,
        mode: WriteMode = .dualWriteSync,
        factor: Int,
        configure: (inout DualWriterConfiguration) -> Void = { _ in },
        _ body: (Scene) async throws -> Void
    ) async throws {
        let (first, second) = (source.contactPoint, target.contactPoint)
        let nodes = source.nodes.count
        try await RunningProxy.run(
            between: (host: first.host, port: first.port ?? 0),
            and: (host: second.host, port: second.port ?? 0),
            mode: mode,
            configure: { configuration in
                configuration.source.contactPoints = source.contactPoints
                configuration.target.contactPoints = target.contactPoints
                configure(&configuration)
            },
            isUp: { $0.legs.allSatisfy { $0.isConnected && $0.nodesConnected == nodes } }
        ) { proxy in
            let client = try await TestClient.start(
                on: try #require(proxy.boundAddress),
                group: MultiThreadedEventLoopGroup.singleton
            )
            for text in [
                "CREATE KEYSPACE k WITH replication = \(Self.replication(factor))",
                "CREATE TABLE k.t (p int PRIMARY KEY, v text)",
            ] {
                _ = try await client.ask(query(text))
            }
            guard case .result(.prepared(let prepared)) = try await client.ask(.prepare(Self.insert)) else {
                Issue.record("PREPARE is refused")
                return
            }
            let scene = Scene(proxy: proxy, client: client, insert: prepared.id)
            // Until the keyspace is known on both sides, and every node knows the statement.
            try await eventually {
                let before = (await scene.counters(.source), await scene.counters(.target))
                try await scene.execute()
                let after = (await scene.counters(.source), await scene.counters(.target))
                let isRouted =
                    after.0.sentAnywhere == before.0.sentAnywhere && after.1.sentAnywhere == before.1.sentAnywhere
                return isRouted || factor == nodes
            }
            try await body(scene)
        }
        await source.stop()
        await target.stop()
    }

    private static func perOwner(_ ring: RingOfNodes) -> [Int] {
        ring.nodes.indices.map { node in self.keys.count { ring.owner(of: $0) == node } }
    }

    @Test func `each EXECUTE reaches the node that has its partition, in both clusters`() async throws {
        let source = try await RingOfNodes.start(subnet: 31)
        let target = try await RingOfNodes.start(subnet: 32, racks: ["r1", "r1", "r1"])
        let expected = Self.perOwner(source)
        #expect(expected.allSatisfy { $0 > 10 })
        try await Self.withScene(source, target, factor: 1) { scene in
            let before = await (scene.counters(.source), scene.counters(.target))
            let onTarget = try await target.counting(\.executes) {
                let onSource = try await source.counting(\.executes) { try await scene.execute() }
                #expect(onSource == expected)
            }
            #expect(onTarget == expected)
            let after = await (scene.counters(.source), scene.counters(.target))
            #expect(after.0.sentToReplica - before.0.sentToReplica == UInt64(Self.keys.count))
            #expect(after.1.sentToReplica - before.1.sentToReplica == UInt64(Self.keys.count))
        }
    }

    @Test func `where its node is down a request goes to another one`() async throws {
        let source = try await RingOfNodes.start(subnet: 33)
        let target = try await RingOfNodes.start(subnet: 34)
        try await Self.withScene(source, target, mode: .primaryOnly, factor: 1) { scene in
            await source.nodes[1].stop()
            try await eventually { await scene.proxy.status().leg(.source)?.nodesConnected == 2 }
            let before = await scene.counters(.source)
            let counts = try await source.counting(\.executes) { try await scene.execute() }
            let own = Self.perOwner(source)
            #expect(counts[0] >= own[0] && counts[2] >= own[2])
            #expect(counts[0] + counts[2] == Self.keys.count)
            let after = await scene.counters(.source)
            let elsewhere = after.sentElsewhere - before.sentElsewhere + after.sentToReplica - before.sentToReplica
            #expect(elsewhere == UInt64(Self.keys.count))
        }
    }

    @Test func `of several nodes with the data each has its turn, and the other one all when one is down`() async throws
    {
        let source = try await RingOfNodes.start(subnet: 35)
        let target = try await RingOfNodes.start(subnet: 36)
        try await Self.withScene(source, target, mode: .primaryOnly, factor: 2) {
            // A node that closes is not to be back between two requests, however busy the machine is.
            $0.source.reconnectMillisecondsMin = 60_000
        } _: { scene in
            let key = try #require(Self.keys.first { source.owner(of: $0) == 0 })
            let counts = try await source.counting(\.executes) {
                for _ in 0..<20 { try await scene.execute(key..<key + 1) }
            }
            #expect(counts == [10, 10, 0])
            source.nodes[0].setFaults([FaultRule(.opcode(.execute), .close)])
            let others = try await source.counting(\.executes) {
                for _ in 0..<20 { try await scene.execute(key..<key + 1) }
            }
            #expect(others[0] < 5 && others[1] + others[2] == 20)
        }
    }

    @Test func `nodes of the local rack come first, with and without a token`() async throws {
        let source = try await RingOfNodes.start(subnet: 37, racks: ["r1", "r2", "r1", "r2"])
        let target = try await RingOfNodes.start(subnet: 38, racks: ["r1", "r2", "r1", "r2"])
        let configure: (inout DualWriterConfiguration) -> Void = { $0.source.localRack = "r2" }
        try await Self.withScene(source, target, mode: .primaryOnly, factor: 2, configure: configure) { scene in
            // One copy is in each rack: the node of r2 is the owner or the one behind it.
            let counts = try await source.counting(\.executes) { try await scene.execute() }
            #expect(counts[0] == 0 && counts[2] == 0)
            let own = Self.perOwner(source)
            #expect(counts[1] == own[0] + own[1] && counts[3] == own[2] + own[3])
            let texts = { source.nodes.map { $0.statistics.requests[.query] ?? 0 } }
            let before = texts()
            for key in Self.keys { _ = try await scene.client.ask(query("SELECT v FROM k.t WHERE p = \(key)")) }
            let more = zip(texts(), before).map { $0 - $1 }
            #expect(more[1] + more[3] >= Self.keys.count && abs(more[1] - more[3]) < 20)
            #expect(more[0] + more[2] < 20)
        }
    }

    @Test func `a batch goes where its first partition is`() async throws {
        let source = try await RingOfNodes.start(subnet: 39)
        let target = try await RingOfNodes.start(subnet: 40)
        try await Self.withScene(source, target, mode: .primaryOnly, factor: 1) { scene in
            func batch(_ keys: Range<Int32>) async throws {
                for key in keys {
                    var batch = Batch(kind: .unlogged, children: [], consistency: .localOne)
                    batch.children.append(Batch.Child(.text("INSERT INTO k.t (p, v) VALUES (7, 'y')"), values: []))
                    for key in [key, key + 1] {
                        let child = Batch.Child(
                            .prepared(id: scene.insert),
                            values: [.value(ByteBuffer(integer: key))]
                        )
                        batch.children.append(child)
                    }
                    #expect(try await scene.client.ask(.batch(batch)) == .result(.void))
                }
            }
            let counts = try await source.counting(\.batches) { try await batch(Self.keys) }
            #expect(counts == Self.perOwner(source))
        }
    }

    @Test func `another replication counts from the moment at which it is known`() async throws {
        let source = try await RingOfNodes.start(subnet: 41)
        let target = try await RingOfNodes.start(subnet: 42)
        try await Self.withScene(source, target, mode: .primaryOnly, factor: 1) { scene in
            let alter = "ALTER KEYSPACE k WITH replication = \(Self.replication(2))"
            _ = try await scene.client.ask(query(alter))
            let key = try #require(Self.keys.first { source.owner(of: $0) == 0 })
            try await eventually {
                let counts = try await source.counting(\.executes) {
                    for _ in 0..<10 { try await scene.execute(key..<key + 1) }
                }
                return counts == [5, 5, 0]
            }
        }
    }

    @Test func `where all nodes have everything no token is asked for`() async throws {
        let source = try await RingOfNodes.start(subnet: 43)
        let target = try await RingOfNodes.start(subnet: 44)
        try await Self.withScene(source, target, factor: 3) { scene in
            let before = await scene.counters(.source)
            let counts = try await source.counting(\.executes) { try await scene.execute() }
            #expect(counts == [30, 30, 30])
            let after = await scene.counters(.source)
            #expect(after.sentAnywhere - before.sentAnywhere == UInt64(Self.keys.count))
        }
    }

    // MARK: Shards

    /// Every key on the shard that has it, as ScyllaDB's documentation of the protocol extension computes it.
    private static func perShard(_ count: UInt64, ignoring bits: UInt64, _ keys: [Int32]) -> [Int: Int] {
        keys.reduce(into: [:]) { shards, key in
            let biased = UInt64(bitPattern: RingOfNodes.token(of: key)) ^ (1 << 63)
            shards[Int((biased << bits).multipliedFullWidth(by: count).high), default: 0] += 1
        }
    }

    private static func sharded(_ shards: EmbeddedNodeConfiguration.Shards, subnet: Int) async throws {
        let source = try await RingOfNodes.start(subnet: subnet, shards: shards)
        let target = try await RingOfNodes.start(subnet: subnet + 1)
        let configure: (inout DualWriterConfiguration) -> Void = { $0.source.driver = .scylla }
        try await Self.withScene(source, target, factor: 1, configure: configure) { scene in
            func seen() -> [[Int: Int]] { source.nodes.map(\.statistics.executesByShard) }
            let expected = (0..<source.nodes.count).map { (node: Int) -> [Int: Int] in
                let own = Self.keys.filter { source.owner(of: $0) == node }
                return Self.perShard(UInt64(shards.count), ignoring: UInt64(shards.ignoredBits), own)
            }
            try await eventually {
                let before = seen()
                try await scene.execute()
                let more = zip(seen(), before).map { $0.merging($1) { $0 - $1 }.filter { $0.value != 0 } }
                return more == expected
            }
            // The other cluster is of the kind that has no shards: one connection to each node.
            #expect(await scene.proxy.status().leg(.target)?.connections == 3)
            let onSource = await scene.proxy.status().leg(.source)?.connections ?? 0
            #expect(onSource <= 3 * shards.count)
            // A node's first connections, and that of the monitor, are on the usual port.
            let others = onSource - 3
            let onShardAwarePort = source.nodes.reduce(0) { $0 + $1.statistics.shardAwareConnections }
            #expect(onShardAwarePort == (shards.hasShardAwarePort ? others : 0))
        }
    }

    @Test func `each EXECUTE reaches the shard that has its partition`() async throws {
        try await Self.sharded(EmbeddedNodeConfiguration.Shards(count: 5), subnet: 45)
    }

    @Test func `shards are found on the usual port where there is no other`() async throws {
        var shards = EmbeddedNodeConfiguration.Shards(count: 4)
        shards.hasShardAwarePort = false
        shards.ignoredBits = 0
        try await Self.sharded(shards, subnet: 47)
    }

    // MARK: Sessions

    @Test func `a session routes as the proxy does`() async throws {
        let ring = try await RingOfNodes.start(subnet: 49)
        var configuration = ClusterConfiguration(name: "ring", contactPoints: ring.contactPoints)
        configuration.topologyIntervalMilliseconds = 50
        try await CQLSession.withSession(
            configuration,
            on: MultiThreadedEventLoopGroup.singleton.next(),
            logger: Logger(label: "session") { _ in SwiftLogNoOpLogHandler() }
        ) { session in
            try await session.query("CREATE KEYSPACE k WITH replication = \(Self.replication(1))")
            try await session.query("CREATE TABLE k.t (p int PRIMARY KEY, v text)")
            let insert = try await session.prepare(Self.insert, isIdempotent: true)
            try await eventually {
                let counts = try await ring.counting(\.executes) {
                    for key in Self.keys {
                        try await session.execute(insert, [.int(key)], consistency: .localOne)
                    }
                }
                return counts == Self.perOwner(ring)
            }
            try await eventually {
                let counts = try await ring.counting(\.batches) {
                    for key in Self.keys {
                        try await session.batch(
                            [(insert, [.int(key)]), (insert, [.int(key + 1)])],
                            consistency: .localOne
                        )
                    }
                }
                return counts == Self.perOwner(ring)
            }
        }
        await ring.stop()
    }
}
