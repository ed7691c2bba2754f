import CQLClient
import CQLSyntax
import DualWriteCore

extension SchemaShapes {
    /// What a cluster tells of its tables, as far as statements are judged by it.
    init(_ schema: ClusterSchema) {
        self.init(tables: schema.tables.mapValues { $0.mapValues { TableShape($0) } })
    }
}

extension TableShape {
    fileprivate init(_ table: ClusterSchema.Table) {
        self.init(
            columns: table.columnTypes.mapValues { ColumnShape(type: $0) },
            types: table.columnTypes,
            partitionKey: table.partitionKey.map { KeyColumn(name: $0, type: table.columnTypes[$0] ?? "") },
            clusteringKey: table.clusteringKey,
            defaultTimeToLive: table.defaultTimeToLive
        )
    }
}
