import CQLProtocol
import NIOCore
import Testing

@testable import EmbeddedNode

@Suite struct SystemTests {
    @Test(arguments: [
        "CREATE KEYSPACE k2 WITH replication = {'class': 'SimpleStrategy', 'replication_factor': '1'}  AND durable_writes = true;",
        "CREATE TYPE k.address (\n    street text,\n    \"Zip\" int,\n    tags frozen<set<text>>\n);",
    ])
    func `what DESCRIBE prints is what was executed`(text: String) throws {
        let database = try Database()
        try database.run(text)
        let name = text.contains("k2") ? "KEYSPACE k2" : "TYPE k.address"
        #expect(try database.rows("DESCRIBE \(name)").last?.last == .text(text))
    }

    @Test func `a table's text makes the same table`() throws {
        let database = try Database(
            "CREATE TYPE u (a int)",
            "CREATE TABLE \"MixedCase\" (a int, \"B\" text, c timeuuid, s text static, u frozen<u>, \"table\" map<text, int>, "
                + "PRIMARY KEY ((a, \"B\"), c)) WITH CLUSTERING ORDER BY (c DESC) AND comment = 'it''s' AND gc_grace_seconds = 5"
        )
        guard case .text(let text) = try database.rows("DESCRIBE TABLE k.\"MixedCase\"").last?.last else { return }
        #expect(text.contains("WITH CLUSTERING ORDER BY (c DESC)\n    AND additional_write_policy = '99p'"))
        let columns = try database.rows("SELECT * FROM system_schema.columns WHERE keyspace_name = 'k'")
        try database.run("DROP TABLE k.\"MixedCase\"")
        try database.run(text)
        #expect(try database.rows("SELECT * FROM system_schema.columns WHERE keyspace_name = 'k'") == columns)
        #expect(try database.rows("DESCRIBE TABLE k.\"MixedCase\"").last?.last == .text(text))
    }

    @Test func `the node describes itself as Cassandra 4_1 does`() throws {
        let database = try Database()
        #expect(
            try database.columns("SELECT * FROM system.local WHERE key = 'local'") == [
                "key", "bootstrapped", "broadcast_address", "broadcast_port", "cluster_name", "cql_version",
                "data_center",
                "gossip_generation", "host_id", "listen_address", "listen_port", "native_protocol_version",
                "partitioner",
                "rack", "release_version", "rpc_address", "rpc_port", "schema_version", "tokens", "truncated_at",
            ]
        )
        #expect(try database.rows("SELECT * FROM system.peers_v2").isEmpty)
        #expect(
            try database.columns("SELECT * FROM system_schema.tables") == [
                "keyspace_name", "table_name", "additional_write_policy", "bloom_filter_fp_chance", "caching", "cdc",
                "comment", "compaction", "compression", "crc_check_chance", "dclocal_read_repair_chance",
                "default_time_to_live", "extensions", "flags", "gc_grace_seconds", "id", "max_index_interval",
                "memtable",
                "memtable_flush_period_in_ms", "min_index_interval", "read_repair", "read_repair_chance",
                "speculative_retry",
            ]
        )
        #expect(
            database.refusal("INSERT INTO system.local (key) VALUES ('x')") == "system keyspace is not user-modifiable."
        )
        #expect(database.refusal("SELECT * FROM system.nope") == "table nope does not exist")
    }

    @Test func `a changed type is seen by the tables that use it`() throws {
        let database = try Database(
            "CREATE TYPE u (a int)",
            "CREATE TABLE t (k int PRIMARY KEY, v frozen<u>, l list<frozen<u>>)"
        )
        try database.run("INSERT INTO t (k, v) VALUES (1, {a: 1})")
        try database.run("ALTER TYPE u ADD b text")
        try database.run("INSERT INTO t (k, v) VALUES (2, {a: 2, b: 'x'})")
        #expect(Set(try database.rows("SELECT v.b FROM t")) == [[.null], [.text("x")]])
        #expect(database.refusal("DROP TYPE u") == "Cannot drop user type 'k.u' as it is still used by tables t")
    }

    @Test(arguments: [
        "CLUSTER", "KEYSPACES", "TABLES", "TYPES", "SCHEMA", "FULL SCHEMA", "KEYSPACE system", "k",
        "TABLE system.local",
    ])
    func `every form of DESCRIBE is answered`(target: String) throws {
        _ = try Database().rows("DESCRIBE \(target)")
    }
}
