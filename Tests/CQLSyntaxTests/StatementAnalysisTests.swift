import CQLSyntax
import Testing

struct StatementAnalysisTests {
    private func roles(_ text: String) -> [MarkerUse.Role] { StatementAnalysis.analyze(text).markers.map(\.role) }

    @Test(arguments: Accepted.all)
    func `what the grammar accepts never needs the tolerant path`(text: String) {
        let analysis = StatementAnalysis.analyze(text)
        #expect(analysis.precision == .parsed)
        #expect(analysis.kind != .unknown)
        #expect(analysis.markers.map(\.index) == Array(0..<analysis.markers.count))
        #expect(analysis.markers.count == text.filter { $0 == "?" }.count + analysis.markers.count { $0.name != nil })
    }

    @Test func `markers have roles and columns`() {
        let insert = StatementAnalysis.analyze(
            "INSERT INTO ks.t (a, b, c) VALUES (?, f(:x), [?]) IF NOT EXISTS USING TTL ? AND TIMESTAMP ?"
        )
        #expect(insert.keyspace == "ks" && insert.table == "t" && insert.kind == .insert)
        #expect(insert.markers.map(\.role) == [.value, .value, .value, .timeToLive, .timestamp])
        #expect(insert.markers.map(\.column) == ["a", "b", "c", nil, nil])
        #expect(insert.markers.map(\.isDirect) == [true, false, false, true, true])
        #expect(insert.markers.map(\.name) == [nil, "x", nil, nil, nil])
        #expect(insert.hasConditions && insert.hasIfNotExists && insert.usesTimestamp && insert.usesTimeToLive)

        let update = StatementAnalysis.analyze(
            "UPDATE t USING TTL ? SET m[?] = ?, a = ? WHERE k = ? AND c IN (?, ?) AND d > ? IF a = ? AND b IN ?"
        )
        #expect(
            update.markers.map(\.role) == [
                .timeToLive, .elementKey, .value, .value, .keyEquality, .keyIn, .keyIn, .restriction, .condition,
                .condition,
            ]
        )
        #expect(update.markers.map(\.column) == [nil, "m", "m", "a", "k", "c", "c", "d", "a", "b"])
        #expect(
            self.roles("SELECT ? FROM t WHERE token(k) > token(?) AND k IN ? PER PARTITION LIMIT ? LIMIT ?")
                == [.selector, .restriction, .keyIn, .perPartitionLimit, .limit]
        )
        #expect(self.roles("INSERT INTO t JSON ?") == [.json])
        #expect(
            self.roles("DELETE l[?] FROM t USING TIMESTAMP ? WHERE k = ?") == [.elementKey, .timestamp, .keyEquality]
        )
    }

    @Test(arguments: [
        ("INSERT INTO t (a) VALUES (?)", true), ("INSERT INTO t (a) VALUES (?) IF NOT EXISTS", false),
        ("INSERT INTO t (a) VALUES (now())", false), ("INSERT INTO t (a) VALUES (toTimestamp(now()))", false),
        ("INSERT INTO t (a) VALUES (uuid())", false), ("INSERT INTO t (a) VALUES (currentTimestamp())", false),
        ("INSERT INTO t (a) VALUES (blobAsInt(0x00000001))", true), ("INSERT INTO t (a) VALUES (intAsBlob(3))", true),
        ("INSERT INTO t (a) VALUES (system.toDate(?))", true), ("INSERT INTO t (a) VALUES (ks.toDate(?))", false),
        ("INSERT INTO t (a) VALUES (my_function(1))", false),
        ("INSERT INTO t JSON '{}'", true), ("UPDATE t SET a = ? WHERE k = ?", true),
        ("UPDATE t SET a = 1 WHERE k = 1 IF EXISTS", false), ("UPDATE t SET c = c + 1 WHERE k = 1", false),
        ("UPDATE t SET c += ? WHERE k = 1", false), ("UPDATE t SET c -= ? WHERE k = 1", false),
        ("UPDATE t SET l = l + [1] WHERE k = 1", false), ("UPDATE t SET l = l + ? WHERE k = 1", false),
        ("UPDATE t SET l = [1] + l WHERE k = 1", false), ("UPDATE t SET l = ? + l WHERE k = 1", false),
        ("UPDATE t SET s = s + {1} WHERE k = 1", true), ("UPDATE t SET m = m + {'a': ?} WHERE k = 1", true),
        ("UPDATE t SET s = s - {1} WHERE k = 1", true), ("UPDATE t SET l = l - [1] WHERE k = 1", false),
        ("UPDATE t SET l[0] = 'z' WHERE k = 1", true),
        ("UPDATE t SET m[?] = ? WHERE k = 1", true), ("DELETE m['k'] FROM t WHERE k = 1", true),
        ("DELETE l[0] FROM t WHERE k = 1", false), ("DELETE l[?] FROM t WHERE k = 1", false),
        ("DELETE a FROM t WHERE k = 1", true), ("DELETE FROM t WHERE k = now()", false),
        ("BEGIN BATCH INSERT INTO t (a) VALUES (1); DELETE FROM t WHERE a = 2; APPLY BATCH", true),
        ("BEGIN BATCH INSERT INTO t (a) VALUES (1); UPDATE t SET c = c + 1 WHERE k = 1; APPLY BATCH", false),
        ("BEGIN COUNTER BATCH APPLY BATCH", false), ("SELECT now() FROM t", true), ("CREATE INDEX ON t (a)", false),
        ("TRUNCATE t", false), ("what is this", false),
    ])
    func `idempotence errs on the safe side`(text: String, expected: Bool) {
        #expect(StatementAnalysis.analyze(text).isIdempotent == expected)
    }

    @Test func `functions are listed with ranges and nesting`() {
        let text = "INSERT INTO t (a, b) VALUES (toTimestamp(now()), 1)"
        let functions = StatementAnalysis.analyze(text).functions
        #expect(functions.map(\.name.name) == ["totimestamp", "now"])
        #expect(functions.map(\.isNonDeterministic) == [false, true])
        #expect(functions.map(\.column) == ["a", "a"])
        #expect(functions.map(\.depth) == [0, 1])
        let bytes = Array(text.utf8)
        let calls = functions.map { String(decoding: bytes[$0.range.start..<$0.range.end], as: UTF8.self) }
        #expect(calls == ["toTimestamp(now())", "now()"])
    }

    @Test func `a batch tells its children`() {
        let text =
            "BEGIN UNLOGGED BATCH USING TIMESTAMP ? INSERT INTO ks.a (x) VALUES (?); UPDATE ks.b SET y = ? WHERE x = ? "
            + "IF z = ?; APPLY BATCH"
        let batch = StatementAnalysis.analyze(text)
        #expect(batch.kind == .batch && batch.batchKind == .unlogged && batch.usesTimestamp && batch.hasConditions)
        #expect(batch.keyspace == "ks" && batch.table == nil)
        #expect(batch.children.map(\.table) == ["a", "b"])
        #expect(batch.markers.map(\.index) == [0, 1, 2, 3, 4])
        #expect(batch.children[1].markers.map(\.index) == [2, 3, 4])
        let bytes = Array(text.utf8)
        let first = batch.children[0].range
        #expect(String(decoding: bytes[first.start..<first.end], as: UTF8.self) == "INSERT INTO ks.a (x) VALUES (?)")
    }

    @Test func `selections tell columns and equalities`() throws {
        let text = "SELECT key, count(*) AS n, toJson(a) FROM system.local WHERE key = 'local' AND b > 1 LIMIT 3"
        let selection = try #require(StatementAnalysis.analyze(text).selection)
        #expect(selection.items?.map(\.name) == ["key", "n", "toJson(a)"])
        #expect(selection.items?.map(\.column) == ["key", nil, nil])
        #expect(selection.items?.map(\.isCount) == [false, true, false])
        #expect(selection.equalities.map(\.column) == ["key"])
        #expect(!selection.hasOnlyEqualities && selection.limit == 3)
        #expect(StatementAnalysis.analyze("SELECT * FROM system.peers").selection?.items == nil)
    }

    @Test func `writes whose repetition depends on the column are told`() {
        func effects(_ set: String) -> [ColumnWrite.Effect] {
            let writes = StatementAnalysis.analyze("UPDATE t SET \(set) WHERE k = 1").columnWrites
            #expect(writes.allSatisfy { $0.column == "c" })
            return writes.map(\.effect)
        }
        #expect(effects("c = c + 1") == [.add])
        #expect(effects("c = c - ?") == [.subtract])
        #expect(effects("c = c + [1]") == [.add])
        #expect(effects("c = [1] + c") == [.prepend])
        #expect(effects("c[1] = 2") == [.setElement])
        #expect(effects("c = ?") == [.assign])
        #expect(effects("c = c + {1}") == [] && effects("c['k'] = 2") == [] && effects("c = 'text'") == [])
    }

    @Test(arguments: [
        ("SELECT * FROM ks.t WHERE k = ? BYPASS CACHE", StatementKind.select, "ks", "t"),
        ("SELECT * FROM ks.t WHERE k = ? USING TIMEOUT 5s", .select, "ks", "t"),
        ("INSERT INTO ks.t (a) VALUES (?) USING TIMEOUT 500ms AND TTL 5", .insert, "ks", "t"),
        ("UPDATE \"Ks\".\"T\" FROBNICATE SET a = ? WHERE k = 1", .update, "Ks", "T"),
        ("DELETE FROM ks.t WHERE k = ? EXTRA", .delete, "ks", "t"),
        ("SELECT a, mystery(SELECT x FROM y) FROM ks.t", .select, "ks", "t"),
        ("PRUNE MATERIALIZED VIEW ks.t WHERE v = ?", .unknown, "ks", "t"),
        ("TRUNCATE ks.t USING TIMEOUT 5s", .truncate, "ks", "t"),
        ("CREATE TABLE ks.t (k int PRIMARY KEY) WITH x = [1]", .ddl(Self.create(.table)), "ks", "t"),
        ("CREATE INDEX IF NOT EXISTS ON ks.t ((a), b)", .ddl(Self.create(.index)), "ks", "t"),
        ("INSERT INTO ks.t (a) VALUES ('unterminated ?", .insert, "ks", "t"),
    ])
    func `dialects keep kind and table`(text: String, kind: StatementKind, keyspace: String, table: String) {
        let analysis = StatementAnalysis.analyze(text)
        #expect(analysis.precision == .tolerant)
        #expect(analysis.kind == kind)
        #expect(analysis.keyspace == keyspace)
        #expect(analysis.table == table)
    }

    private static func create(_ object: SchemaChange.Object) -> SchemaChange {
        if case .ddl(let change) = StatementAnalysis.analyze(object == .table ? "CREATE TABLE" : "CREATE INDEX").kind {
            return change
        }
        preconditionFailure("not a schema change")
    }

    @Test func `a dialect's markers keep their roles`() {
        let analysis = StatementAnalysis.analyze(
            "UPDATE t FROBNICATE USING TTL ? SET a = ?, b = {x: :y} WHERE k = :k IF a = ? LIMIT ?"
        )
        #expect(analysis.markers.map(\.role) == [.timeToLive, .value, .value, .keyEquality, .condition, .limit])
        #expect(analysis.markers.map(\.name) == [nil, nil, "y", "k", nil, nil])
        #expect(analysis.usesTimeToLive && analysis.hasConditions && !analysis.isIdempotent)
    }

    @Test func `a timeout is a value like any other`() {
        let analysis = StatementAnalysis.analyze("UPDATE t USING TIMEOUT ? AND TTL ? SET a = ? WHERE k = 1")
        #expect(analysis.markers.map(\.index) == [0, 1, 2])
        #expect(analysis.markers.map(\.role) == [.other, .timeToLive, .value])
    }

    @Test func `a dialect's batch keeps its children`() {
        let text =
            "BEGIN BATCH USING TIMESTAMP ? INSERT INTO a.b (x) VALUES (?) FROB; UPDATE a.c SET x = ? WHERE k = ?; APPLY BATCH"
        let batch = StatementAnalysis.analyze(text)
        #expect(batch.kind == .batch && batch.precision == .tolerant && batch.usesTimestamp)
        #expect(batch.children.map(\.table) == ["b", "c"])
        #expect(batch.markers.map(\.index) == [0, 1, 2, 3])
        #expect(batch.keyspace == "a")
    }

    @Test(arguments: [
        "", ";", "hello", "🦊", "'", "(((", "CREATE", "?", ":x", "BEGIN", "BEGIN UNLOGGED", "\0", "-- SELECT",
    ])
    func `nonsense is unknown`(text: String) {
        let analysis = StatementAnalysis.analyze(text)
        #expect(analysis.kind == .unknown)
        #expect(!analysis.isIdempotent)
    }

    @Test func `whether a write may be repeated depends on what its columns are`() {
        let table = TableShape(columns: ["k": .other, "v": .other, "m": .other, "l": .list, "c": .counter])
        func isIdempotent(_ text: String) -> Bool { StatementAnalysis.analyze(text).isIdempotent { _, _ in table } }
        for text in [
            "INSERT INTO t (k, v, m) VALUES (?, ?, ?)", "INSERT INTO t (k, l) VALUES (1, null)",
            "UPDATE t SET m = m + ? WHERE k = 1", "UPDATE t SET m = m - ? WHERE k = 1",
            "DELETE m[?] FROM t WHERE k = 1",
            "UPDATE t SET m[?] = ? WHERE k = 1", "UPDATE t SET v = 'text' WHERE k IN ?",
            "BEGIN BATCH INSERT INTO t (k, v) VALUES (?, ?); UPDATE t SET m = m + ? WHERE k = ?; APPLY BATCH",
        ] {
            #expect(isIdempotent(text), "\(text)")
        }
        for text in [
            "INSERT INTO t (k, l) VALUES (?, ?)", "INSERT INTO t (k, l) VALUES (1, [1, 2])",
            "UPDATE t SET l = ? WHERE k = 1", "UPDATE t SET l = [1] WHERE k = 1", "INSERT INTO t JSON ?",
            "UPDATE t SET l = l + ? WHERE k = 1", "UPDATE t SET l = [1] + l WHERE k = 1",
            "DELETE l[?] FROM t WHERE k = 1",
            "UPDATE t SET l = l - ? WHERE k = 1", "UPDATE t SET l = l - [1] WHERE k = 1",
            "UPDATE t SET l[0] = 1 WHERE k = 1",
            "UPDATE t SET c = c + ? WHERE k = 1", "UPDATE t SET c = c - 1 WHERE k = 1",
            "INSERT INTO t (k, new) VALUES (?, [1])", "INSERT INTO t (k, v) VALUES (1, now())",
            "BEGIN BATCH INSERT INTO t (k, v) VALUES (?, ?); UPDATE t SET l = ? WHERE k = ?; APPLY BATCH",
        ] {
            #expect(!isIdempotent(text), "\(text)")
        }
        for (text, isHarmless) in [
            ("INSERT INTO t (k, v) VALUES (?, ?)", true), ("INSERT INTO t (k, v) VALUES (1, [1])", false),
            ("UPDATE t SET v = v + ? WHERE k = 1", false),
        ] {
            let analysis = StatementAnalysis.analyze(text)
            #expect(analysis.isIdempotent { _, _ in nil } == isHarmless, "nobody knows the table yet: \(text)")
            #expect(analysis.isIdempotent == isHarmless, "nobody will ever know it: \(text)")
        }
    }
}
