/// Tenants that go ahead of everybody else: the rows whose column has one of some values.
public struct CanaryTenants: Sendable, Hashable, CustomStringConvertible {
    /// Bytes of the column's name, and of each value.
    public static var textBytesMax: Int { 256 }

    /// The column that says whose a row is, as in the schema. Any that a read can fix.
    public let column: String
    /// The values as texts, of a text, whole number or uuid: in order, each once.
    public let values: [String]

    /// Tenants of known parts.
    ///
    /// - Throws: ``ModeOverridesError`` where nobody is named, or by an empty or too long text.
    public init(column: String, values: some Sequence<String>) throws(ModeOverridesError) {
        self.column = column
        self.values = Set(values).sorted()
        guard !self.values.isEmpty else {
            throw ModeOverridesError("tenants need the values of '\(column.prefix(64))' that say who they are")
        }
        for text in [column] + self.values where text.isEmpty || text.utf8.count > Self.textBytesMax {
            throw ModeOverridesError(
                "tenants: a column and its values have 1 to \(Self.textBytesMax) bytes each; '\(text.prefix(64))' has "
                    + "\(text.utf8.count)"
            )
        }
    }

    private init(column: String, sorted values: [String]) {
        self.column = column
        self.values = values
    }

    /// These and some more of the same column.
    func adding(_ more: CanaryTenants) -> CanaryTenants {
        CanaryTenants(column: self.column, sorted: Set(self.values).union(more.values).sorted())
    }

    /// These without some; nil where nobody is left.
    func without(_ others: some Sequence<String>) -> CanaryTenants? {
        let others = Set(others)
        let values = self.values.filter { !others.contains($0) }
        return values.isEmpty ? nil : CanaryTenants(column: self.column, sorted: values)
    }

    /// The column and some of the values, as it is told.
    public var description: String {
        let shown = self.values.prefix(10).joined(separator: ",")
        return "\(self.column)=\(shown)" + (self.values.count > 10 ? " and \(self.values.count - 10) more" : "")
    }
}
