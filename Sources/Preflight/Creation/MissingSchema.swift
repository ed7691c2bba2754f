import LiveTables
import SSTableLoader

/// What of the source's schema the target lacks, as statements in the order in which they are to be run. Pure.
public struct MissingSchema: Sendable, Hashable {
    /// What is to be made.
    public struct Item: Sendable, Hashable, Codable {
        /// `keyspace`, `type`, `table` or `index`.
        public var kind: String
        /// Its name.
        public var name: String
        /// The exact statement.
        public var statement: String
    }

    /// Something that is missing and cannot be made by itself.
    public struct Refusal: Sendable, Hashable, Codable {
        /// Its name.
        public var name: String
        /// Why, and what to do.
        public var reason: String
    }

    /// What can be made.
    public private(set) var items: [Item] = []
    /// What cannot.
    public private(set) var refusals: [Refusal] = []

    /// - Parameters:
    ///   - replication: replicas by data center of the target, by keyspace, where somebody has said them.
    public init(_ rules: PreflightRules, replication: [String: [String: Int]] = [:]) {
        for one in rules.wanted {
            let target = rules.target.keyspaces[one.name]
            if target == nil {
                switch Self.replication(of: one.name, one.keyspace, rules, replication[one.name]) {
                case .success(let map):
                    let text = "CREATE KEYSPACE IF NOT EXISTS \(Self.quoted(one.name)) WITH replication = \(map)"
                    let durable = one.keyspace.hasDurableWrites ? "" : " AND durable_writes = false"
                    self.items.append(Item(kind: "keyspace", name: one.name, statement: text + durable))
                case .failure(let refusal):
                    self.refusals.append(Refusal(name: one.name, reason: refusal.reason))
                    continue
                }
            }
            self.addTypes(one.name, one.keyspace, target)
            for name in one.tables {
                guard let table = one.keyspace.tables[name] else { continue }
                self.add(name, table, in: one.name, target?.tables[name], rules)
            }
        }
    }

    private struct Guess: Error { let reason: String }

    // MARK: Keyspaces

    private static func replication(
        of name: String,
        _ keyspace: KeyspacePicture,
        _ rules: PreflightRules,
        _ said: [String: Int]?
    ) -> Result<String, Guess> {
        let nodes = rules.target.nodes
        let replicas = said ?? keyspace.replicas
        let known = nodes.keys.sorted().joined(separator: ", ")
        let form = "say it: --replication \(name)=DATACENTER:REPLICAS (the target has \(known))"
        if said == nil, keyspace.strategy == "SimpleStrategy" {
            guard nodes.count == 1, let factor = Int(keyspace.replication["replication_factor"] ?? "") else {
                return .failure(
                    Guess(reason: "the source has SimpleStrategy, which says nothing of data centers; \(form)")
                )
            }
            return .success("{'class': 'SimpleStrategy', 'replication_factor': '\(factor)'}")
        }
        guard !replicas.isEmpty else {
            return .failure(Guess(reason: "the source's replication \(keyspace.strategy) has no equal here; \(form)"))
        }
        if let unknown = replicas.keys.sorted().first(where: { nodes[$0] == nil }) {
            return .failure(Guess(reason: "the target has no data center \(unknown); \(form)"))
        }
        if let few = replicas.sorted(by: { $0.key < $1.key }).first(where: { $0.value > nodes[$0.key, default: 0] }) {
            return .failure(
                Guess(
                    reason:
                        "\(few.value) replicas in \(few.key), which has \(nodes[few.key, default: 0]) nodes; \(form)"
                )
            )
        }
        let entries = replicas.sorted { $0.key < $1.key }.map { "\(Self.literal($0.key)): '\($0.value)'" }
        return .success("{'class': 'NetworkTopologyStrategy', \(entries.joined(separator: ", "))}")
    }

    // MARK: Types

