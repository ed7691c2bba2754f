import CQLProtocol
import NIOCore

/// The columns of a cluster's tables, as its `system_schema` tells them; an immutable snapshot.
public final class ClusterSchema: Sendable {
    /// What the node called this state of the schema; nil where it does not say.
    let version: ByteBuffer?
    /// All keyspaces, those without tables included.
    let keyspaces: Set<String>
    /// CQL types by keyspace, table and column.
    public let columnTypes: [String: [String: [String: String]]]

    static let keyspacesStatement = "SELECT keyspace_name FROM system_schema.keyspaces"
    static let columnsStatement = "SELECT keyspace_name, table_name, column_name, type FROM system_schema.columns"

    init(version: ByteBuffer?, keyspaces: Rows, columns: Rows) {
        self.version = version
        self.keyspaces = Set(keyspaces.compactMap { TopologyReader.text($0["keyspace_name"]) })
        var types: [String: [String: [String: String]]] = [:]
        for row in columns {
            guard let keyspace = TopologyReader.text(row["keyspace_name"]),
                let table = TopologyReader.text(row["table_name"]),
                let column = TopologyReader.text(row["column_name"]), let type = TopologyReader.text(row["type"])
            else { continue }
            types[keyspace, default: [:]][table, default: [:]][column] = type
        }
        self.columnTypes = types
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
            let (before, now) = (earlier.columnTypes[keyspace] ?? [:], self.columnTypes[keyspace] ?? [:])
            for table in Set(before.keys).union(now.keys).sorted() where before[table] != now[table] {
                let what = before[table] == nil ? "CREATED" : now[table] == nil ? "DROPPED" : "UPDATED"
                changes.append(change(what, keyspace, table))
            }
        }
        return changes
    }
}
