import CQLProtocol
import Testing

@testable import EmbeddedNode

/// `WRITETIME` and `TTL` of what is kept in several cells: refused before Cassandra 5.0 (CASSANDRA-17628), and from then on
/// a list of the elements' times, or the time of one element (CASSANDRA-8877).
struct ElementTimesTests {
    private static let schema = [
        "CREATE TYPE pair (x int, y int)",
        """
        CREATE TABLE t (p int PRIMARY KEY, m map<text, int>, st set<int>, l list<int>, u pair, fz frozen<set<int>>, \
        fu frozen<pair>)
        """,
        "INSERT INTO t (p, m, st, l, u, fz, fu) VALUES (1, {'a': 1}, {5}, [9], {x: 1}, {1, 2}, {x: 1}) USING TIMESTAMP 10",
        "UPDATE t USING TIMESTAMP 20 AND TTL 1000 SET m['b'] = 2, st = st + {3}, l = l + [8] WHERE p = 1",
    ]

    private static func database(_ release: String) throws -> Database {
        let database = try Database(release: release)
        for text in Self.schema { try database.run(text) }
        return database
    }

    @Test(arguments: ["m", "st", "l", "u"])
    func `an old node refuses the times of several cells`(_ column: String) throws {
        let database = try Self.database("4.1.6")
        #expect(database.refusal("SELECT writetime(\(column)) FROM t")?.contains("on non-frozen") == true)
        #expect(database.refusal("SELECT ttl(\(column)) FROM t")?.contains("on non-frozen") == true)
    }

    @Test func `an old node has times of frozen columns and none of parts`() throws {
        let database = try Self.database("4.1.6")
        #expect(
            try database.rows("SELECT writetime(fz), writetime(fu), ttl(fz) FROM t") == [
                [.bigint(10), .bigint(10), .null]
            ]
        )
        for text in ["writetime(m['a'])", "writetime(u.x)", "ttl(st[5])", "maxwritetime(m)"] {
            #expect(database.refusal("SELECT \(text) FROM t") != nil)
        }
    }

    @Test func `a new node lists them in the order of the elements`() throws {
        let database = try Self.database("5.0.2")
        #expect(
            try database.rows("SELECT writetime(m), writetime(st), writetime(l), writetime(u) FROM t") == [
                [
                    .list([.bigint(10), .bigint(20)]), .list([.bigint(20), .bigint(10)]),
                    .list([.bigint(10), .bigint(20)]), .list([.bigint(10), .null]),
                ]
            ]
        )
        guard case .list(let lives) = try database.rows("SELECT ttl(m) FROM t")[0][0] else {
            Issue.record("no list of lives")
            return
        }
        #expect(lives.count == 2 && lives[0] == .null)
        if case .int(let seconds) = lives[1] {
            #expect((990...1_000).contains(seconds))
        } else {
            Issue.record("no life")
        }
        #expect(try database.rows("SELECT maxwritetime(m), writetime(fz) FROM t") == [[.bigint(20), .bigint(10)]])
    }

    @Test func `a new node tells the time of one element or field`() throws {
        let database = try Self.database("5.0.2")
        #expect(
            try database.rows("SELECT writetime(m['b']), writetime(st[5]), writetime(u.x), writetime(u.y) FROM t")
                == [[.bigint(20), .bigint(10), .bigint(10), .null]]
        )
        #expect(try database.rows("SELECT writetime(m['absent']), ttl(m['a']) FROM t") == [[.null, .null]])
        #expect(
            try database.rows("SELECT writetime(m[?]) FROM t", [.init(bytes: Array("a".utf8))]) == [[.bigint(10)]],
            "the key may be bound"
        )
        #expect(database.refusal("SELECT writetime(p) FROM t")?.contains("PRIMARY KEY part p") == true)
    }
}
