import CQLProtocol
import NIOCore
import Testing

@testable import CQLClient

struct ClusterSchemaTests {
    private struct Column {
        let table: String
        let name: String
        let kind: String
        let position: Int32
        let type: String

        init(_ table: String, _ name: String, _ kind: String, _ position: Int32, _ type: String) {
            self.table = table
            self.name = name
            self.kind = kind
            self.position = position
            self.type = type
        }
    }

    private static func rows(_ names: [(String, DataType)], _ rows: [[CQLValue]]) throws -> Rows {
        let columns = names.map { ColumnSpec(keyspace: "system_schema", table: "any", name: $0, type: $1) }
        return try Rows(
            metadata: ResultMetadata(columns: columns),
            rows: rows.map { row in try zip(row, names).map { try $0.encoded(as: $1.1) } }
        )
    }

    private static func schema(_ columns: [Column], lives: [(String, CQLValue)] = []) throws -> ClusterSchema {
        ClusterSchema(
            version: nil,
            keyspaces: try Self.rows([("keyspace_name", .varchar)], [[.text("ks")]]),
            tables: try Self.rows(
                [("keyspace_name", .varchar), ("table_name", .varchar), ("default_time_to_live", .int)],
                lives.map { [.text("ks"), .text($0), $1] }
            ),
            columns: try Self.rows(
                [
                    ("keyspace_name", .varchar), ("table_name", .varchar), ("column_name", .varchar),
                    ("kind", .varchar),
                    ("position", .int), ("type", .varchar),
                ],
                columns.map {
                    [.text("ks"), .text($0.table), .text($0.name), .text($0.kind), .int($0.position), .text($0.type)]
                }
            )
        )
    }

    /// In the order of their names, as servers tell them.
    private static let columns = [
        Column("t", "a", "partition_key", 1, "int"), Column("t", "b", "partition_key", 0, "text"),
        Column("t", "c", "clustering", 0, "timestamp"), Column("t", "s", "static", -1, "int"),
        Column("t", "v", "regular", -1, "list<int>"), Column("view", "k", "partition_key", 0, "uuid"),
    ]

    @Test func `a table tells its columns, its partition key in order and its default life`() throws {
        let schema = try Self.schema(Self.columns, lives: [("t", .int(3600)), ("gone", .int(5))])
        let table = try #require(schema.tables["ks"]?["t"])
        #expect(table.partitionKey == ["b", "a"])
        #expect(table.columnTypes == ["a": "int", "b": "text", "c": "timestamp", "s": "int", "v": "list<int>"])
        #expect(table.defaultTimeToLive == 3600)
        // A view is no table: nobody writes to it, and it has no life of its own.
        #expect(schema.tables["ks"]?["view"]?.partitionKey == ["k"])
        #expect(schema.tables["ks"]?["view"]?.defaultTimeToLive == 0)
        #expect(schema.tables["ks"]?["gone"] == nil)
    }

    @Test func `a default life that is null is none`() throws {
        #expect(try Self.schema(Self.columns, lives: [("t", .null)]).tables["ks"]?["t"]?.defaultTimeToLive == 0)
    }

    @Test func `another default life is another table`() throws {
        let before = try Self.schema(Self.columns, lives: [("t", .int(1))])
        let after = try Self.schema(Self.columns, lives: [("t", .int(2))])
        #expect(
            after.changes(since: before) == [SchemaChange(change: "UPDATED", target: .table("t"), keyspace: "ks")]
        )
        #expect(after.changes(since: after) == [])
    }

    /// A map of texts as it stands in a cell of protocol v4.
    private static func map(_ entries: [(String, String)]) -> ByteBuffer {
        var bytes = ByteBuffer(integer: Int32(entries.count))
        for text in entries.flatMap({ [$0.0, $0.1] }) {
            bytes.writeInteger(Int32(text.utf8.count))
            bytes.writeString(text)
        }
        return bytes
    }

    private static func replications(_ tablets: ClusterSchema.Tablets) throws -> [String: Replication] {
        let columns = [("keyspace_name", DataType.varchar), ("replication", .map(.varchar, .varchar))].map {
            ColumnSpec(keyspace: "system_schema", table: "keyspaces", name: $0, type: $1)
        }
        let simple = [("class", "org.apache.cassandra.locator.SimpleStrategy"), ("replication_factor", "2")]
        let topology = [("class", "org.apache.cassandra.locator.NetworkTopologyStrategy"), ("dc1", "3"), ("dc2", "1")]
        let keyspaces = try Rows(
            metadata: ResultMetadata(columns: columns),
            rows: [
                [ByteBuffer(string: "a"), Self.map(simple)], [ByteBuffer(string: "b"), Self.map(topology)],
                [ByteBuffer(string: "c"), nil],
            ]
        )
        let none = try Self.rows([("keyspace_name", .varchar)], [])
        return ClusterSchema(version: nil, keyspaces: keyspaces, tablets: tablets, tables: none, columns: none)
            .replications
    }

    @Test func `a keyspace tells how it places its partitions`() throws {
        let expected: [String: Replication] = [
            "a": .simple(factor: 2), "b": .perDatacenter(["dc1": 3, "dc2": 1]), "c": .untold,
        ]
        #expect(try Self.replications(.absent) == expected)
    }

    @Test func `keyspaces with tablets are told from others, and where nobody tells them all may have some`() throws {
        // Zero is a value, too: the cluster chooses the number of tablets.
        let rows = try Self.rows(
            [("keyspace_name", .varchar), ("initial_tablets", .int)],
            [[.text("a"), .int(0)], [.text("b"), .null]]
        )
        let told = try Self.replications(.told(rows))
        #expect(told["a"] == .tablets && told["b"] == .perDatacenter(["dc1": 3, "dc2": 1]))
        #expect(try Self.replications(.refused).values.allSatisfy { $0 == .tablets })
    }
}
