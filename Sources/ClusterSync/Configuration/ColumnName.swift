/// A column, named as in the schema.
struct ColumnName: Sendable, Hashable {
    var keyspace: String
    var table: String
    var column: String

    /// Nil where `text` is not `keyspace.table.column`.
    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        (self.keyspace, self.table, self.column) = (parts[0], parts[1], parts[2])
    }
}

extension ConfigurationKey {
    static func columnsOfJob(_ help: String) -> Self {
        Self(path: "columns.exclude", kind: .texts, fallback: nil, help: help)
    }
}

extension ConfigurationValues {
    /// The columns that a job leaves out.
    mutating func columnsLeftOut() -> [ColumnName] {
        self.texts("columns.exclude").compactMap { text in
            let column = ColumnName(text)
            if column == nil {
                self.fault(
                    "columns.exclude",
                    "'\(text.prefix(80))' names no column; write keyspace.table.column, as in the schema"
                )
            }
            return column
        }
    }
}
