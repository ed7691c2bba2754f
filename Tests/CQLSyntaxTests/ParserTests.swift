import CQLSyntax
import Testing

/// Texts that Cassandra's grammar accepts, one list for the tests of parser, analysis and rewriter.
enum Accepted {
    static let reads = [
        "SELECT * FROM t", "select a, b as c from ks.t;", "SELECT JSON * FROM t WHERE k = 1",
        "SELECT DISTINCT k FROM t",
        "SELECT json FROM t", "SELECT distinct, json FROM t", "SELECT json AS j FROM t",
        "SELECT count(*) FROM t", "SELECT COUNT(1) AS n FROM t", "SELECT count(a) FROM t",
        "SELECT writetime(a), ttl(a), token(k), max(a), ks.f(a, 1) FROM t", "SELECT cast(a AS text) FROM t",
        "SELECT a.b.c, m['x'], m['a'..'b'], s[1..], s[..2] FROM t",
        "SELECT (int) 5, (a, b), [a, 1], {a, 2}, {a: b} FROM t",
        "SELECT a + b * 2 - -c / d % 3 FROM t", "SELECT (map<text, int>){'a': 1} FROM t", "SELECT (a + b) * c FROM t",
        "SELECT a-1, a -1, -1, -a FROM t", "SELECT ?, :x FROM t", "SELECT null FROM t",
        "SELECT * FROM t WHERE a = 1 AND b > 'x' AND c >= 0xCA AND d < 1.5 AND e <= -3 AND f != true",
        "SELECT * FROM t WHERE a IN (1, 2) AND b IN ? AND c IN :c AND d IN ()",
        "SELECT * FROM t WHERE (a, b) > (1, 2) AND (a, b) IN ((1, 2), ?) AND (a, b) IN ? AND (a, b) = :t",
        "SELECT * FROM t WHERE token(a, b) > token(1, ?) AND token(a) <= -9223372036854775808",
        "SELECT * FROM t WHERE l CONTAINS 1 AND m CONTAINS KEY 'k' AND m['k'] = 3 AND n LIKE '%x' AND o IS NOT NULL",
        "SELECT * FROM t WHERE (a = 1) AND ((b = 2)) AND expr(idx, 'lucene')",
        "SELECT * FROM t WHERE a = 1 GROUP BY a, floor(b, 5m) ORDER BY b DESC, c ASC, d PER PARTITION LIMIT 2 "
            + "LIMIT ? ALLOW FILTERING",
        "SELECT * FROM t WHERE d > P3DT4H AND e = P1W AND f < 1y2mo AND g = -1h AND h = NaN AND i = -Infinity",
        "SELECT * FROM t WHERE u = 123e4567-e89b-12d3-a456-426614174000 AND b = False",
        "SELECT * FROM \"Ks\".\"T\"\"x\" WHERE \"select\" = 'it''s' AND \"\" = $$ it's $$",
        "SELECT key, type, values, ttl, count, role, list, as FROM t",
        "SELECT * FROM t ORDER BY v ANN OF [1.0, 2.0] LIMIT 3",
    ]

