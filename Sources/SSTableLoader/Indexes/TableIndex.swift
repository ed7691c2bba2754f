import LiveTables

/// A table whose indexes are spoken of.
public struct IndexedTable: Sendable, Hashable, CustomStringConvertible {
    /// The keyspace, without quotes.
    public var keyspace: String
    /// The table, without quotes.
    public var name: String

    /// A table.
    public init(keyspace: String, name: String) {
        self.keyspace = keyspace
        self.name = name
    }

    /// `keyspace.table`.
    public var description: String { "\(self.keyspace).\(self.name)" }
}

/// The server that indexes are made on, as far as their statements differ.
public struct IndexServer: Sendable, Hashable {
    /// Whether it is ScyllaDB.
    public var isScylla: Bool
    /// The first number of Cassandra's release; of ScyllaDB the one of the Cassandra that it says to be like.
    public var major: Int

    /// A server.
    public init(isScylla: Bool, major: Int) {
        self.isScylla = isScylla
        self.major = major
    }
}

/// A secondary index, with the statement that makes it again.
public struct TableIndex: Sendable, Hashable, CustomStringConvertible {
    /// How it can be made again.
    public enum Making: Sendable, Hashable {
        /// By this statement, with `IF NOT EXISTS` and all names in quotes.
        case statement(String)
        /// Not by any statement, for this reason.
        case impossible(String)
    }

    /// The table.
    public let table: IndexedTable
    /// The index's name, without quotes. It is the only one of its name in the keyspace.
    public let name: String
    /// What `system_schema.indexes` calls the kind: `COMPOSITES`, `KEYS` or `CUSTOM`.
    public let kind: String
    /// The options as the server keeps them, `target` and `class_name` among them.
    public let options: [String: String]
    /// How it is made again.
    public let making: Making

    /// An index that has been recorded.
    init(table: IndexedTable, name: String, kind: String, options: [String: String], making: Making) {
        self.table = table
        self.name = name
        self.kind = kind
        self.options = options
        self.making = making
    }

    /// An index as a row of `system_schema.indexes` tells it.
    ///
    /// - Parameter columns: the types of the table's columns by name, as `system_schema.columns` has them.
    public init(
        table: IndexedTable,
        name: String,
        kind: String,
        options: [String: String],
        columns: [String: String],
        server: IndexServer
    ) {
        self.init(
            table: table,
            name: name,
            kind: kind,
            options: options,
            making: Self.making(table, name, kind, options, columns, server)
        )
    }

    /// `keyspace.index`, as DROP INDEX names it, but without quotes.
    public var description: String { "\(self.table.keyspace).\(self.name)" }

    /// The statement that makes it again, where there is one.
    public var statement: String? {
        if case .statement(let text) = self.making { return text }
        return nil
    }

    /// The statement that drops it.
    var dropStatement: String {
        let quoted = StatementTexts.Target.quoted
        return "DROP INDEX IF EXISTS \(quoted(self.table.keyspace)).\(quoted(self.name))"
    }

    /// Whether both are one index in all but their names.
    func hasDefinition(of other: TableIndex) -> Bool {
        guard self.table == other.table, self.kind == other.kind else { return false }
        if self.ownOptions == other.ownOptions { return true }
        // A server that has been upgraded in the meantime may quote a target otherwise.
        guard let own = self.body, let others = other.body else { return false }
        return own == others
    }

    /// Everything that tells it from another one: its statement, else what the server says.
    var definition: String {
        if let statement { return statement }
        let options = self.options.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
        return "\(self.kind) on \(self.table) {\(options)}"
    }

    // MARK: Statements

    /// What a server adds to the options by itself: ScyllaDB gives each vector index the time of its making.
    private static let serverOptions: Set<String> = ["index_version"]

    private var ownOptions: [String: String] { self.options.filter { !Self.serverOptions.contains($0.key) } }

    /// The statement without the index's name.
    private var body: Substring? {
        self.statement.map { Substring($0.utf8.dropFirst(Self.head(self.kind, self.name).utf8.count)) }
    }

    private static func head(_ kind: String, _ name: String) -> String {
        "CREATE \(kind == "CUSTOM" ? "CUSTOM " : "")INDEX IF NOT EXISTS \(StatementTexts.Target.quoted(name))"
    }

    private static func making(
        _ table: IndexedTable,
        _ name: String,
        _ kind: String,
        _ options: [String: String],
        _ columns: [String: String],
        _ server: IndexServer
    ) -> Making {
        let quoted = StatementTexts.Target.quoted
        guard let target = IndexTarget(options["target"] ?? "", columns: columns) else {
            return .impossible("its target \(options["target"] ?? "") is about no column that the table has")
        }
        let head = Self.head(kind, name) + " ON \(quoted(table.keyspace)).\(quoted(table.name)) (\(target.text))"
        let others = options.filter {
            !["target", "class_name"].contains($0.key) && !Self.serverOptions.contains($0.key)
        }
        switch kind {
        case "CUSTOM":
            guard let className = options["class_name"] else { return .impossible("its class is not told") }
            guard !others.isEmpty else { return .statement(head + " USING \(Self.literal(className))") }
            let entries = others.sorted { $0.key < $1.key }.map { "\(Self.literal($0.key)): \(Self.literal($0.value))" }
            return .statement(
                head + " USING \(Self.literal(className)) WITH OPTIONS = {\(entries.joined(separator: ", "))}"
            )
        case "COMPOSITES", "KEYS":
            guard others.isEmpty else {
                return .impossible("it has options that no statement gives: \(others.keys.sorted())")
            }
            guard !target.parts.isEmpty else { return .impossible("it tells no target") }
            guard kind == "COMPOSITES" || server.isScylla || server.major < 4 else {
                // Since 4.0 CREATE INDEX makes COMPOSITES on every table, which do not fit a compact one.
                return .impossible("Cassandra \(server.major) makes no indexes of the kind KEYS any more")
            }
            // What an index is where no class is named is a setting since Cassandra 5.0 (default_secondary_index).
            return .statement(head + (!server.isScylla && server.major >= 5 ? " USING 'legacy_local_table'" : ""))
        default:
            return .impossible("its kind \(kind) is not known")
        }
    }

    private static func literal(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }
}
