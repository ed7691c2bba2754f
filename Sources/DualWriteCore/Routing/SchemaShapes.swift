public import CQLSyntax

/// What is known of a cluster's tables when a write is judged.
public struct SchemaShapes: Sendable {
    private var tables: [String: [String: TableShape]]

    /// The shapes of known tables, by keyspace and name.
    public init(tables: [String: [String: TableShape]]) { self.tables = tables }

    /// Each table as the cluster has it that the choice names, else as the other one has it.
    ///
    /// Nil where nothing is known of either cluster.
    public init?(
        _ shapes: PerCluster<SchemaShapes?>,
        choosing cluster: (_ keyspace: String, _ table: String) -> Cluster
    ) {
        guard shapes.source != nil || shapes.target != nil else { return nil }
        self.tables = (shapes.source?.tables ?? [:]).merging(shapes.target?.tables ?? [:]) { source, target in
            source.merging(target) { source, _ in source }
        }
        guard let target = shapes.target else { return }
        for (keyspace, tables) in target.tables {
            for (table, shape) in tables where cluster(keyspace, table) == .target {
                self.tables[keyspace]?[table] = shape
            }
        }
    }

    /// A table; nil where it is not known (yet).
    public func table(_ keyspace: String?, _ name: String?) -> TableShape? {
        guard let keyspace, let name else { return nil }
        return self.tables[keyspace]?[name]
    }
}