    static let modifications = [
        "INSERT INTO t (a, b) VALUES (1, ?)",
        "INSERT INTO ks.t (a) VALUES (:a) IF NOT EXISTS USING TTL 5 AND TIMESTAMP ?",
        "INSERT INTO t (a, b, c, d, e) VALUES ([1, 2], {1, 2}, {'a': 1}, {street: 'x', zip: ?}, (1, 'x', null))",
        "INSERT INTO t (a, b, c) VALUES (now(), toTimestamp(now()), ks.f(?, 1))", "INSERT INTO t (a) VALUES ({})",
        "INSERT INTO t (a, b) VALUES ((text) 'x', (frozen<list<int>>) [1])", "INSERT INTO t (a) VALUES (-?)",
        "INSERT INTO t (a) VALUES (1 + 2 * 3 - -4)", "INSERT INTO t (a) VALUES (CAST(? AS int))",
        "INSERT INTO t JSON '{\"a\": 1}' DEFAULT UNSET IF NOT EXISTS", "INSERT INTO t JSON ? DEFAULT NULL USING TTL ?",
        "INSERT INTO t JSON :doc", "INSERT INTO t (a) VALUES (token(1))",
        "UPDATE t SET a = 1, b = ? WHERE k = 1",
        "UPDATE t USING TTL ? AND TIMESTAMP :ts SET a = null WHERE k IN (1, 2)",
        "UPDATE t SET c = c + 1 WHERE k = 1", "UPDATE t SET c = c - ? WHERE k = 1", "UPDATE t SET c = c -1 WHERE k = 1",
        "UPDATE t SET c=c-1,d=d+ -2 WHERE k=1", "UPDATE t SET c += 1, d -= 2 WHERE k = 1",
        "UPDATE t SET l = l + ['x'], m = m + {'a': 1}, s = s - {1} WHERE k = 1",
        "UPDATE t SET l = ['x'] + l WHERE k = 1",
        "UPDATE t SET l = ? + l, m['k'] = ?, l2[3] = 'x', u.street = 'y' WHERE k = ?",
        "UPDATE t SET a = f(b(1)) WHERE k = 1 IF EXISTS", "UPDATE t SET a = 1 WHERE k = 1 IF exists = true",
        "UPDATE t SET a = 1 WHERE k = 1 IF a = ? AND m['x'] > 3 AND u.f != 'z' AND b IN (1, ?) AND c IN ?",
        "DELETE FROM t WHERE k = 1", "DELETE a, m['k'], l[0], u.f FROM ks.t USING TIMESTAMP 5 WHERE k = 1 AND c > 3",
        "DELETE FROM t WHERE k = 1 IF EXISTS", "DELETE a FROM t WHERE k = 1 IF a = 'x'",
        "BEGIN BATCH APPLY BATCH",
        "BEGIN UNLOGGED BATCH INSERT INTO t (a) VALUES (?) DELETE FROM t WHERE a = ? APPLY BATCH;",
        "BEGIN COUNTER BATCH UPDATE t SET c = c + 1 WHERE k = 1; UPDATE t SET c += ? WHERE k = 2; APPLY BATCH",
        "BEGIN BATCH USING TIMESTAMP ? INSERT INTO t (a) VALUES (1) IF NOT EXISTS; APPLY BATCH",
        "TRUNCATE t", "TRUNCATE TABLE ks.t", "TRUNCATE COLUMNFAMILY t",
    ]

