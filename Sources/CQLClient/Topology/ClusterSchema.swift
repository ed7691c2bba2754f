import CQLProtocol
import NIOCore

/// A cluster's tables, as its `system_schema` tells them; an immutable snapshot.
public final class ClusterSchema: Sendable {
    /// A table or a materialized view.
    public struct Table: Sendable, Hashable {
        /// The CQL types by column.
        public internal(set) var columnTypes: [String: String] = [:]
        /// The names of the columns of the partition key, in its order.
        public internal(set) var partitionKey: [String] = []
        /// The names of the clustering columns, in their order.
        public internal(set) var clusteringKey: [String] = []
        /// How long what is written without a TTL lives, in seconds; 0 is for ever.
        public internal(set) var defaultTimeToLive = 0
    }

    /// What the node called this state of the schema; nil where it does not say.
    let version: ByteBuffer?
    /// All keyspaces, those without tables included.
    let keyspaces: Set<String>
    /// By keyspace and name.
    public let tables: [String: [String: Table]]

    static let keyspacesStatement = "SELECT keyspace_name FROM system_schema.keyspaces"
    static let tablesStatement = "SELECT keyspace_name, table_name, default_time_to_live FROM system_schema.tables"
    static let columnsStatement =
        "SELECT keyspace_name, table_name, column_name, kind, position, type FROM system_schema.columns"

    init(version: ByteBuffer?, keyspaces: Rows, tables: Rows, columns: Rows) {
        self.version = version
        self.keyspaces = Set(keyspaces.compactMap { TopologyReader.text($0["keyspace_name"]) })
        var known: [String: [String: Table]] = [:]
        typealias Keys = [String: [String: [(position: Int, name: String)]]]
        var (keys, clustering): (Keys, Keys) = ([:], [:])
        for row in columns {
            guard let keyspace = TopologyReader.text(row["keyspace_name"]),
                let table = TopologyReader.text(row["table_name"]),
                let column = TopologyReader.text(row["column_name"]), let type = TopologyReader.text(row["type"])
            else { continue }
            known[keyspace, default: [:]][table, default: Table()].columnTypes[column] = type
            let position = TopologyReader.int(row["position"]) ?? 0
            switch TopologyReader.text(row["kind"]) {
            case "partition_key": keys[keyspace, default: [:]][table, default: []].append((position, column))
            case "clustering": clustering[keyspace, default: [:]][table, default: []].append((position, column))
            default: continue
            }
        }
        for (keyspace, keys) in keys {
            for (table, columns) in keys {
                known[keyspace]?[table]?.partitionKey = columns.sorted { $0.position < $1.position }.map(\.name)
            }
        }
        for (keyspace, keys) in clustering {
            for (table, columns) in keys {
                known[keyspace]?[table]?.clusteringKey = columns.sorted { $0.position < $1.position }.map(\.name)
            }
        }
        for row in tables {
            guard let keyspace = TopologyReader.text(row["keyspace_name"]),
                let table = TopologyReader.text(row["table_name"]),
                let seconds = TopologyReader.int(row["default_time_to_live"])
            else { continue }
            known[keyspace]?[table]?.defaultTimeToLive = seconds
        }
        self.tables = known
    }

    /// What was created, dropped or altered since an earlier state, keyspaces before tables: for whoever could not hear the
    /// cluster's own events.
    func changes(since earlier: ClusterSchema) -> [SchemaChange] {
        func change(_ what: String, _ keyspace: String, _ table: String? = nil) -> SchemaChange {
            SchemaChange(change: what, target: table.map { .table($0) } ?? .keyspace, keyspace: keyspace)
        }
        var changes = earlier.keyspaces.subtracting(self.keyspaces).sorted().map { change("DROPPED", $0) }
        changes += self.keyspaces.subtracting(earlier.keyspaces).sorted().map { change("CREATED", $0) }
        for keyspace in self.keyspaces.sorted() {
            let (before, now) = (earlier.tables[keyspace] ?? [:], self.tables[keyspace] ?? [:])
            for table in Set(before.keys).union(now.keys).sorted() where before[table] != now[table] {
                let what = before[table] == nil ? "CREATED" : now[table] == nil ? "DROPPED" : "UPDATED"
                changes.append(change(what, keyspace, table))
            }
        }
        return changes
    }
}
