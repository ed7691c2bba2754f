public import CQLSyntax

/// Which tables are wanted on the shadow: those that the include list names, all where it is empty, without those that the
/// exclude list names.
public struct TableFilter: Sendable, Hashable {
    /// What a name of a list stands for.
    public struct Pattern: Sendable, Hashable, CustomStringConvertible {
        /// The keyspaces.
        public let keyspace: NamePattern
        /// The tables; nil for all of a keyspace.
        public let table: NamePattern?

        /// One table as the schema names it, or all of a keyspace.
        public init(keyspace: String, table: String?) {
            self.keyspace = NamePattern(exactly: keyspace)
            self.table = table.map { NamePattern(exactly: $0) }
        }

        /// Reads `keyspace`, `keyspace.*` or `keyspace.table`, with names as CQL writes them: lower case unless in double quotes,
        /// and with `*` and `?` outside of them.
        ///
        /// - Throws: ``TableFilterError`` that shows what is valid.
        public init(parsing text: String) throws(TableFilterError) {
            var rest = text[...]
            guard let keyspace = NamePattern(takenFrom: &rest) else { throw TableFilterError(text: text) }
            self.keyspace = keyspace
            guard !rest.isEmpty else {
                self.table = nil
                return
            }
            guard rest.removeFirst() == ".", let table = NamePattern(takenFrom: &rest), rest.isEmpty else {
                throw TableFilterError(text: text)
            }
            self.table = table == .any ? nil : table
        }

        /// As it can be read again.
        public var description: String { "\(self.keyspace.quoted).\(self.table?.quoted ?? "*")" }
    }

    /// One of the two lists: whole names are looked up, the others are tried one after the other.
    private struct List: Sendable, Hashable {
        /// The tables by keyspace; nil for all of its tables.
        private var names: [String: Set<String>?] = [:]
        private var patterns: [Pattern] = []

        init(_ patterns: [Pattern]) {
            for pattern in patterns {
                guard let keyspace = pattern.keyspace.exactName else {
                    self.patterns.append(pattern)
                    continue
                }
                switch pattern.table.map(\.exactName) {
                case nil:
                    self.names[keyspace] = .some(nil)
                case .some(.none):
                    self.patterns.append(pattern)
                case .some(.some(let table)):
                    guard let tables = self.names[keyspace, default: .some([])] else { continue }
                    self.names[keyspace] = .some(tables.union([table]))
                }
            }
        }

        var isEmpty: Bool { self.names.isEmpty && self.patterns.isEmpty }

        /// Whether it names a table.
        func names(_ keyspace: String, _ table: String) -> Bool {
            if let tables = self.names[keyspace], tables?.contains(table) ?? true { return true }
            return self.patterns.contains { $0.keyspace.matches(keyspace) && $0.table?.matches(table) ?? true }
        }

        /// Whether it names a whole keyspace.
        func namesAll(of keyspace: String) -> Bool {
            if let tables = self.names[keyspace], tables == nil { return true }
            return self.patterns.contains { $0.table == nil && $0.keyspace.matches(keyspace) }
        }

        /// Whether it may name something of a keyspace.
        func namesSome(of keyspace: String) -> Bool {
            self.names[keyspace] != nil || self.patterns.contains { $0.keyspace.matches(keyspace) }
        }
    }

    /// What opens it.
    public let include: [Pattern]
    /// What closes it.
    public let exclude: [Pattern]
    private let included: List
    private let excluded: List

    /// Everything is wanted.
    public static var all: TableFilter { TableFilter(include: [], exclude: []) }

    /// A filter of two lists.
    public init(include: [Pattern], exclude: [Pattern]) {
        self.include = include
        self.exclude = exclude
        self.included = List(include)
        self.excluded = List(exclude)
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

    /// Whether it lets everything through.
    public var isOpen: Bool { self.included.isEmpty && self.excluded.isEmpty }

    /// Whether a table is wanted on the shadow.
    ///
    /// - Parameters:
    ///   - keyspace: nil where nobody knows it; then it is wanted, since a copy too many does less harm than one that is missing.
    ///   - table: nil for what is about the whole keyspace, which is wanted as soon as one of its tables may be.
    public func wants(keyspace: String?, table: String?) -> Bool {
        guard let keyspace, !self.isOpen else { return true }
        guard let table else {
            return (self.included.isEmpty || self.included.namesSome(of: keyspace))
                && !self.excluded.namesAll(of: keyspace)
        }
        return (self.included.isEmpty || self.included.names(keyspace, table)) && !self.excluded.names(keyspace, table)
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
        "'\(self.text.prefix(128))' names no table; valid are keyspace, keyspace.* and keyspace.table, with * and ?, "
            + "and with names in double quotes where they are not lower case"
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
