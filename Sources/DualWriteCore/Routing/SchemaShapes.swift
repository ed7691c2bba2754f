import CQLSyntax

/// What is known of a cluster's tables when a write is judged.
public struct SchemaShapes: Sendable {
    private let tables: [String: [String: TableShape]]

    /// The shapes of known types: by keyspace, table and column, as `system_schema.columns` writes them.
    public init(columnTypes: [String: [String: [String: String]]]) {
        self.tables = columnTypes.mapValues { tables in
            tables.mapValues { columns in TableShape(columns: columns.mapValues { ColumnShape(type: $0) }) }
        }
    }

    /// The columns of a table; nil where it is not known (yet).
    func table(_ keyspace: String?, _ name: String?) -> TableShape? {
        guard let keyspace, let name else { return nil }
        return self.tables[keyspace]?[name]
    }
}
