import CQLProtocol
import Testing

@testable import EmbeddedNode

@Suite struct IndexTests {
    private func rows(_ database: Database) throws -> [String] {
        try database.rows("SELECT index_name, kind, options FROM system_schema.indexes WHERE keyspace_name = 'k'").map {
            guard case .text(let name) = $0[0], case .text(let kind) = $0[1], case .map(let options) = $0[2] else {
                return "?"
            }
            let texts = options.map { entry in
                guard case .text(let key) = entry.key, case .text(let value) = entry.value else { return "?" }
                return "\(key)=\(value)"
            }
            return ([name, kind] + texts).joined(separator: " ")
        }
    }

    @Test func `each kind of index is in the schema as Cassandra keeps it`() throws {
        let database = try Database(
            "CREATE TABLE t (p int PRIMARY KEY, v text, \"V w\" text, m map<text, int>, s set<int>, f frozen<list<int>>)",
            "CREATE INDEX ON t (v)",
            "CREATE INDEX ON t (\"V w\")",
            "CREATE INDEX ON t (keys(m))",
            "CREATE INDEX ON t (m)",
            "CREATE INDEX e ON t (entries(m))",
            "CREATE INDEX s ON t (s)",
            "CREATE INDEX f ON t (full(f))",
            "CREATE CUSTOM INDEX c ON t (v, \"V w\") USING 'a.B' WITH OPTIONS = {'y': '2', 'x': '1'}"
        )
        #expect(
            try self.rows(database) == [
                "c CUSTOM class_name=a.B target=v, \"V w\" x=1 y=2", "e COMPOSITES target=entries(m)",
                "f COMPOSITES target=full(f)", "s COMPOSITES target=values(s)", "t_Vw_idx COMPOSITES target=\"V w\"",
                "t_m_idx COMPOSITES target=keys(m)", "t_m_idx_1 COMPOSITES target=values(m)",
                "t_v_idx COMPOSITES target=v",
            ]
        )
        #expect(
            try database.rows("SELECT index_name FROM system.\"IndexInfo\" WHERE table_name = 'k'").count == 8
        )
        let text = try database.rows("DESCRIBE INDEX k.c").first?.last
        #expect(
            text
                == .text(
                    "CREATE CUSTOM INDEX c ON k.t (v, \"V w\") USING 'a.B' WITH OPTIONS = {'x': '1', 'y': '2'};"
                )
        )
    }

    @Test func `what Cassandra refuses is refused`() throws {
        let database = try Database(
            "CREATE TABLE t (p int PRIMARY KEY, v text, m map<text, int>, s set<int>, f frozen<list<int>>, d duration)",
            "CREATE TABLE u (p int PRIMARY KEY, v text)",
            "CREATE TABLE n (p int PRIMARY KEY, c counter)",
            "CREATE INDEX i ON t (v)"
        )
        #expect(database.refusal("CREATE INDEX i ON u (v)") == "Index 'i' already exists")
        #expect(database.refusal("CREATE INDEX j ON t (v)") == "Index j is a duplicate of existing index i")
        #expect(database.refusal("CREATE INDEX ON n (c)") == "Secondary indexes on counter tables aren't supported")
        #expect(
            database.refusal("CREATE INDEX ON t ()")
                == "Only CUSTOM indexes can be created without specifying a target column"
        )
        #expect(database.refusal("CREATE INDEX ON t (v, m)") == "Only CUSTOM indexes support multiple columns")
        #expect(
            database.refusal("CREATE CUSTOM INDEX ON t (v, v) USING 'a'")
                == "Duplicate column 'v' in index target list"
        )
        #expect(
            database.refusal("CREATE INDEX ON t (p)")
                == "Cannot create secondary index on the only partition key column p"
        )
        #expect(
            database.refusal("CREATE INDEX ON t (full(m))")
                == "full() indexes can only be created on frozen collections"
        )
        #expect(database.refusal("CREATE INDEX ON t (f)")?.hasPrefix("Cannot create values() index on frozen") == true)
        #expect(
            database.refusal("CREATE INDEX ON t (keys(s))")
                == "Cannot create index on keys of column s with non-map type"
        )
        #expect(
            database.refusal("CREATE INDEX ON t (values(v))")
                == "Cannot create values() index on v. Non-collection columns only support simple indexes"
        )
        #expect(
            database.refusal("CREATE INDEX ON t (d)") == "Secondary indexes are not supported on duration columns"
        )
        #expect(
            database.refusal("CREATE CUSTOM INDEX ON t (v)") == "CUSTOM index requires specifying the index class"
        )
        #expect(
            database.refusal("CREATE INDEX ON u (v) USING 'sai'")
                == "Cannot specify index class for a non-CUSTOM index"
        )
        #expect(database.refusal("DROP INDEX j") == "Index 'k.j' doesn't exist")
        #expect(
            database.refusal("ALTER TABLE t DROP v")
                == "Cannot drop column v because it has dependent secondary indexes (i)"
        )
        #expect(try self.rows(database) == ["i COMPOSITES target=v"])
    }

    @Test func `IF NOT EXISTS and IF EXISTS change nothing where there is nothing to do`() throws {
        let database = try Database(
            "CREATE TABLE t (p int PRIMARY KEY, v text)",
            "CREATE INDEX IF NOT EXISTS i ON t (v)",
            "CREATE INDEX IF NOT EXISTS i ON t (v)",
            "CREATE INDEX IF NOT EXISTS other_name ON t (v)",
            "DROP INDEX IF EXISTS j"
        )
        #expect(try self.rows(database) == ["i COMPOSITES target=v"])
        try database.run("DROP INDEX IF EXISTS k.i")
        #expect(try self.rows(database) == [])
        try database.run("ALTER TABLE t DROP v")
    }

    @Test func `Cassandra 5 names a class without CUSTOM`() throws {
        let database = try Database(
            release: "5.0.2",
            "CREATE TABLE t (p int PRIMARY KEY, v text)",
            "CREATE INDEX a ON t (v) USING 'legacy_local_table'",
            "CREATE INDEX b ON t (v) USING 'sai'"
        )
        #expect(try self.rows(database) == ["a COMPOSITES target=v", "b CUSTOM class_name=sai target=v"])
    }

    @Test func `a custom index is not read by`() throws {
        let database = try Database(
            "CREATE TABLE t (p int PRIMARY KEY, v text, w text)",
            "CREATE INDEX ON t (v)",
            "CREATE CUSTOM INDEX ON t (w) USING 'StorageAttachedIndex'"
        )
        #expect(database.refusal("SELECT p FROM t WHERE v = 'a'") == nil)
        #expect(database.refusal("SELECT p FROM t WHERE w = 'a'")?.contains("ALLOW FILTERING") == true)
    }
}
