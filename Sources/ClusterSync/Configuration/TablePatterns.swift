import DualWriteCore
import Operations

/// Which tables are loaded: those that an include list names, all where both are empty, without those that an exclude list
/// names.
struct TablePatterns: Sendable, Equatable {
    /// `keyspace`, `keyspace.*` or `keyspace.table`.
    struct Pattern: Sendable, Equatable, CustomStringConvertible {
        let keyspace: NamePattern
        let table: NamePattern

        /// Nil where `text` is none.
        init?(_ text: String) {
            var rest = text[...]
            guard let keyspace = NamePattern(takenFrom: &rest) else { return nil }
            self.keyspace = keyspace
            if rest.isEmpty {
                self.table = .any
                return
            }
            guard rest.removeFirst() == ".", let table = NamePattern(takenFrom: &rest), rest.isEmpty else { return nil }
            self.table = table
        }

        /// A keyspace alone; nil where `text` is none.
        init?(keyspace text: String) {
            var rest = text[...]
            guard let keyspace = NamePattern(takenFrom: &rest), rest.isEmpty else { return nil }
            self.keyspace = keyspace
            self.table = .any
        }

        /// Whether ``description`` means the same.
        var isSayable: Bool { self.keyspace.isSayable && self.table.isSayable }

        /// The pattern without quotes.
        var description: String { self.table == .any ? "\(self.keyspace)" : "\(self.keyspace).\(self.table)" }

        func matches(keyspace: String, table: String) -> Bool {
            self.keyspace.matches(keyspace) && self.table.matches(table)
        }
    }

    var include: [Pattern]
    var exclude: [Pattern]

    /// Whether a table, named as in the schema, is loaded.
    func contains(keyspace: String, table: String) -> Bool {
        let isIncluded = self.include.isEmpty || self.include.contains { $0.matches(keyspace: keyspace, table: table) }
        return isIncluded && !self.exclude.contains { $0.matches(keyspace: keyspace, table: table) }
    }
}

extension ConfigurationValues {
    /// The patterns of the four lists; tables and keyspaces of one kind add up.
    mutating func tablePatterns() -> TablePatterns {
        func patterns(_ list: String) -> [TablePatterns.Pattern] {
            let tables = self.texts("tables.\(list)").compactMap { text in
                let pattern = TablePatterns.Pattern(text)
                if pattern?.isSayable == false {
                    self.fault(
                        "tables.\(list)",
                        "'\(text.prefix(80))' has a dot, * or ? in a quoted name: not possible yet"
                    )
                }
                if pattern == nil {
                    self.fault(
                        "tables.\(list)",
                        "'\(text.prefix(80))' names no tables; write keyspace, keyspace.* or keyspace.table, with * and ?"
                    )
                }
                return pattern
            }
            let keyspaces = self.texts("keyspaces.\(list)").compactMap { text in
                let pattern = TablePatterns.Pattern(keyspace: text)
                if pattern == nil {
                    self.fault(
                        "keyspaces.\(list)",
                        "'\(text.prefix(80))' names no keyspace; tables are in tables.\(list)"
                    )
                }
                return pattern
            }
            return tables + keyspaces
        }
        return TablePatterns(include: patterns("include"), exclude: patterns("exclude"))
    }
}
