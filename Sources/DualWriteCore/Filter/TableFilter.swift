public import CQLSyntax

/// Which tables are wanted on the shadow: those that the include list names, all where it is empty, without those that the
/// exclude list names.
public struct TableFilter: Sendable, Hashable {
    /// What a name of a list stands for.
    public struct Pattern: Sendable, Hashable {
        /// The keyspace.
        public let keyspace: String
        /// The table; nil for all of the keyspace.
        public let table: String?

        /// Names as the schema has them.
        public init(keyspace: String, table: String?) {
            self.keyspace = keyspace
            self.table = table
        }

        /// Reads `keyspace`, `keyspace.*` or `keyspace.table`, with names as CQL writes them: lower case unless in double quotes.
        ///
        /// - Throws: ``TableFilterError`` that shows what is valid.
        public init(parsing text: String) throws(TableFilterError) {
            guard let names = TableName(text) else { throw TableFilterError(text: text) }
            self.init(keyspace: names.keyspace, table: names.table)
        }
    }

    private let included: [String: Set<String>?]
    private let excluded: [String: Set<String>?]

    /// Everything is wanted.
    public static var all: TableFilter { TableFilter(include: [], exclude: []) }

    /// A filter of two lists.
    public init(include: [Pattern], exclude: [Pattern]) {
        self.included = Self.index(include)
        self.excluded = Self.index(exclude)
    }

    /// A filter of two lists of names; see ``Pattern/init(parsing:)``.
    public init(parsing include: [String], exclude: [String]) throws(TableFilterError) {
        var lists: [[Pattern]] = []
        for names in [include, exclude] {
            var patterns: [Pattern] = []
            for name in names { patterns.append(try Pattern(parsing: name)) }
            lists.append(patterns)
        }
        self.init(include: lists[0], exclude: lists[1])
    }

    /// The tables by keyspace; nil for all of its tables.
    private static func index(_ patterns: [Pattern]) -> [String: Set<String>?] {
        var index: [String: Set<String>?] = [:]
        for pattern in patterns {
            if let table = pattern.table, let tables = index[pattern.keyspace, default: .some([])] {
                index[pattern.keyspace] = .some(tables.union([table]))
            } else {
                index[pattern.keyspace] = .some(nil)
            }
        }
        return index
    }

    /// Whether it lets everything through.
    public var isOpen: Bool { self.included.isEmpty && self.excluded.isEmpty }

    /// Whether a table is wanted on the shadow.
    ///
    /// - Parameters:
    ///   - keyspace: nil where nobody knows it; then it is wanted, since a copy too many does less harm than one that is missing.
    ///   - table: nil for what is about the whole keyspace, which is wanted as soon as one of its tables may be.
    public func wants(keyspace: String?, table: String?) -> Bool {
        guard let keyspace, !self.isOpen else { return true }
        if !self.included.isEmpty {
            guard let tables = self.included[keyspace] else { return false }
            if let tables, let table, !tables.contains(table) { return false }
        }
        guard let tables = self.excluded[keyspace] else { return true }
        guard let tables else { return false }
        return table.map { !tables.contains($0) } ?? true
    }

    /// What of a statement is wanted on the shadow.
    ///
    /// - Parameter keyspace: for names without one.
    public func share(of analysis: StatementAnalysis, keyspace: String?) -> ShadowShare {
        guard !self.isOpen else { return .whole }
        let isWanted: Bool
        switch analysis.kind {
        case .batch:
            return ShadowShare(
                of: analysis.children.map { self.wants(keyspace: $0.keyspace ?? keyspace, table: $0.table) }
            )
        case .roleOrPermission: isWanted = true
        case .unknown where analysis.table == nil: isWanted = true
        case .ddl(let change):
            isWanted = self.wants(
                keyspace: analysis.keyspace ?? keyspace,
                table: change.namesTable ? analysis.table : nil
            )
        case .select, .insert, .update, .delete, .truncate, .use, .list, .describe, .unknown:
            isWanted = self.wants(keyspace: analysis.keyspace ?? keyspace, table: analysis.table)
        }
        return isWanted ? .whole : .nothing
    }

    /// What of a protocol BATCH is wanted on the shadow.
    ///
    /// - Parameter statements: of the children.
    public func share(ofBatch statements: [WriteStatement]) -> ShadowShare {
        guard !self.isOpen else { return .whole }
        return ShadowShare(of: statements.map { self.share(of: $0.analysis, keyspace: $0.keyspace) != .nothing })
    }
}

extension SchemaChange {
    /// Whether it names a table, and not something that several tables of a keyspace may need.
    fileprivate var namesTable: Bool {
        switch self.object {
        case .table, .view, .trigger: true
        case .index: self.action == .create
        case .keyspace, .type, .function, .aggregate: false
        }
    }
}

/// A name that no table can have.
public struct TableFilterError: Error, Hashable, CustomStringConvertible {
    /// The name.
    public let text: String

    /// What was found and what is valid.
    public var description: String {
        "'\(self.text.prefix(128))' names no table; valid are keyspace, keyspace.* and keyspace.table, "
            + "with names in double quotes where they are not lower case"
    }
}

/// How much of a write the shadow gets.
public enum ShadowShare: Sendable, Hashable {
    /// All of it.
    case whole
    /// Only the children of a batch with these indices, in order; at least one, and not all.
    case children([Int])
    /// Nothing.
    case nothing

    /// The share of a batch, by whether each child is wanted.
    public init(of wanted: [Bool]) {
        let children = wanted.indices.filter { wanted[$0] }
        if children.count == wanted.count {
            self = .whole
        } else {
            self = children.isEmpty ? .nothing : .children(children)
        }
    }
}
