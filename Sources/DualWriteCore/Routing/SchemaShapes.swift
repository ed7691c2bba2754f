public import CQLSyntax

/// What is known of a cluster's tables when a write is judged.
public struct SchemaShapes: Sendable {
    private let tables: [String: [String: TableShape]]

    /// The shapes of known tables, by keyspace and name.
    public init(tables: [String: [String: TableShape]]) { self.tables = tables }

    /// A table; nil where it is not known (yet).
    public func table(_ keyspace: String?, _ name: String?) -> TableShape? {
        guard let keyspace, let name else { return nil }
        return self.tables[keyspace]?[name]
    }
}
