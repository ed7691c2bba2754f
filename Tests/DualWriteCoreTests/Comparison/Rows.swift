import CQLProtocol
import CQLSyntax
import DualWriteCore

extension Rows {
    /// Rows of a table `ks.t` with these columns.
    init(_ columns: [(String, DataType)], _ rows: [[CQLValue]], hasMore: Bool = false) throws {
        let specs = columns.map { ColumnSpec(keyspace: "ks", table: "t", name: $0.0, type: $0.1) }
        var metadata = ResultMetadata(columns: specs)
        if hasMore, case .value(let state) = BoundValue(bytes: [1]) { metadata.pagingState = state }
        try self.init(
            metadata: metadata,
            rows: rows.map { row in try zip(row, columns).map { try $0.encoded(as: $1.1) } }
        )
    }

    /// Rows of `p text, c int, v text`.
    static func pcv(_ rows: [(String, Int32, String)], hasMore: Bool = false) throws -> Rows {
        try Rows(
            [("p", .varchar), ("c", .int), ("v", .varchar)],
            rows.map { [.text($0.0), .int($0.1), .text($0.2)] },
            hasMore: hasMore
        )
    }
}

extension ComparedRead {
    static let schema = SchemaShapes(
        tables: [
            "ks": [
                "t": TableShape(
                    columns: [:],
                    partitionKey: [TableShape.KeyColumn(name: "p", type: "text")],
                    clusteringKey: ["c"]
                )
            ]
        ]
    )

    /// A read of `ks.t (p, c, v, PRIMARY KEY (p, c))`; nil where it is not one to compare.
    static func of(_ text: String, isSamePartitioner: Bool = true, schema: SchemaShapes? = Self.schema) -> ComparedRead?
    {
        ComparedRead(
            StatementAnalysis.analyze(text),
            keyspace: "ks",
            schema: schema,
            isSamePartitioner: isSamePartitioner
        )
    }
}