    private mutating func addTypes(_ keyspace: String, _ source: KeyspacePicture, _ target: KeyspacePicture?) {
        var left = source.types.filter { target?.types[$0.key] == nil }
        // A type may have fields of others, which must be there first; none can be in a circle.
        while !left.isEmpty {
            let ready = left.filter { _, type in
                !type.types.contains { text in left.keys.contains { Self.mentions(text, $0) } }
            }
            guard !ready.isEmpty else { return }
            for (name, type) in ready.sorted(by: { $0.key < $1.key }) {
                let fields = zip(type.fields, type.types).map { "\(Self.quoted($0)) \($1)" }.joined(separator: ", ")
                let text = "CREATE TYPE IF NOT EXISTS \(Self.quoted(keyspace)).\(Self.quoted(name)) (\(fields))"
                self.items.append(Item(kind: "type", name: "\(keyspace).\(name)", statement: text))
                left[name] = nil
            }
        }
    }

    /// Whether the name is one of the words of a type.
    static func mentions(_ type: String, _ name: String) -> Bool {
        type.split { "<>, ".contains($0) }.contains { $0 == name || $0 == Self.quoted(name) }
    }

    // MARK: Tables

    private mutating func add(
        _ name: String,
        _ table: TablePicture,
        in keyspace: String,
        _ target: TablePicture?,
        _ rules: PreflightRules
    ) {
        let place = "\(keyspace).\(name)"
        if target == nil {
            guard !table.isCompact else {
                self.refusals.append(
                    Refusal(
                        name: place,
                        reason: "COMPACT STORAGE has no equal: create the table with the columns that CQL shows"
                    )
                )
                return
            }
            self.items.append(Item(kind: "table", name: place, statement: Self.statement(keyspace, name, table)))
        }
        let there = Set((target?.indexes ?? [:]).values.map { $0.options["target"] ?? "" })
        let server = IndexServer(isScylla: rules.target.isScylla, major: rules.target.major)
        for (index, one) in table.indexes.sorted(by: { $0.key < $1.key })
        where target?.indexes[index] == nil && !there.contains(one.options["target"] ?? "") {
            let made = TableIndex(
                table: IndexedTable(keyspace: keyspace, name: name),
                name: index,
                kind: one.kind,
                options: one.options,
                columns: table.columns.mapValues(\.type),
                server: server
            )
            switch made.making {
            case .statement(let text):
                self.items.append(Item(kind: "index", name: "\(keyspace).\(index)", statement: text))
            case .impossible(let reason):
                self.refusals.append(Refusal(name: "\(keyspace).\(index)", reason: reason))
            }
        }
    }

    static func statement(_ keyspace: String, _ name: String, _ table: TablePicture) -> String {
        let order = table.names(.partitionKey) + table.names(.clustering) + table.names(.static) + table.names(.regular)
        let columns = order.compactMap { column in
            table.columns[column].map { "\(Self.quoted(column)) \($0.type)" + ($0.kind == .static ? " static" : "") }
        }
        let clustering = table.names(.clustering)
        let key = "(\(table.names(.partitionKey).map(Self.quoted).joined(separator: ", ")))"
        let primary = ([key] + clustering.map(Self.quoted)).joined(separator: ", ")
        var options: [String] = []
        if clustering.contains(where: { table.columns[$0]?.isReversed == true }) {
            let orders = clustering.map {
                "\(Self.quoted($0)) \(table.columns[$0]?.isReversed == true ? "DESC" : "ASC")"
            }
            options.append("CLUSTERING ORDER BY (\(orders.joined(separator: ", ")))")
        }
        if table.defaultTimeToLive > 0 { options.append("default_time_to_live = \(table.defaultTimeToLive)") }
        options.append("gc_grace_seconds = \(table.graceSeconds)")
        if !table.comment.isEmpty { options.append("comment = \(Self.literal(table.comment))") }
        return "CREATE TABLE IF NOT EXISTS \(Self.quoted(keyspace)).\(Self.quoted(name)) "
            + "(\(columns.joined(separator: ", ")), PRIMARY KEY (\(primary))) WITH \(options.joined(separator: " AND "))"
    }

    private static func quoted(_ name: String) -> String { StatementTexts.Target.quoted(name) }

    private static func literal(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }
}
