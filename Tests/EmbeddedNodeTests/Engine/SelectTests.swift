import CQLProtocol
import NIOCore
import Testing

@testable import EmbeddedNode

@Suite struct SelectTests {
    private func wide(rows: Int = 10) throws -> Database {
        let database = try Database(
            "CREATE TABLE t (a int, b int, v int, PRIMARY KEY (a, b)) WITH CLUSTERING ORDER BY (b DESC)"
        )
        for row in 0..<rows { try database.run("INSERT INTO t (a, b, v) VALUES (\(row % 2), \(row), \(row * 10))") }
        return database
    }

    @Test func `rows come in clustering order, and against it on demand`() throws {
        let database = try wide()
        #expect(
            try database.rows("SELECT b FROM t WHERE a = 0") == [[.int(8)], [.int(6)], [.int(4)], [.int(2)], [.int(0)]]
        )
        #expect(
            try database.rows("SELECT b FROM t WHERE a = 0 AND b > 2 ORDER BY b ASC LIMIT 2") == [[.int(4)], [.int(6)]]
        )
        #expect(
            try database.rows("SELECT b FROM t WHERE a IN (1, 0) AND b <= 1 ORDER BY b DESC") == [[.int(1)], [.int(0)]]
        )
        #expect(try database.rows("SELECT a, b FROM t PER PARTITION LIMIT 1").count == 2)
    }

    @Test func `what needs filtering is refused without ALLOW FILTERING`() throws {
        let database = try wide()
        #expect(database.refusal("SELECT * FROM t WHERE v = 10")?.contains("use ALLOW FILTERING") == true)
        #expect(database.refusal("SELECT * FROM t WHERE b = 1")?.contains("use ALLOW FILTERING") == true)
        #expect(try database.rows("SELECT b FROM t WHERE v = 10 ALLOW FILTERING") == [[.int(1)]])
        try database.run("CREATE INDEX ON t (v)")
        #expect(try database.rows("SELECT b FROM t WHERE v = 30") == [[.int(3)]])
        #expect(database.refusal("SELECT * FROM t ORDER BY b")?.contains("ORDER BY is only supported") == true)
    }

    @Test(arguments: [1, 2, 3, 7, 100])
    func `pages put together are the whole answer`(pageSize: Int32) throws {
        let database = try wide(rows: 25)
        let query = try database.engine.prepare("SELECT a, b FROM t", keyspace: "k")
        var parameters = QueryParameters(pageSize: pageSize)
        var all: [[ByteBuffer?]] = []
        var pages = 0
        repeat {
            guard case .rows(let rows) = try database.engine.execute(query, parameters).message else { break }
            #expect(rows.rowCount <= pageSize)
            all += rows.map(\.cells)
            parameters.pagingState = rows.metadata.pagingState
            pages += 1
        } while parameters.pagingState != nil
        #expect(all.count == 25)
        #expect(Set(all).count == 25)
        #expect(pages == (25 + Int(pageSize) - 1) / Int(pageSize))
        guard case .rows(let whole) = try database.run("SELECT a, b FROM t").message else { return }
        #expect(whole.map(\.cells) == all)
    }

    @Test func `limits hold over pages`() throws {
        let database = try wide(rows: 25)
        let query = try database.engine.prepare("SELECT a, b FROM t PER PARTITION LIMIT 4 LIMIT 7", keyspace: "k")
        var parameters = QueryParameters(pageSize: 3)
        var sizes: [Int] = []
        repeat {
            guard case .rows(let rows) = try database.engine.execute(query, parameters).message else { break }
            sizes.append(rows.rowCount)
            parameters.pagingState = rows.metadata.pagingState
        } while parameters.pagingState != nil
        #expect(sizes == [3, 3, 1])
    }

    @Test func `token ranges cover the ring without overlap`() throws {
        let database = try Database("CREATE TABLE r (k int PRIMARY KEY)")
        for key in 0..<50 { try database.run("INSERT INTO r (k) VALUES (\(key))") }
        let tokens = try database.rows("SELECT token(k) FROM r")
        guard case .bigint(let middle) = tokens[25][0] else { return }
        let low = try database.rows("SELECT k FROM r WHERE token(k) <= ?", [.bigint(middle)])
        let high = try database.rows(
            "SELECT k FROM r WHERE token(k) > ? AND token(k) <= ?",
            [.bigint(middle), .bigint(.max)]
        )
        #expect(low.count == 26)
        #expect(low + high == (try database.rows("SELECT k FROM r")))
    }

    @Test func `aggregates and groups`() throws {
        let database = try wide()
        #expect(
            try database.rows("SELECT count(*), sum(v), min(b), max(b), avg(v) FROM t") == [
                [.bigint(10), .int(450), .int(0), .int(9), .int(45)]
            ]
        )
        #expect(try database.columns("SELECT count(*), sum(v) FROM t") == ["count", "system.sum(v)"])
        #expect(try database.rows("SELECT a, count(b) FROM t GROUP BY a").map { $0[1] } == [.bigint(5), .bigint(5)])
        #expect(try database.rows("SELECT count(*) FROM t WHERE a = 77") == [[.bigint(0)]])
        #expect(try database.run("SELECT count(*) FROM t").warnings == ["Aggregation query used without partition key"])
    }

    @Test func `functions and casts`() throws {
        let database = try wide()
        #expect(
            try database.rows("SELECT cast(b as text), intAsBlob(b), toJson(v), b + 1 FROM t WHERE a = 1 AND b = 3")
                == [[.text("3"), .blob(ByteBuffer(bytes: [0, 0, 0, 3])), .text("30"), .int(4)]]
        )
        #expect(try database.columns("SELECT writetime(v), ttl(v), v AS x FROM t") == ["writetime(v)", "ttl(v)", "x"])
        #expect(database.refusal("SELECT writetime(b) FROM t")?.contains("PRIMARY KEY part b") == true)
    }

    @Test func `prepared statements tell names, types and the partition key`() throws {
        let database = try Database(
            "CREATE TABLE q (a int, b text, c int, l list<text>, m map<text, int>, PRIMARY KEY ((a, b), c))"
        )
        func markers(_ text: String) throws -> [String] {
            try database.engine.prepare(text, keyspace: "k").parameters.markers.map { "\($0.name) \($0.type)" }
        }
        let insert = try database.engine.prepare("INSERT INTO q (c, b, a) VALUES (?, ?, ?) USING TTL ?", keyspace: "k")
        #expect(insert.parameters.partitionKeyIndices == [2, 1])
        #expect(insert.parameters.markers.map(\.name) == ["c", "b", "a", "[ttl]"])
        #expect(
            try markers("SELECT * FROM q WHERE a = :x AND b IN ? AND c > :y LIMIT ?").map {
                $0.split(separator: " ")[0]
            } == ["x", "in(b)", "y", "[limit]"]
        )
        #expect(
            try database.engine.prepare(
                "UPDATE q SET l[?] = ?, m[?] = ? WHERE a = ? AND b = ? AND c = ?",
                keyspace: "k"
            )
            .parameters.markers.map(\.name) == ["idx(l)", "value(l)", "key(m)", "value(m)", "a", "b", "c"]
        )
        #expect(database.refusal("SELECT nope FROM q") == "Undefined column name nope in table k.q")
        #expect(database.refusal("SELEC 1")?.hasPrefix("line 1:0 no viable alternative at input 'SELEC'") == true)
    }

    @Test func `filters on collections`() throws {
        let database = try Database("CREATE TABLE f (k int PRIMARY KEY, s set<text>, m map<text, int>)")
        try database.run("INSERT INTO f (k, s, m) VALUES (1, {'a', 'b'}, {'x': 1})")
        try database.run("INSERT INTO f (k, s, m) VALUES (2, {'c'}, {'y': 2})")
        #expect(try database.rows("SELECT k FROM f WHERE s CONTAINS 'a' ALLOW FILTERING") == [[.int(1)]])
        #expect(try database.rows("SELECT k FROM f WHERE m CONTAINS KEY 'y' ALLOW FILTERING") == [[.int(2)]])
        #expect(try database.rows("SELECT k FROM f WHERE m['x'] = 1 ALLOW FILTERING") == [[.int(1)]])
        #expect(try database.rows("SELECT k, m['y'] FROM f WHERE k = 2") == [[.int(2), .int(2)]])
    }
}
