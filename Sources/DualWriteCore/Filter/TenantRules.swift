import CQLSyntax

/// Which tenants' rows are wanted on the shadow: those that the include list names, all where it is empty, without those that the
/// exclude list names. A row's tenant is the value of a column.
public struct TenantRules: Sendable, Hashable {
    /// More values than these in one list are refused.
    public static var valuesMax: Int { 100_000 }

    /// The names of the column, as in the schema; a table's is the first one that it has. One of the primary key, or writes that
    /// do not say it go to the shadow.
    public let columns: [String]
    /// The values as texts: of a text, number or uuid.
    public let include: Set<String>
    /// The same.
    public let exclude: Set<String>

    /// All tenants are wanted.
    public static var all: TenantRules { TenantRules(columns: [], include: [], exclude: []) }

    /// Rules of two lists.
    public init(columns: [String], include: Set<String>, exclude: Set<String>) {
        self.columns = columns
        self.include = include
        self.exclude = exclude
    }

    /// Whether they let everything through.
    public var isOpen: Bool { self.columns.isEmpty || self.include.isEmpty && self.exclude.isEmpty }

    /// What is wrong with them; nil where nothing is.
    public var fault: String? {
        if self.columns.isEmpty {
            return self.include.isEmpty && self.exclude.isEmpty
                ? nil : "tenants need the columns that say whose a row is"
        }
        if self.include.isEmpty, self.exclude.isEmpty { return "tenant columns need tenants to include or to exclude" }
        let count = max(self.include.count, self.exclude.count)
        return count <= Self.valuesMax
            ? nil : "a list names \(count) tenants; at most \(Self.valuesMax) are possible"
    }

    /// The column that says whose a table's rows are; nil where it has none.
    func column(of table: TableShape) -> String? { self.columns.first { table.columns[$0] != nil } }

    /// The rules for a column of a type.
    func values(of type: String) -> TenantValues {
        TenantValues(
            include: self.include.isEmpty ? nil : Self.bytes(self.include, type),
            exclude: Self.bytes(self.exclude, type)
        )
    }

    /// What is no value of the type is no tenant of its table.
    private static func bytes(_ values: Set<String>, _ type: String) -> Set<[UInt8]> {
        Set(values.compactMap { LiteralEncoding.bytes(ofValue: $0, as: type) })
    }
}

/// Tenants by the bytes of a column's type.
struct TenantValues: Sendable, Hashable {
    /// Nil for all.
    let include: Set<[UInt8]>?
    let exclude: Set<[UInt8]>

    /// Whether the rows of a tenant are wanted.
    func want(_ value: [UInt8]) -> Bool {
        (self.include?.contains(value) ?? true) && !self.exclude.contains(value)
    }
}
