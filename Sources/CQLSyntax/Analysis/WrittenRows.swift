/// What the writes of a text say of the rows that they write: which term each column is equal to.
///
/// Made when it is needed, because an analysis need not carry it: only a write that is in doubt asks for its partition.
public struct WrittenRows: Sendable {
    /// One write.
    public struct Write: Sendable, Hashable {
        /// The keyspace that the text names.
        public let keyspace: String?
        /// The table.
        public let table: String
        /// The terms by column: of INSERT's list, or of WHERE where it holds one equality for the column and nothing else.
        public let terms: [String: Term]
    }

    /// The writes: one, or one for each child of a batch.
    public let writes: [Write]

    /// Reads a text; nil where the grammar does not know it, or where it is no INSERT, UPDATE, DELETE or batch of them.
    public init?(_ text: String) {
        guard let parsed = ParsedWrites(text) else { return nil }
        self.writes = parsed.children.compactMap { Self.write($0.statement) }
    }

    private static func write(_ statement: Statement) -> Write? {
        switch statement {
        case .insert(let insert):
            guard case .values(let columns, let terms) = insert.source else { return Write(insert.table, []) }
            return Write(insert.table, Array(zip(columns, terms)))
        case .update(let update): return Write(update.table, Self.equalities(update.relations))
        case .delete(let delete): return Write(delete.table, Self.equalities(delete.relations))
        default: return nil
        }
    }

    private static func equalities(_ relations: [Relation]) -> [(String, Term)] {
        relations.compactMap { relation in
            guard case .comparison(let column, .equal, let term) = relation else { return nil }
            return (column, term)
        }
    }
}

extension WrittenRows.Write {
    fileprivate init(_ table: QualifiedName, _ terms: [(String, Term)]) {
        self.keyspace = table.keyspace
        self.table = table.name
        // What is said twice is not clear; no server takes it.
        self.terms = Dictionary(terms.map { ($0, Optional($1)) }) { _, _ in nil }.compactMapValues { $0 }
    }
}