    static let schema = [
        "CREATE KEYSPACE ks WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 3} AND durable_writes = true",
        "CREATE SCHEMA IF NOT EXISTS \"Ks\" WITH replication = {'class': 'SimpleStrategy', 'replication_factor': '1'}",
        "ALTER KEYSPACE ks WITH durable_writes = false", "ALTER KEYSPACE IF EXISTS ks WITH durable_writes = false",
        "DROP KEYSPACE IF EXISTS ks", "DROP SCHEMA ks", "USE ks", "USE \"Ks\"",
        "CREATE TABLE t (k int PRIMARY KEY, s text STATIC, c counter)",
        "CREATE TABLE IF NOT EXISTS ks.t (a int, b frozen<map<text, frozen<list<\"My Type\">>>>, c ks.udt, "
            + "d 'org.x.Type', e tuple<int, text>, f vector<float, 3>, PRIMARY KEY ((a, b), c)) WITH COMPACT STORAGE "
            + "AND CLUSTERING ORDER BY (c DESC, d ASC) AND ID = '5a1c395e' AND gc_grace_seconds = 10 AND comment = 'it''s' "
            + "AND compaction = {'class': 'LCS', 'enabled': false, 'n': -1.5} AND speculative_retry = $$99p$$",
        "CREATE COLUMNFAMILY t (k int, c int, PRIMARY KEY (k, c))",
        "CREATE TABLE t (k int PRIMARY KEY, v text MASKED WITH DEFAULT)",
        "ALTER TABLE t ADD a int", "ALTER TABLE IF EXISTS t ADD IF NOT EXISTS (a int STATIC, b text)",
        "ALTER TABLE t ADD a int, b int", "ALTER TABLE t DROP a",
        "ALTER TABLE t DROP IF EXISTS (a, b) USING TIMESTAMP 123",
        "ALTER TABLE t DROP COMPACT STORAGE", "ALTER TABLE t ALTER a TYPE blob",
        "ALTER TABLE t RENAME a TO b AND c TO d",
        "ALTER TABLE t WITH comment = 'x' AND caching = {'keys': 'ALL'}", "DROP TABLE IF EXISTS ks.t",
        "CREATE TYPE IF NOT EXISTS ks.u (a int, b frozen<set<text>>)", "ALTER TYPE u ADD c int",
        "ALTER TYPE u RENAME a TO b",
        "ALTER TYPE IF EXISTS u ALTER a TYPE text", "DROP TYPE IF EXISTS ks.u",
        "CREATE INDEX ON t (a)", "CREATE INDEX IF NOT EXISTS i ON ks.t (keys(m))", "CREATE INDEX i ON t (values(keys))",
        "CREATE CUSTOM INDEX i ON t (entries(m)) USING 'org.x.Index' WITH OPTIONS = {'a': 'b'}",
        "CREATE INDEX ON t (full(l))", "CREATE CUSTOM INDEX ON t () USING 'x'", "CREATE INDEX i ON t (a) USING 'sai'",
        "DROP INDEX IF EXISTS ks.i",
        "CREATE MATERIALIZED VIEW IF NOT EXISTS ks.v AS SELECT a, b FROM ks.t WHERE a IS NOT NULL AND b > 3 "
            + "PRIMARY KEY ((a, b), c) WITH CLUSTERING ORDER BY (c DESC)",
        "CREATE MATERIALIZED VIEW v AS SELECT * FROM t WHERE a IS NOT NULL PRIMARY KEY (a)",
        "ALTER MATERIALIZED VIEW v WITH comment = 'x'", "DROP MATERIALIZED VIEW IF EXISTS v",
        "CREATE OR REPLACE FUNCTION ks.f (a int, b list<text>) RETURNS NULL ON NULL INPUT RETURNS int LANGUAGE java "
            + "AS $$ return a; -- 'x' $$",
        "CREATE FUNCTION IF NOT EXISTS f () CALLED ON NULL INPUT RETURNS text LANGUAGE javascript AS 'x'",
        "DROP FUNCTION IF EXISTS ks.f", "DROP FUNCTION f (int, list<text>)", "DROP FUNCTION f ()",
        "CREATE AGGREGATE ks.a (int) SFUNC f STYPE tuple<int, bigint> FINALFUNC g INITCOND (0, 0)",
        "CREATE OR REPLACE AGGREGATE a (int, text) SFUNC f STYPE int", "DROP AGGREGATE IF EXISTS a (int)",
        "CREATE TRIGGER IF NOT EXISTS tr ON ks.t USING 'org.x.T'", "DROP TRIGGER IF EXISTS tr ON ks.t",
    ]

    static let access = [
        "CREATE ROLE r",
        "CREATE ROLE IF NOT EXISTS 'r x' WITH PASSWORD = 'p' AND LOGIN = true AND SUPERUSER = false "
            + "AND OPTIONS = {'a': 'b'} AND ACCESS TO DATACENTERS {'dc1', 'dc2'}",
        "ALTER ROLE \"R\" WITH HASHED PASSWORD = '$2a' AND ACCESS TO ALL DATACENTERS", "DROP ROLE IF EXISTS r",
        "CREATE USER u WITH PASSWORD 'x' SUPERUSER", "CREATE USER IF NOT EXISTS 'u' NOSUPERUSER",
        "ALTER USER u WITH HASHED PASSWORD 'x'", "DROP USER u", "GRANT a TO b", "REVOKE a FROM 'b'",
        "GRANT SELECT ON ks.t TO r", "GRANT ALL PERMISSIONS ON ALL KEYSPACES TO r", "GRANT ALL ON KEYSPACE ks TO r",
        "GRANT SELECT PERMISSION, MODIFY ON ALL TABLES IN KEYSPACE ks TO r", "GRANT DROP ON ROLE x TO r",
        "GRANT ALTER ON ALL ROLES TO r", "REVOKE EXECUTE ON FUNCTION ks.f(int, text) FROM r",
        "REVOKE EXECUTE ON ALL FUNCTIONS IN KEYSPACE ks FROM r", "GRANT EXECUTE ON ALL FUNCTIONS TO r",
        "GRANT DESCRIBE ON ALL MBEANS TO r", "GRANT SELECT ON MBEAN 'x:y=z' TO r", "GRANT EXECUTE ON MBEANS 'x:*' TO r",
        "GRANT CREATE ON TABLE t TO r", "GRANT AUTHORIZE ON role TO r",
        "LIST ROLES", "LIST ROLES OF r NORECURSIVE", "LIST USERS", "LIST ALL PERMISSIONS OF r", "LIST ALL",
        "LIST SELECT ON ks.t OF r NORECURSIVE", "LIST MODIFY PERMISSION ON KEYSPACE ks",
        "DESCRIBE CLUSTER", "DESC SCHEMA", "DESCRIBE FULL SCHEMA WITH INTERNALS", "DESCRIBE KEYSPACES",
        "DESCRIBE TABLES",
        "DESCRIBE KEYSPACE ks", "DESCRIBE ONLY KEYSPACE ks", "DESCRIBE KEYSPACE", "DESCRIBE TABLE ks.t WITH INTERNALS",
        "DESCRIBE TYPES", "DESCRIBE TYPE ks.u", "DESCRIBE FUNCTIONS", "DESCRIBE FUNCTION f", "DESCRIBE AGGREGATES",
        "DESCRIBE AGGREGATE a", "DESCRIBE INDEX i", "DESCRIBE MATERIALIZED VIEW v", "DESCRIBE ks.x", "DESC \"X\"",
    ]

