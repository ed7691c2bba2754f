public import CQLProtocol
public import CQLSyntax

/// Where the partition keys of a statement's writes are: in its values, in its text, or nowhere.
///
/// Made once per statement and state of the schema; ``partitions(_:)`` then costs a look at the values.
public struct PartitionPlan: Sendable {
    /// Longer components are in no partition key: their length has two bytes, and a key no more than 65535 in all.
    public static var componentBytesMax: Int { 65_535 }

    private enum Component: Sendable {
        /// The value of the marker with an index.
        case marker(Int)
        /// A constant of the text.
        case bytes([UInt8])
    }

    private struct Write: Sendable {
        let keyspace: String?
        let table: String?
        /// In the order of the key; nil where one of them cannot be told.
        let components: [Component]?
    }

    private let markers: [MarkerUse]
    private let writes: [Write]

    /// Reads a statement.
    ///
    /// - Parameter schema: of the cluster that the write is in doubt on; nil where nobody knows it, and then no key is told.
    public init(_ statement: WriteStatement, schema: SchemaShapes?) {
        self.markers = statement.analysis.markers
        let analyses = statement.writes
        let rows = WrittenRows(statement.text)?.writes ?? []
        self.writes = analyses.enumerated().map { index, analysis in
            let keyspace = analysis.keyspace ?? statement.keyspace
            var components: [Component]?
            if rows.count == analyses.count, let shape = schema?.table(keyspace, analysis.table) {
                components = Self.components(rows[index].terms, shape)
            }
            return Write(keyspace: keyspace, table: analysis.table, components: components)
        }
    }

    private static func components(_ terms: [String: Term], _ shape: TableShape) -> [Component]? {
        guard !shape.partitionKey.isEmpty else { return nil }
        var components: [Component] = []
        for column in shape.partitionKey {
            guard let term = terms[column.name], let component = Self.component(term, column) else { return nil }
            components.append(component)
        }
        return components
    }

    private static func component(_ term: Term, _ column: TableShape.KeyColumn) -> Component? {
        // Servers sort and shorten what is in collections, so that bytes of a value are not always those of the key.
        guard NativeType(column.type) != nil else { return nil }
        return switch term {
        case .marker(let marker): .marker(marker.index)
        case .literal(let literal): LiteralEncoding.bytes(of: literal, as: column.type).map { .bytes($0) }
        case .typeHint(_, let operand): Self.component(operand, column)
        case .null, .list, .set, .map, .userType, .tuple, .function, .cast, .arithmetic, .negated: nil
        }
    }

    /// The partitions that a request with these values changes, each once.
    public func partitions(_ values: QueryValues) -> [WrittenPartition] {
        let bound = MarkerValues(values, of: self.markers)
        var partitions: [WrittenPartition] = []
        var seen: Set<WrittenPartition> = []
        for write in self.writes {
            let partition = WrittenPartition(
                keyspace: write.keyspace,
                table: write.table,
                key: write.components.flatMap { Self.key($0, bound) }
            )
            if seen.insert(partition).inserted { partitions.append(partition) }
        }
        return partitions
    }

    private static func key(_ components: [Component], _ bound: MarkerValues?) -> [UInt8]? {
        var parts: [[UInt8]] = []
        for component in components {
            let bytes: [UInt8]?
            switch component {
            case .bytes(let constant): bytes = constant
            case .marker(let index): bytes = bound?.value(of: index)?.bytes
            }
            guard let bytes else { return nil }
            parts.append(bytes)
        }
        return Self.key(of: parts)
    }

    /// The key of components in their order, as Cassandra routes by it; nil where no server takes them.
    static func key(of parts: [[UInt8]]) -> [UInt8]? {
        guard parts.allSatisfy({ $0.count <= Self.componentBytesMax }) else { return nil }
        // No server takes an empty key of one column.
        if parts.count == 1 { return parts[0].isEmpty ? nil : parts[0] }
        return parts.reduce(into: []) { key, part in
            key += [UInt8(part.count >> 8), UInt8(part.count & 0xff)] + part + [0]
        }
    }

    /// The partition that a SELECT with these values reads; nil where it does not name one, or may name several.
    public static func partition(
        read analysis: StatementAnalysis,
        keyspace: String?,
        _ values: QueryValues,
        schema: SchemaShapes?
    ) -> WrittenPartition? {
        let keyspace = analysis.keyspace ?? keyspace
        guard let selection = analysis.selection, let shape = schema?.table(keyspace, analysis.table) else {
            return nil
        }
        let terms = Dictionary(selection.equalities.map { ($0.column, $0.term) }) { first, _ in first }
        guard let components = Self.components(terms, shape),
            let key = Self.key(components, MarkerValues(values, of: analysis.markers))
        else { return nil }
        return WrittenPartition(keyspace: keyspace, table: analysis.table, key: key)
    }

    /// The partitions that a QUERY, EXECUTE or BATCH changes, each once.
    ///
    /// - Parameter statements: one for a QUERY or EXECUTE, one for each child of a BATCH.
    public static func partitions(
        of request: Request,
        _ statements: [WriteStatement],
        schema: SchemaShapes?
    ) -> [WrittenPartition] {
        switch request {
        case .query(let query):
            statements.flatMap { PartitionPlan($0, schema: schema).partitions(query.parameters.values) }
        case .execute(let execute):
            statements.flatMap { PartitionPlan($0, schema: schema).partitions(execute.parameters.values) }
        case .batch(let batch):
            Self.unique(
                zip(batch.children, statements).flatMap { child, statement in
                    PartitionPlan(statement, schema: schema).partitions(.positional(child.values))
                }
            )
        case .startup, .authResponse, .options, .prepare, .register: []
        }
    }

    /// Each once, in the order of their first appearance.
    public static func unique(_ partitions: [WrittenPartition]) -> [WrittenPartition] {
        var seen: Set<WrittenPartition> = []
        return partitions.filter { seen.insert($0).inserted }
    }
}
