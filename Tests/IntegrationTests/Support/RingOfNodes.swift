import CQLClient
import CQLProtocol
import EmbeddedNode
import NIOCore
import NIOPosix
import Testing

/// Embedded nodes that share the ring evenly and are one cluster.
struct RingOfNodes {
    let nodes: [EmbeddedNode]
    private let addresses: [String]

    /// Node `i` of `count` has the tokens up to the `i+1`-th of as many parts of the ring.
    private static func token(_ index: Int, of count: Int) -> Int64 {
        Int64(bitPattern: UInt64(index + 1) * (.max / UInt64(count)) ^ 1 << 63)
    }

    /// - Parameters:
    ///   - subnet: the third byte of the nodes' addresses: those of one cluster differ by their address, as they do everywhere.
    ///   - racks: one for each node.
    static func start(
        subnet: Int,
        racks: [String] = ["r1", "r2", "r3"],
        shards: EmbeddedNodeConfiguration.Shards? = nil
    ) async throws -> RingOfNodes {
        let store = EmbeddedStore()
        var nodes: [EmbeddedNode] = []
        let addresses = racks.indices.map { "127.0.\(subnet).\($0 + 1)" }
        for (index, rack) in racks.enumerated() {
            var configuration = EmbeddedNodeConfiguration()
            configuration.tokens = [Self.token(index, of: racks.count)]
            configuration.rack = rack
            configuration.shards = shards
            nodes.append(
                try await EmbeddedNode.start(
                    on: MultiThreadedEventLoopGroup.singleton,
                    address: addresses[index],
                    store: store,
                    configuration: configuration
                )
            )
        }
        return RingOfNodes(nodes: nodes, addresses: addresses)
    }

    func stop() async { for node in self.nodes { await node.stop() } }

    var contactPoint: ContactPoint { self.contactPoints[0] }

    var contactPoints: [ContactPoint] {
        zip(self.addresses, self.nodes).map { ContactPoint(host: $0, port: $1.port) }
    }

    /// The token of an int as a partition key.
    static func token(of key: Int32) -> Int64 { Murmur3Partitioner.token(of: ByteBuffer(integer: key)) }

    /// The node whose range has the key.
    func owner(of key: Int32) -> Int {
        let token = Self.token(of: key)
        return self.nodes.firstIndex { token <= $0.identity.tokens[0] } ?? 0
    }

    /// The EXECUTE requests that each node has got so far.
    var executes: [Int] { self.nodes.map { $0.statistics.requests[.execute] ?? 0 } }
    var batches: [Int] { self.nodes.map { $0.statistics.requests[.batch] ?? 0 } }

    /// What each node gets of one kind while something happens.
    func counting(_ counts: KeyPath<RingOfNodes, [Int]>, _ body: () async throws -> Void) async throws -> [Int] {
        let before = self[keyPath: counts]
        try await body()
        return zip(self[keyPath: counts], before).map { $0 - $1 }
    }
}
