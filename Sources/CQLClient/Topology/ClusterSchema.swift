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
    /// How each keyspace places its partitions; those without tables are here, too.
    let replications: [String: Replication]
    /// By keyspace and name.
    public let tables: [String: [String: Table]]

    static let keyspacesStatement = "SELECT keyspace_name, replication FROM system_schema.keyspaces"
    /// What only ScyllaDB has: keyspaces with a value here have tablets, which are not where the ring says.
    static let tabletsStatement = "SELECT keyspace_name, initial_tablets FROM system_schema.scylla_keyspaces"
    static let tablesStatement = "SELECT keyspace_name, table_name, default_time_to_live FROM system_schema.tables"
    static let columnsStatement =
        "SELECT keyspace_name, table_name, column_name, kind, position, type FROM system_schema.columns"

    /// What a cluster answers to ``tabletsStatement``.
    enum Tablets {
        /// There is no such table, and no tablets.
        case absent
        case told(Rows)
        /// Refused: any keyspace may have tablets.
        case refused
    }

    init(version: ByteBuffer?, keyspaces: Rows, tablets: Tablets = .absent, tables: Rows, columns: Rows) {
        self.version = version
        self.replications = Self.replications(keyspaces, tablets)
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

    private static func replications(_ keyspaces: Rows, _ tablets: Tablets) -> [String: Replication] {
        var replications: [String: Replication] = [:]
        for row in keyspaces {
            guard let keyspace = TopologyReader.text(row["keyspace_name"]) else { continue }
            replications[keyspace] = Replication(options: TopologyReader.textMap(row["replication"]))
        }
        switch tablets {
        case .absent: return replications
        case .refused: return replications.mapValues { _ in .tablets }
        case .told(let rows):
            for row in rows where row["initial_tablets"] != nil {
                if let keyspace = TopologyReader.text(row["keyspace_name"]) { replications[keyspace] = .tablets }
            }
            return replications
        }
    }

    /// All keyspaces, those without tables included.
    var keyspaces: Set<String> { Set(self.replications.keys) }

    /// What was created, dropped or altered since an earlier state, keyspaces before tables: for whoever could not hear the
    /// cluster's own events.
    func changes(since earlier: ClusterSchema) -> [SchemaChange] {
        func change(_ what: String, _ keyspace: String, _ table: String? = nil) -> SchemaChange {
            SchemaChange(change: what, target: table.map { .table($0) } ?? .keyspace, keyspace: keyspace)
        }
        let (keyspaces, former) = (self.keyspaces, earlier.keyspaces)
        var changes = former.subtracting(keyspaces).sorted().map { change("DROPPED", $0) }
        changes += keyspaces.subtracting(former).sorted().map { change("CREATED", $0) }
        for keyspace in keyspaces.sorted() {
            let (before, now) = (earlier.tables[keyspace] ?? [:], self.tables[keyspace] ?? [:])
            for table in Set(before.keys).union(now.keys).sorted() where before[table] != now[table] {
                let what = before[table] == nil ? "CREATED" : now[table] == nil ? "DROPPED" : "UPDATED"
                changes.append(change(what, keyspace, table))
            }
        }
        return changes
    }
}
