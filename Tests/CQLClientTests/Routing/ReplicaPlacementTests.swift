import TestSupport
import Testing

@testable import CQLClient

struct ReplicaPlacementTests {
    typealias Member = ReplicaPlacement.Member

    private static func member(_ datacenter: String, _ rack: String, _ tokens: Int64...) -> Member {
        Member(datacenter: datacenter, rack: rack, tokens: tokens)
    }

    /// Three racks of three, two and one nodes, and another data centre between them.
    private static let members = [
        member("a", "r1", -237, -592, -92), member("a", "r1", 433, -802, -752), member("a", "r1", 781, 197, -708),
        member("a", "r2", -152, 293, -782), member("a", "r2", 139, -461, -824), member("a", "r3", -724, -12, -44),
        member("b", "r1", -757, -408, -715), member("b", "r2", 228, -31, -779),
    ]

    private static func replicas(_ token: Int64, _ table: ReplicaTable?) -> [Int] {
        table?.withReplicas(of: token) { _, nodes in nodes.map { Int($0) } } ?? []
    }

    private static func table(_ replication: Replication, local: String = "a", rack: String? = nil) -> ReplicaTable? {
        ReplicaPlacement(members: self.members, local: local, rack: rack).table(replication)
    }

    /// What `make_token_replica_map` of the Python driver says of the same ring, without the nodes of other data centres.
    @Test(
        arguments: [
            (-824, [4, 1, 3], [4, 1, 5], [4, 1]), (-802, [1, 3], [1, 3, 5], [1, 3]),
            (-782, [3], [3, 1, 5], [3, 1]), (-779, [1], [1, 5, 4], [1, 5]), (-757, [1, 5], [1, 5, 4], [1, 5]),
            (-752, [1, 5], [1, 5, 4], [1, 5]), (-724, [5, 2], [5, 2, 4], [5, 2]), (-715, [2, 0], [2, 4, 5], [2, 4]),
            (-708, [2, 0, 4], [2, 4, 5], [2, 4]), (-592, [0, 4], [0, 4, 5], [0, 4]),
            (-461, [4, 0], [4, 0, 5], [4, 0]), (-408, [0, 3], [0, 3, 5], [0, 3]),
            (-237, [0, 3, 5], [0, 3, 5], [0, 3]), (-152, [3, 0, 5], [3, 0, 5], [3, 0]),
            (-92, [0, 5], [0, 5, 4], [0, 5]), (-44, [5, 4], [5, 4, 2], [5, 4]), (-31, [5, 4], [5, 4, 2], [5, 4]),
            (-12, [5, 4, 2], [5, 4, 2], [5, 4]), (139, [4, 2], [4, 2, 5], [4, 2]), (197, [2, 3], [2, 3, 5], [2, 3]),
            (228, [3, 1], [3, 1, 5], [3, 1]), (293, [3, 1, 2], [3, 1, 5], [3, 1]),
            (433, [1, 2, 4], [1, 4, 5], [1, 4]), (781, [2, 4, 1], [2, 4, 5], [2, 4]),
        ] as [(Int64, [Int], [Int], [Int])]
    )
    func `nodes are those that the Python driver finds`(token: Int64, simple: [Int], three: [Int], two: [Int]) {
        #expect(Self.replicas(token, Self.table(.simple(factor: 3))) == simple)
        #expect(Self.replicas(token, Self.table(.perDatacenter(["a": 3, "b": 1]))) == three)
        #expect(Self.replicas(token, Self.table(.perDatacenter(["a": 2]))) == two)
    }

