import CQLProtocol
import NIOCore
import Testing

@testable import EmbeddedNode

@Suite struct WriteTests {
    private let wide =
        "CREATE TABLE t (a int, b int, s text static, v text, l list<int>, m map<text, int>, e set<int>, PRIMARY KEY (a, b))"

    @Test func `the later timestamp wins in whatever order writes come`() throws {
        let database = try Database(wide)
        try database.run("INSERT INTO t (a, b, v) VALUES (1, 1, 'new')", at: 20)
        try database.run("INSERT INTO t (a, b, v) VALUES (1, 1, 'old')", at: 10)
        #expect(try database.rows("SELECT v, writetime(v) FROM t WHERE a = 1") == [[.text("new"), .bigint(20)]])
    }

    @Test func `a time to live is counted down and told`() throws {
        let database = try Database(wide)
        try database.run("INSERT INTO t (a, b, v) VALUES (1, 1, 'x') USING TTL 1000 AND TIMESTAMP 7")
        let row = try database.rows("SELECT ttl(v), writetime(v) FROM t")
        #expect(row == [[.int(1000), .bigint(7)]] || row == [[.int(999), .bigint(7)]])
        #expect(database.refusal("INSERT INTO t (a, b) VALUES (1, 1) USING TTL 630720001") != nil)
        #expect(database.refusal("INSERT INTO t (a, b) VALUES (1, 1) USING TTL -1") != nil)
    }

    @Test func `an update makes no row that outlives its values`() throws {
        let database = try Database(wide)
        try database.run("UPDATE t SET v = 'x' WHERE a = 1 AND b = 1", at: 1)
        try database.run("UPDATE t SET v = null WHERE a = 1 AND b = 1", at: 2)
        #expect(try database.rows("SELECT * FROM t").isEmpty)
        try database.run("INSERT INTO t (a, b) VALUES (1, 1)", at: 3)
        #expect(try database.rows("SELECT a, b, v FROM t") == [[.int(1), .int(1), .null]])
    }

