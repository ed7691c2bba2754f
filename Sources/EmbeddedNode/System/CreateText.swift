import CQLSyntax

/// The statements that make keyspaces, types, tables and indexes, as DESCRIBE prints them.
enum CreateText {
    static func keyspace(_ keyspace: Keyspace) -> String {
        var replication = keyspace.replication
        let strategy = replication.removeValue(forKey: "class").map {
            $0.split(separator: ".").last.map(String.init) ?? $0
        }
        let entries = [(key: "class", value: strategy ?? "")] + replication.sorted { $0.key < $1.key }
        return "CREATE KEYSPACE \(self.name(keyspace.name)) WITH replication = \(self.map(entries))"
            + "  AND durable_writes = \(keyspace.durableWrites);"
    }

    static func type(_ name: String, _ fields: [ValueType.Field], _ keyspace: Keyspace) -> String {
        let lines = fields.map { "    \(self.name($0.name)) \(self.type($0.type))" }
        return "CREATE TYPE \(self.name(keyspace.name)).\(self.name(name)) (\n\(lines.joined(separator: ",\n"))\n);"
    }

    static func table(_ table: Table, withInternals: Bool = false) -> String {
        let partition = table.partitionKey.map { self.name($0.name) }
        let clustering = table.clustering.map { self.name($0.name) }
        let isSimple = partition.count == 1 && clustering.isEmpty
        var lines = table.columns.map { column in
            let suffix =
                column.kind == .static ? " static" : isSimple && column.kind == .partitionKey ? " PRIMARY KEY" : ""
            return "    \(self.name(column.name)) \(self.type(column.type))\(suffix)"
        }
        if !isSimple {
            let first = partition.count == 1 ? partition[0] : "(\(partition.joined(separator: ", ")))"
            lines.append("    PRIMARY KEY (\(([first] + clustering).joined(separator: ", ")))")
        }
        var options: [String] = []
        if withInternals { options.append("ID = \(JSONText.plain(table.id, .native("uuid")))") }
        if !clustering.isEmpty {
            let orders = table.clustering.map { "\(self.name($0.name)) \($0.isDescending ? "DESC" : "ASC")" }
            options.append("CLUSTERING ORDER BY (\(orders.joined(separator: ", ")))")
        }
        options += self.options(TableSettings(table.options))
        return "CREATE TABLE \(self.name(table.keyspace)).\(self.name(table.name)) "
            + "(\n\(lines.joined(separator: ",\n"))\n"
            + ") WITH \(options.joined(separator: "\n    AND "));"
    }

    private static func options(_ settings: TableSettings) -> [String] {
        func text(_ name: String) -> String { "\(name) = \(self.quoted(settings.text(name)))" }
        func integer(_ name: String) -> String { "\(name) = \(settings.integer(name))" }
        func map(_ name: String) -> String { "\(name) = \(self.map(settings.map(name)))" }
        return [
            text("additional_write_policy"),
            "bloom_filter_fp_chance = \(settings.fraction("bloom_filter_fp_chance"))", map("caching"), "cdc = false",
            text("comment"), map("compaction"), map("compression"), "memtable = 'default'",
            "crc_check_chance = \(settings.fraction("crc_check_chance"))", integer("default_time_to_live"),
            "extensions = {}", integer("gc_grace_seconds"), integer("max_index_interval"),
            integer("memtable_flush_period_in_ms"), integer("min_index_interval"), text("read_repair"),
            text("speculative_retry"),
        ]
    }

    static func index(_ index: Index, _ table: Table) -> String {
        var options = index.options
        let target = options.removeValue(forKey: "target") ?? ""
        let head = "INDEX \(self.name(index.name)) ON \(self.name(table.keyspace)).\(self.name(table.name)) (\(target))"
        guard let className = options.removeValue(forKey: "class_name") else { return "CREATE \(head);" }
        let entries = options.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value) }
        let with = entries.isEmpty ? "" : " WITH OPTIONS = \(self.map(entries))"
        return "CREATE CUSTOM \(head) USING \(self.quoted(className))\(with);"
    }

    /// A name with quotes where it needs them.
    static func name(_ name: String) -> String {
        let bytes = Array(name.utf8)
        let isPlain =
            bytes.first.map { $0 >= 0x61 && $0 <= 0x7a } ?? false
            && bytes.allSatisfy { ($0 >= 0x61 && $0 <= 0x7a) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x5f }
        // A word that the grammar reserves does not parse as a name.
        if isPlain, (try? Parser.parse("USE \(name)")) != nil { return name }
        return "\"\(name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
    }

    private static func type(_ type: ValueType) -> String {
        switch type {
        case .native(let name): name
        case .list(let element): "list<\(self.type(element))>"
        case .set(let element): "set<\(self.type(element))>"
        case .map(let key, let value): "map<\(self.type(key)), \(self.type(value))>"
        case .tuple(let elements): "frozen<tuple<\(elements.map { self.type($0) }.joined(separator: ", "))>>"
        case .udt(_, let name, _): self.name(name)
        case .frozen(.tuple(let elements)): self.type(.tuple(elements))
        case .frozen(let inner): "frozen<\(self.type(inner))>"
        }
    }

    private static func map(_ entries: [(key: String, value: String)]) -> String {
        "{\(entries.map { "\(self.quoted($0.key)): \(self.quoted($0.value))" }.joined(separator: ", "))}"
    }

    private static func quoted(_ text: String) -> String {
        "'\(text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''"))'"
    }
}