    @Test func `a range ends with its token and begins behind the one before, and the ring is closed`() {
        let table = Self.table(.perDatacenter(["a": 2]))
        #expect(Self.replicas(-823, table) == Self.replicas(-802, table))
        #expect(Self.replicas(-801, table) == Self.replicas(-782, table))
        for token in [782, .max, .min, -825] as [Int64] { #expect(Self.replicas(token, table) == [4, 1]) }
    }

    /// Of five nodes in three racks the first two whose rack is there already are taken, too: here nodes 0, 1, 2 are one rack.
    @Test func `fewer racks than copies are filled up with the nodes that come first`() {
        let table = Self.table(.perDatacenter(["a": 5]))
        // From -724 on: 5 (r3), 2 (r1), 4 (r2), 0 again of r1, then 3 of r2.
        let walk = [5, 2, 4, 0, 3]
        #expect(Set(Self.replicas(-724, table)) == Set([5, 2, 0, 4, 3]))
        #expect(Self.replicas(-724, table).prefix(2) == walk.prefix(2))
    }

    @Test func `nodes of the local rack come first and are counted`() {
        let table = Self.table(.perDatacenter(["a": 3]), rack: "r2")
        let found = table?.withReplicas(of: -802) { near, nodes in (near, nodes.map { Int($0) }) }
        #expect(found?.0 == 1)
        #expect(found?.1 == [3, 1, 5])
        let other = Self.table(.simple(factor: 3), rack: "r2")
        #expect(other?.withReplicas(of: -782) { near, nodes in [near] + nodes.map { Int($0) } } == [1, 3])
        #expect(other?.withReplicas(of: -779) { near, nodes in [near] + nodes.map { Int($0) } } == [0, 1])
    }

    @Test func `where all nodes have everything one list is enough`() {
        #expect(Self.table(.perDatacenter(["a": 6]))?.isUniform == true)
        #expect(Self.table(.perDatacenter(["a": 7]))?.isUniform == true)
        #expect(Self.table(.everywhere)?.isUniform == true)
        #expect(Self.table(.simple(factor: 8))?.isUniform == true)
        #expect(Self.table(.perDatacenter(["a": 5]))?.isUniform == false)
        #expect(Set(Self.replicas(0, Self.table(.perDatacenter(["b": 2]), local: "b"))) == [0, 1])
    }

    @Test func `nobody has what is kept elsewhere or cannot be told`() {
        for replication in [.perDatacenter(["b": 3]), .tablets, .untold, .perDatacenter([:])] as [Replication] {
            #expect(Self.table(replication) == nil)
        }
        let empty = ReplicaPlacement(members: [Self.member("a", "r1")], local: "a", rack: nil)
        #expect(empty.table(.simple(factor: 1)) == nil)
    }

    /// The rule as Cassandra's `NetworkTopologyStrategy` has it, token by token.
    private static func byTheRule(_ members: [Member], _ token: Int64, _ factor: Int) -> [Int] {
        let local = members.indices.filter { members[$0].datacenter == "a" }
        let racks = Set(local.map { members[$0].rack }).count
        var ring = members.enumerated().flatMap { index, member in member.tokens.map { (token: $0, node: index) } }
        ring.sort { $0.token < $1.token }
        let start = ring.firstIndex { $0.token >= token } ?? 0
        var (chosen, seen, repeats): ([Int], Set<String?>, Int) = ([], [], factor - racks)
        for step in ring.indices where chosen.count < min(factor, local.count) {
            let node = ring[(start + step) % ring.count].node
            guard local.contains(node), !chosen.contains(node) else { continue }
            if seen.insert(members[node].rack).inserted {
                chosen.append(node)
            } else if repeats > 0 {
                repeats -= 1
                chosen.append(node)
            }
        }
        return chosen
    }

    @Test(arguments: 1...40)
    func `any ring gives what the rule gives`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let members = (0..<Int.random(in: 1...12, using: &random)).map { index in
            Member(
                // Local nodes first, so that their numbers are their places.
                datacenter: index < 7 ? "a" : "b",
                rack: "r\(Int.random(in: 1...4, using: &random))",
                tokens: (0..<4).map { _ in .random(in: .min ... .max, using: &random) }
            )
        }
        let placement = ReplicaPlacement(members: members, local: "a", rack: nil)
        let locals = min(members.count, 7)
        for factor in 1...8 {
            guard let table = placement.table(.perDatacenter(["a": factor])) else {
                Issue.record("seed \(seed): no table for \(factor)")
                continue
            }
            for _ in 0..<50 {
                let token = Int64.random(in: .min ... .max, using: &random)
                let expected = Self.byTheRule(members, token, factor)
                if factor < locals {
                    #expect(Self.replicas(token, table) == expected, "seed \(seed), factor \(factor), token \(token)")
                } else {
                    #expect(Set(Self.replicas(token, table)) == Set(expected), "seed \(seed), factor \(factor)")
                }
            }
        }
    }

    /// With 256 tokens for each of a thousand nodes that makes 6 MB and 14 MB.
    @Test func `a token takes some tens of bytes, however many nodes and copies there are`() throws {
        var random = SeededRandom(seed: 1)
        let members = (0..<1_000).map { index in
            Member(
                datacenter: "a",
                rack: "r\(index % 3)",
                tokens: (0..<4).map { _ in .random(in: .min ... .max, using: &random) }
            )
        }
        let placement = ReplicaPlacement(members: members, local: "a", rack: "r1")
        let tokens = 4 * members.count
        #expect(try #require(placement.table(.perDatacenter(["a": 3]))).byteCount <= 24 * tokens)
        #expect(try #require(placement.table(.perDatacenter(["a": 100]))).byteCount <= 52 * tokens)
    }
}
