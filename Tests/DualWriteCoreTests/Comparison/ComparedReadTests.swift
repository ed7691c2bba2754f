import CQLProtocol
import CQLSyntax
import DualWriteCore
import Testing

struct ComparedReadTests {
    @Test(arguments: [
        "SELECT JSON * FROM t", "SELECT writetime(v) FROM t WHERE p = 'a'", "SELECT v, TTL(v) AS x FROM t",
        "SELECT max(writetime(v)) FROM t", "SELECT cast(ttl(v) AS text) FROM t", "SELECT now() FROM t",
        "SELECT ks.mine(v) FROM t", "SELECT * FROM t WHERE c > currentTimestamp()",
        "SELECT * FROM t ORDER BY v ANN OF [1.0, 2.0] LIMIT 3", "SELECT * FROM t WHERE expr(idx, 'a')",
        "SELECT * FROM cluster_sync.phase", "INSERT INTO t (p, c) VALUES ('a', 1)", "SELECT * FROM", "LIST ROLES",
    ])
    func `what differs for good reasons, or in no way that can be told, is not compared`(text: String) {
        #expect(ComparedRead.of(text) == nil)
    }

    @Test(arguments: [
        ("SELECT * FROM t WHERE p = ?", ComparedRead.RowOrder.clustering),
        ("SELECT v FROM ks.t WHERE c > 3 AND p = 'a' ORDER BY c DESC LIMIT 3", .clustering),
        ("SELECT * FROM t", .tokens), ("SELECT DISTINCT p FROM t WHERE token(p) > ? AND token(p) <= 7", .tokens),
        ("SELECT * FROM t WHERE p IN ('a', 'b')", .none), ("SELECT * FROM t WHERE v = 'a'", .none),
        ("SELECT count(*) FROM t WHERE v = 'a' ALLOW FILTERING", .none),
        ("SELECT blobAsText(v), sum(c) FROM t", .tokens),
    ])
    func `rows have an order within a partition, and in a scan`(text: String, order: ComparedRead.RowOrder) throws {
        #expect(try #require(ComparedRead.of(text)).order == order)
    }

    @Test func `tokens order nothing where the partitioners differ, and keys are unknown without a schema`() throws {
        #expect(try #require(ComparedRead.of("SELECT * FROM t", isSamePartitioner: false)).order == .none)
        #expect(try #require(ComparedRead.of("SELECT * FROM t WHERE p = 1", schema: nil)).order == .none)
    }

    @Test func `a read with its whole partition key names one partition`() {
        func key(_ text: String, _ values: QueryValues = .none) -> [UInt8]? {
            PartitionPlan.partition(
                read: StatementAnalysis.analyze(text),
                keyspace: "ks",
                values,
                schema: ComparedRead.schema
            )?.key
        }
        #expect(key("SELECT v FROM t WHERE p = 'ab' AND c > 1") == Array("ab".utf8))
        #expect(key("SELECT v FROM t WHERE c = ? AND p = ?", .positional([.int(1), .text("x")])) == Array("x".utf8))
        #expect(key("SELECT v FROM t WHERE p IN ('ab')") == nil)
        #expect(key("SELECT v FROM other WHERE p = 'ab'") == nil)
    }

    @Test func `a share of the reads is chosen, the same ones from one seed`() {
        func picks(_ percentage: Double, seed: UInt64 = 7) -> [Bool] {
            var sampler = ReadSampler(seed: seed)
            sampler.choose(percentage: percentage)
            return (0..<20_000).map { _ in sampler.picks() }
        }
        #expect(picks(0).allSatisfy { !$0 })
        #expect(picks(100).allSatisfy { $0 })
        #expect((150...250).contains(picks(1).count { $0 }))
        #expect((1...60).contains(picks(0.1).count { $0 }))
        #expect(picks(30) == picks(30) && picks(30) != picks(30, seed: 8))
    }
}
