import CQLProtocol
import NIOCore

/// The columns of a cluster's tables, as its `system_schema.columns` tells them; an immutable snapshot.
public final class ClusterSchema: Sendable {
    /// What the node called this state of the schema; nil where it does not say.
    let version: ByteBuffer?
    /// CQL types by keyspace, table and column.
    public let columnTypes: [String: [String: [String: String]]]

    static let statement = "SELECT keyspace_name, table_name, column_name, type FROM system_schema.columns"

    init(version: ByteBuffer?, rows: Rows) {
        self.version = version
        var types: [String: [String: [String: String]]] = [:]
        for row in rows {
            guard let keyspace = TopologyReader.text(row["keyspace_name"]),
                let table = TopologyReader.text(row["table_name"]),
                let column = TopologyReader.text(row["column_name"]), let type = TopologyReader.text(row["type"])
            else { continue }
            types[keyspace, default: [:]][table, default: [:]][column] = type
        }
        self.columnTypes = types
    }
}
