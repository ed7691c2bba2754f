import CQLProtocol
import Testing

@testable import CQLClient

struct ClusterRingTests {
    private static func node(_ number: Int, _ datacenter: String, _ rack: String, _ tokens: [String])
        -> ClusterTopology.Node
    {
        ClusterTopology.Node(
            id: NodeID(host: "10.0.0.\(number)", port: 9_042),
            hostID: nil,
            datacenter: datacenter,
            rack: rack,
            releaseVersion: nil,
            tokens: tokens
        )
    }

    private static let source = ClusterRing.Source(
        nodes: [
            node(1, "a", "r1", ["-100"]), node(2, "b", "r1", ["-50"]), node(3, "a", "r1", ["0"]),
            node(4, "a", "r2", ["100"]),
        ],
        partitioner: Murmur3Partitioner.className,
        replications: [
            "one": .simple(factor: 1), "two": .perDatacenter(["a": 2, "b": 1]),
            "other": .perDatacenter(["a": 2, "b": 2]),
            "remote": .perDatacenter(["b": 3]), "system": .untold,
        ],
        datacenter: "a",
        rack: nil
    )

    private static func ring(_ change: (inout ClusterRing.Source) -> Void = { _ in }) -> (ClusterRing, [String]) {
        var source = Self.source
        change(&source)
        var complaints: [String] = []
        let ring = ClusterRing(source) { complaints.append($0.description) }
        return (ring, complaints)
    }

    @Test func `nodes have the numbers of the local data centre`() throws {
        let (ring, complaints) = Self.ring()
        #expect(complaints.isEmpty)
        #expect(ring.nodes.map(\.host) == ["10.0.0.1", "10.0.0.3", "10.0.0.4"])
        let table = ring.tables[try #require(ring.table(of: "two"))]
        #expect(
            table.withReplicas(of: -70) { _, nodes in nodes.map { ring.nodes[Int($0)].host } } == [
                "10.0.0.3", "10.0.0.4",
            ]
        )
        // Only the other data centre has it.
        let simple = ring.tables[try #require(ring.table(of: "one"))]
        #expect(simple.withReplicas(of: -70) { _, nodes in nodes.count } == 0)
        #expect(simple.withReplicas(of: -49) { _, nodes in nodes.map { Int($0) } } == [1])
    }

    @Test func `keyspaces that differ in other data centres share a table`() {
        let (ring, _) = Self.ring()
        #expect(ring.table(of: "two") == ring.table(of: "other"))
        #expect(ring.tables.count == 2)
        for keyspace in ["remote", "system", "unheard of"] { #expect(ring.table(of: keyspace) == nil) }
    }

    @Test func `the nodes of the local rack are known where there are others`() {
        let (ring, _) = Self.ring { $0.rack = "r2" }
        #expect(ring.nearNodes.map(\.host) == ["10.0.0.4"])
        let (alone, complaints) = Self.ring {
            $0.rack = "r2"
            $0.nodes = [$0.nodes[3]]
        }
        #expect(alone.nearNodes.isEmpty && complaints.isEmpty)
        #expect(Self.ring { $0.rack = "r9" }.1 == ["no node of the local data centre is in the local rack r9"])
    }

    @Test func `another partitioner has no places, and that is said`() {
        let random = "org.apache.cassandra.dht.RandomPartitioner"
        let (ring, complaints) = Self.ring { $0.partitioner = random }
        #expect(ring.tables.isEmpty && ring.table(of: "two") == nil)
        #expect(complaints == ["the partitioner is \(random)"])
        #expect(Self.ring { $0.nodes[0] = Self.node(1, "a", "r1", ["0a"]) }.1.count == 1)
    }

    @Test func `keyspaces with tablets are not on the ring, others are`() {
        let (ring, complaints) = Self.ring { $0.replications["two"] = .tablets }
        #expect(ring.table(of: "two") == nil && ring.table(of: "other") != nil)
        #expect(complaints.count == 1)
    }

    @Test func `there is a limit to the kinds of replication`() {
        let (ring, complaints) = Self.ring { source in
            source.nodes = (0..<100).map { Self.node($0, "a", "r1", ["\($0)"]) }
            for factor in 1...64 { source.replications["k\(factor)"] = .perDatacenter(["a": factor]) }
        }
        #expect(ring.tables.count == ClusterRing.tablesMax)
        #expect(!complaints.isEmpty)
    }

    @Test(
        arguments: [
            (["class": "org.apache.cassandra.locator.SimpleStrategy", "replication_factor": "3"], .simple(factor: 3)),
            (["class": "SimpleStrategy", "replication_factor": "3/1"], .simple(factor: 3)),
            (["class": "org.apache.cassandra.locator.SimpleStrategy"], .untold),
            (
                ["class": "org.apache.cassandra.locator.NetworkTopologyStrategy", "a": "3", "b": "0", "c": "['r1']"],
                .perDatacenter(["a": 3])
            ),
            (["class": "org.apache.cassandra.locator.LocalStrategy"], .untold),
            (["class": "org.apache.cassandra.locator.EverywhereStrategy"], .everywhere),
            (["class": "com.example.Strategy"], .untold), ([:], .untold),
        ] as [([String: String], Replication)]
    )
    func `a replication is read as clusters tell it`(options: [String: String], replication: Replication) {
        #expect(Replication(options: options) == replication)
    }
}
