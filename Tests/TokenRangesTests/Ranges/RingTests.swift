import CQLClient
import CQLProtocol
import EmbeddedNode
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import TokenRanges

/// What a cluster tells of its ring and of its tables' sizes.
struct RingTests {
    @Test func `a cluster tells the tokens of all its nodes, and no sizes where it has none`() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let store = EmbeddedStore()
        var nodes: [EmbeddedNode] = []
        for (index, tokens) in [[Int64.min, 5], [-7, .max]].enumerated() {
            var configuration = EmbeddedNodeConfiguration()
            configuration.tokens = tokens
            let address = "127.0.0.\(index + 1)"
            nodes.append(
                try await EmbeddedNode.start(on: group, address: address, store: store, configuration: configuration)
            )
        }
        // One contact point alone, and no other node that the session could ask: the answers are those of one node.
        let contact = ContactPoint(host: "127.0.0.1", port: nodes[0].port)
        let quiet = Logger(label: "ring") { _ in SwiftLogNoOpLogHandler() }
        let cluster = ClusterConfiguration(name: "embedded", contactPoints: [contact])
        let told = try await CQLSession.withSession(cluster, on: group.next(), logger: quiet) { session in
            let ring = try await Ring.read(session)
            return (ring, try await SizeEstimate.read(table, of: ring, session))
        }
        #expect(told.0.nodeCount == 2)
        #expect(Set(told.0.tokens).isSubset(of: [.min, -7, 5, .max]) && told.0.tokens.count >= 2)
        #expect(told.1 == [])
        for node in nodes { await node.stop() }
    }

    @Test func `other partitioners are refused by their names`() {
        #expect(throws: Never.self) { try Ring.check(partitioner: .text(Murmur3Partitioner.className)) }
        let random = "org.apache.cassandra.dht.RandomPartitioner"
        let error = #expect(throws: TokenRangesError.self) { try Ring.check(partitioner: .text(random)) }
        #expect(error?.code == .unsupportedPartitioner && error?.description.contains(random) == true)
        #expect(throws: TokenRangesError.self) { try Ring.check(partitioner: nil) }
        #expect(throws: TokenRangesError.self) { try Ring.tokens(["1", "0x12"]) }
    }
}