    @Test func `statics are shared by the rows of a partition and stand alone`() throws {
        let database = try Database(wide)
        try database.run("INSERT INTO t (a, s) VALUES (1, 'shared')")
        #expect(try database.rows("SELECT a, b, s FROM t") == [[.int(1), .null, .text("shared")]])
        try database.run("INSERT INTO t (a, b, v) VALUES (1, 1, 'x')")
        try database.run("INSERT INTO t (a, b, v) VALUES (1, 2, 'y')")
        #expect(
            try database.rows("SELECT b, s FROM t") == [[.int(1), .text("shared")], [.int(2), .text("shared")]]
        )
        #expect(try database.rows("SELECT DISTINCT a, s FROM t") == [[.int(1), .text("shared")]])
    }

    @Test func `lists, sets and maps take additions and removals`() throws {
        let database = try Database(wide)
        try database.run("INSERT INTO t (a, b, l, m, e) VALUES (1, 1, [1, 2], {'x': 1}, {5, 3})")
        try database.run("UPDATE t SET l = l + [3], m = m + {'y': 2}, e = e + {4} WHERE a = 1 AND b = 1")
        try database.run("UPDATE t SET l = [0] + l, m = m - {'x'}, e = e - {5} WHERE a = 1 AND b = 1")
        try database.run("UPDATE t SET l[1] = 10, m['z'] = 3 WHERE a = 1 AND b = 1")
        try database.run("DELETE l[3] FROM t WHERE a = 1 AND b = 1")
        let row = try database.rows("SELECT l, m, e FROM t")
        #expect(
            row == [
                [
                    .list([.int(0), .int(10), .int(2)]),
                    .map([.init(key: .text("y"), value: .int(2)), .init(key: .text("z"), value: .int(3))]),
                    .set([.int(3), .int(4)]),
                ]
            ]
        )
        #expect(
            database.refusal("UPDATE t SET l[9] = 1 WHERE a = 1 AND b = 1")
                == "List index 9 out of bound, list has size 3"
        )
        try database.run("UPDATE t SET l = l - [10, 2] WHERE a = 1 AND b = 1")
        #expect(try database.rows("SELECT l FROM t") == [[.list([.int(0)])]])
        try database.run("UPDATE t SET l = [] WHERE a = 1 AND b = 1")
        #expect(try database.rows("SELECT l FROM t") == [[.null]])
    }

    @Test func `deletions cover partitions, rows, ranges and columns`() throws {
        let database = try Database(wide)
        for row in 1...6 { try database.run("INSERT INTO t (a, b, v) VALUES (1, \(row), 'x')", at: 10) }
        try database.run("DELETE FROM t WHERE a = 1 AND b > 4", at: 11)
        try database.run("DELETE FROM t WHERE a = 1 AND b IN (1, 2)", at: 11)
        try database.run("DELETE v FROM t WHERE a = 1 AND b = 3", at: 11)
        #expect(try database.rows("SELECT b, v FROM t") == [[.int(3), .null], [.int(4), .text("x")]])
        // What the range covers stays deleted when it arrives late.
        try database.run("INSERT INTO t (a, b, v) VALUES (1, 9, 'late')", at: 10)
        #expect(try database.rows("SELECT b FROM t WHERE a = 1 AND b = 9").isEmpty)
        try database.run("DELETE FROM t WHERE a = 1", at: 12)
        #expect(try database.rows("SELECT * FROM t").isEmpty)
    }

    @Test func `unset values leave a column alone, null deletes it`() throws {
        let database = try Database(wide)
        let text = "INSERT INTO t (a, b, v, s) VALUES (?, ?, ?, ?)"
        try database.run(text, [.int(1), .int(1), .text("v"), .text("s")])
        try database.run(text, [.int(1), .int(1), .unset, .null])
        #expect(try database.rows("SELECT v, s FROM t") == [[.text("v"), .null]])
        #expect(
            database.refusal(text, [.null, .int(1), .unset, .unset]) == "Invalid null value in condition for column a"
        )
        #expect(database.refusal(text, [.int(1)]) == "There were 4 markers(?) in CQL but 1 bound variables")
        #expect(
            database.refusal(text, [.bigint(1), .int(1), .unset, .unset]) == "Expected 4 or 0 byte int (8) for column a"
        )
    }

    @Test func `counters add up and cannot be set`() throws {
        let database = try Database("CREATE TABLE c (k text PRIMARY KEY, n counter)")
        for _ in 0..<3 { try database.run("UPDATE c SET n = n + 5 WHERE k = 'x'") }
        try database.run("UPDATE c SET n = n - ? WHERE k = 'x'", [.bigint(1)])
        #expect(try database.rows("SELECT n FROM c") == [[.bigint(14)]])
        #expect(
            database.refusal("UPDATE c SET n = 1 WHERE k = 'x'")?.contains("Cannot set the value of counter") == true
        )
        #expect(database.refusal("INSERT INTO c (k, n) VALUES ('x', 1)")?.contains("use UPDATE instead") == true)
    }

    @Test func `conditional writes answer as Cassandra does`() throws {
        let database = try Database("CREATE TABLE u (id int PRIMARY KEY, name text, logins list<text>)")
        let insert = "INSERT INTO u (id, name) VALUES (1, 'a') IF NOT EXISTS"
        #expect(try database.rows(insert) == [[.boolean(true)]])
        #expect(try database.rows(insert) == [[.boolean(false), .int(1), .null, .text("a")]])
        #expect(try database.columns(insert) == ["[applied]", "id", "logins", "name"])
        #expect(try database.rows("UPDATE u SET name = 'c' WHERE id = 1 IF name = 'a'") == [[.boolean(true)]])
        let failing = "UPDATE u SET name = 'd' WHERE id = 1 IF name = 'zzz'"
        #expect(try database.rows(failing) == [[.boolean(false), .text("c")]])
        #expect(try database.columns(failing) == ["[applied]", "name"])
        #expect(try database.rows("DELETE FROM u WHERE id = 1 IF EXISTS") == [[.boolean(true)]])
        #expect(try database.rows("DELETE FROM u WHERE id = 1 IF EXISTS") == [[.boolean(false)]])
        #expect(try database.rows("UPDATE u SET name = 'x' WHERE id = 9 IF name = null") == [[.boolean(true)]])
        #expect(try database.rows("UPDATE u SET name = 'y' WHERE id = 9 IF name IN ('a', 'x')") == [[.boolean(true)]])
        #expect(
            database.refusal("\(insert) USING TIMESTAMP 5") == "Cannot provide custom timestamp for conditional updates"
        )
    }

    @Test func `a batch applies whole, with one timestamp`() throws {
        let database = try Database(wide)
        try database.run(
            "BEGIN BATCH USING TIMESTAMP 9 INSERT INTO t (a, b, v) VALUES (1, 1, 'x'); UPDATE t SET v = ? WHERE a = 1 AND b = ?; APPLY BATCH",
            [.text("y"), .int(2)]
        )
        #expect(
            try database.rows("SELECT b, v, writetime(v) FROM t")
                == [[.int(1), .text("x"), .bigint(9)], [.int(2), .text("y"), .bigint(9)]]
        )
        let refused =
            "BEGIN BATCH INSERT INTO t (a, b, v) VALUES (1, 1, 'z') IF NOT EXISTS; INSERT INTO t (a, b, v) VALUES (1, 3, 'z'); APPLY BATCH"
        #expect(try database.rows(refused).first?.first == .boolean(false))
        #expect(try database.rows("SELECT b FROM t WHERE a = 1 AND b = 3").isEmpty)
        let spanning =
            "BEGIN BATCH INSERT INTO t (a, b) VALUES (1, 1) IF NOT EXISTS; INSERT INTO t (a, b) VALUES (2, 3); APPLY BATCH"
        #expect(database.refusal(spanning) == "Batch with conditions cannot span multiple partitions")
    }

    @Test func `JSON is written and read`() throws {
        let database = try Database(wide)
        try database.run(#"INSERT INTO t JSON '{"a": 1, "b": 2, "v": "q\"\u00e9", "m": {"x": 1}, "l": [3]}'"#)
        #expect(
            try database.rows("SELECT JSON a, v, m, l FROM t")
                == [[.text(#"{"a": 1, "v": "q\"é", "m": {"x": 1}, "l": [3]}"#)]]
        )
        #expect(
            database.refusal(#"INSERT INTO t JSON '{"nope": 1}'"#)
                == "JSON values map contains unrecognized column: nope"
        )
    }

    @Test func `user types are written whole and by field`() throws {
        let database = try Database(
            "CREATE TYPE address (street text, zip int)",
            "CREATE TABLE p (k int PRIMARY KEY, f frozen<address>, u address, t tuple<int, text>)"
        )
        try database.run("INSERT INTO p (k, f, u, t) VALUES (1, {street: 's', zip: 1}, {zip: 2}, (3, 'x'))")
        try database.run("UPDATE p SET u.street = 'new' WHERE k = 1")
        #expect(
            try database.rows("SELECT f, u, t, u.zip FROM p") == [
                [
                    .tuple([.text("s"), .int(1)]), .tuple([.text("new"), .int(2)]), .tuple([.int(3), .text("x")]),
                    .int(2),
                ]
            ]
        )
    }
}

@Suite struct ConsistencyTests {
    @Test(arguments: [(Consistency.one, true), (.quorum, true), (.all, true), (.two, false), (.three, false)])
    func `a consistency level that the replicas cannot give is refused`(level: Consistency, isPossible: Bool) throws {
        let database = try Database("CREATE TABLE t (k int PRIMARY KEY)")
        let query = try database.engine.prepare("INSERT INTO t (k) VALUES (1)", keyspace: "k")
        let parameters = QueryParameters(consistency: level)
        if isPossible {
            _ = try database.engine.execute(query, parameters)
        } else {
            let error = #expect(throws: NodeError.self) { try database.engine.execute(query, parameters) }
            #expect(error?.message.code == .unavailable)
        }
    }

    @Test func `markers stand anywhere but in collections`() throws {
        let database = try Database(
            "CREATE TYPE y (f timeuuid)",
            "CREATE TABLE c (k int PRIMARY KEY, l list<timeuuid>, s set<int>, m map<int, int>, y frozen<y>, t tuple<int, int>)"
        )
        for (column, literal, kind) in [
            ("l", "[blobAsTimeuuid(?)]", "list"), ("s", "{1, ?}", "set"), ("m", "{1: ?}", "map"),
            ("m", "{?: 1}", "map"),
        ] {
            #expect(
                database.refusal("INSERT INTO c (k, \(column)) VALUES (1, \(literal))", [.int(1)])
                    == "Invalid \(kind) literal for \(column): bind variables are not supported inside collection literals"
            )
        }
        #expect(database.refusal("INSERT INTO c (k, t) VALUES (1, (?, 2))", [.int(1)]) == nil)
        let uuid = BoundValue.value(ByteBuffer(bytes: [0, 1, 2, 3, 4, 5, 0x10, 7, 0x80, 9, 10, 11, 12, 13, 14, 15]))
        #expect(database.refusal("INSERT INTO c (k, y) VALUES (1, {f: blobAsTimeuuid(:name)})", [uuid]) == nil)
        #expect(database.refusal("UPDATE c SET m[?] = 1 WHERE k = 1", [.int(1)]) == nil)
    }

    @Test func `the result of a function goes into columns of its type`() throws {
        let database = try Database(
            "CREATE TABLE f (k uuid PRIMARY KEY, i timeuuid, t text, b blob, n bigint, s timestamp, d date, w time)"
        )
        for (column, call) in [
            ("i", "now()"), ("b", "now()"), ("n", "currentTimestamp()"), ("s", "toTimestamp(now())"),
            ("s", "toTimestamp(currentDate())"), ("d", "toDate(now())"), ("w", "currentTime()"),
            ("i", "blobAsTimeuuid(timeuuidAsBlob(now()))"),
        ] {
            #expect(database.refusal("INSERT INTO f (k, \(column)) VALUES (uuid(), \(call))") == nil, "\(call)")
        }
        let uuid = BoundValue.value(ByteBuffer(bytes: [0, 1, 2, 3, 4, 5, 0x10, 7, 0x80, 9, 10, 11, 12, 13, 14, 15]))
        let nested = "INSERT INTO f (k, s) VALUES (uuid(), toTimestamp(blobAsTimeuuid(:named)))"
        #expect(database.refusal(nested, [uuid]) == nil)
        #expect(
            database.refusal("INSERT INTO f (k, t) VALUES (now(), now())")
                == "Type error: cannot assign result of function system.now (type timeuuid) to t (type text)"
        )
        #expect(
            database.refusal("INSERT INTO f (k, i) VALUES (uuid(), blobAsUuid(0x000102030405100780090a0b0c0d0e0f))")
                == "Type error: cannot assign result of function system.blobasuuid (type uuid) to i (type timeuuid)"
        )
    }
}