    static let all = Self.reads + Self.modifications + Self.schema + Self.access
}

struct ParserTests {
    @Test(arguments: Accepted.all)
    func `every production of the grammar parses`(text: String) throws {
        _ = try Parser.parse(text)
    }

    @Test(arguments: [
        ("SELEC 1", "line 1:0 no viable alternative at input 'SELEC'"),
        ("", "line 1:0 no viable alternative at input '<EOF>'"),
        ("SELECT * FROM", "line 1:13 no viable alternative at input '<EOF>'"),
        ("SELECT *\n FROM t WHERE", "line 2:13 no viable alternative at input '<EOF>'"),
        ("SELECT /*ß🦊*/ * FROM t x", "line 1:23 mismatched input 'x' expecting EOF"),
        ("SELECT * FROM t WHERE a = 'x", "line 1:26 mismatched character '<EOF>' behind '"),
        ("SELECT # FROM t", "line 1:7 no viable alternative at character '#'"),
        ("SELECT select FROM t", "line 1:7 no viable alternative at input 'select'"),
        ("INSERT INTO t (a, b) VALUES (1)", "Unmatched column names/values"),
        ("UPDATE t SET a = b + 1 WHERE k = 1", "Only expressions of the form X = X +<value> are supported."),
        ("CREATE TABLE t (k int)", "No PRIMARY KEY specifed for table 't' (exactly one required)"),
        ("DELETE FROM t USING TTL 5 WHERE k = 1", "line 1:20 no viable alternative at input 'TTL'"),
    ])
    func `errors say line, column and token`(text: String, expected: String) {
        #expect {
            _ = try Parser.parse(text)
        } throws: { error in
            "\(error)" == expected
        }
    }

    @Test(arguments: [
        "INSERT INTO t (a) VALUES (1", "SELECT * FROM t WHERE a =", "SELECT * FROM t LIMIT 'x'", "UPDATE t SET a = 1",
        "DELETE FROM t", "BEGIN BATCH SELECT * FROM t APPLY BATCH", "CREATE TABLE t (PRIMARY KEY (k)", "USE",
        "USE ks x",
        "GRANT FLY ON t TO r", "SELECT * FROM ks.t.x", "CREATE OR REPLACE TABLE t (k int PRIMARY KEY)", "ALTER TABLE t",
        "SELECT * FROM t WHERE a IS NULL", "SELECT * FROM t; SELECT * FROM t", "INSERT INTO t (a) VALUES ({'a': 1, 2})",
        "INSERT INTO t (a) VALUES (b)", "CREATE TABLE t (k blob<int> PRIMARY KEY)", "\"SELECT\" * FROM t",
    ])
    func `what Cassandra rejects is rejected`(text: String) {
        #expect(throws: CQLSyntaxError.self) { try Parser.parse(text) }
    }

    @Test func `names fold to lower case unless quoted`() throws {
        guard case .select(let select) = try Parser.parse("SELECT Foo, \"Bar\"\"x\" FROM KS.\"Tab\"") else {
            Issue.record("no select")
            return
        }
        #expect(select.table == QualifiedName(keyspace: "ks", name: "Tab"))
        guard case .items(let items) = select.projection else { return }
        #expect(items.map(\.selector) == [.column("foo"), .column("Bar\"x")])
    }

    @Test func `literals keep their kind and text`() throws {
        let text = "INSERT INTO t (a,b,c,d,e,f,g,h) VALUES ('it''s', -5, 1.5E3, TRUE, 0xCAfe, 1h2m, -NaN, $$a'b$$)"
        guard case .insert(let insert) = try Parser.parse(text), case .values(_, let terms) = insert.source else {
            Issue.record("no insert")
            return
        }
        let literals: [Literal] = terms.compactMap { if case .literal(let literal) = $0 { literal } else { nil } }
        #expect(literals.map(\.text) == ["it's", "-5", "1.5E3", "TRUE", "0xCAfe", "1h2m", "-NaN", "a'b"])
        let expected: [Literal.Kind] = [.string, .integer, .float, .boolean, .blob, .duration, .float, .string]
        #expect(literals.map(\.kind) == expected)
    }

    @Test func `assignments tell plain, add, subtract and prepend apart`() throws {
        let text = "UPDATE t SET a = 1, b = b + 1, c = c -1, d = [1] + d, e += 1, m['k'] = 2, u.f = 3 WHERE k = 1"
        guard case .update(let update) = try Parser.parse(text) else { return }
        let names = update.assignments.map { assignment in
            switch assignment {
            case .assign(.column, _): "assign"
            case .assign(.element, _): "element"
            case .assign(.field, _): "field"
            case .add: "add"
            case .subtract: "subtract"
            case .prepend: "prepend"
            }
        }
        #expect(names == ["assign", "add", "subtract", "prepend", "add", "element", "field"])
    }

    @Test func `tables keep columns, key and options`() throws {
        let text = """
            CREATE TABLE ks.t (a int, b frozen<map<text, frozen<list<"My Type">>>>, c text static,
              PRIMARY KEY ((a), b)) WITH CLUSTERING ORDER BY (b DESC) AND comment = 'x' AND caching = {'keys': 'ALL'}
            """
        guard case .createTable(let table) = try Parser.parse(text) else { return }
        #expect(table.columns.map(\.name) == ["a", "b", "c"])
        let inner = CQLType.frozen(.list(.userDefined(QualifiedName(name: "My Type"))))
        #expect(table.columns[1].type == .frozen(.map(.native("text"), inner)))
        #expect(table.columns[2].isStatic)
        #expect(table.primaryKey == PrimaryKeyProbe.of(partition: ["a"], clustering: ["b"], in: table))
        #expect(table.options.clusteringOrder.map(\.isDescending) == [true])
        #expect(table.options["comment"] == .text("x"))
    }

    @Test func `depth is bounded`() {
        for (open, close) in [("(", ")"), ("[", "]"), ("{", "}"), ("f(", ")"), ("-", ""), ("1+", "")] {
            for depth in [100, 100_000] {
                let nested = String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
                #expect(throws: CQLSyntaxError.self) { try Parser.parse("INSERT INTO t (a) VALUES (\(nested))") }
                #expect(throws: CQLSyntaxError.self) { try Parser.parse("SELECT \(nested) FROM t") }
            }
        }
        let type = String(repeating: "list<", count: 10_000) + "int" + String(repeating: ">", count: 10_000)
        #expect(throws: CQLSyntaxError.self) { try Parser.parse("CREATE TYPE u (a \(type))") }
        let relation = String(repeating: "(", count: 10_000) + "a = 1" + String(repeating: ")", count: 10_000)
        #expect(throws: CQLSyntaxError.self) { try Parser.parse("SELECT * FROM t WHERE \(relation)") }
        let fields = String(repeating: ".a", count: 10_000)
        #expect(throws: CQLSyntaxError.self) { try Parser.parse("SELECT a\(fields) FROM t") }
    }
}

/// Compares keys without a public initialiser.
private enum PrimaryKeyProbe {
    static func of(partition: [String], clustering: [String], in table: CreateTableStatement) -> PrimaryKey? {
        let key = table.primaryKey
        return key.partitionKey == partition && key.clusteringColumns == clustering ? key : nil
    }
}
