import Operations

/// Which tables are loaded: those that an include list names, all where both are empty, without those that an exclude list
/// names.
struct TablePatterns: Sendable, Equatable {
    /// A name with `*` for any characters and `?` for one. In double quotes it is taken as it is; else case does not matter
    /// to it, as to CQL.
    struct Name: Sendable, Equatable, CustomStringConvertible {
        private let text: [Character]
        private let isLiteral: Bool

        static let any = Name(text: ["*"], isLiteral: false)

        private init(text: [Character], isLiteral: Bool) {
            self.text = text
            self.isLiteral = isLiteral
        }

        /// Takes a name from the front of `rest`; nil where there is none.
        init?(_ rest: inout Substring) {
            guard rest.first == "\"" else {
                let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber) || "_*?".contains($0) }
                rest = rest.dropFirst(name.count)
                guard !name.isEmpty else { return nil }
                self.init(text: Array(name.lowercased()), isLiteral: false)
                return
            }
            rest.removeFirst()
            var name: [Character] = []
            while let character = rest.popFirst() {
                if character != "\"" {
                    name.append(character)
                } else if rest.first == "\"" {
                    name.append(rest.removeFirst())
                } else if !name.isEmpty {
                    self.init(text: name, isLiteral: true)
                    return
                } else {
                    return nil
                }
            }
            return nil
        }

        var description: String { String(self.text) }

        /// Whether ``description`` means the same: a quoted name may have in it what is special outside of quotes.
        var isSayable: Bool { !self.isLiteral || !self.text.contains { ".*?".contains($0) } }

        /// Whether `name`, as in the schema, is meant.
        func matches(_ name: String) -> Bool {
            if self.isLiteral { return self.text == Array(name) }
            let name = Array(name)
            // The last star, and how much of the name it has taken: on a mismatch it takes one more.
            var (pattern, position) = (0, 0)
            var star: (pattern: Int, position: Int)?
            while position < name.count {
                if pattern < self.text.count, self.text[pattern] == "*" {
                    star = (pattern, position)
                    pattern += 1
                } else if pattern < self.text.count, self.text[pattern] == "?" || self.text[pattern] == name[position] {
                    pattern += 1
                    position += 1
                } else if let last = star {
                    star = (last.pattern, last.position + 1)
                    pattern = last.pattern + 1
                    position = last.position + 1
                } else {
                    return false
                }
            }
            return self.text[pattern...].allSatisfy { $0 == "*" }
        }
    }

    /// `keyspace`, `keyspace.*` or `keyspace.table`.
    struct Pattern: Sendable, Equatable, CustomStringConvertible {
        let keyspace: Name
        let table: Name

        /// Nil where `text` is none.
        init?(_ text: String) {
            var rest = text[...]
            guard let keyspace = Name(&rest) else { return nil }
            self.keyspace = keyspace
            if rest.isEmpty {
                self.table = .any
                return
            }
            guard rest.removeFirst() == ".", let table = Name(&rest), rest.isEmpty else { return nil }
            self.table = table
        }

        /// A keyspace alone; nil where `text` is none.
        init?(keyspace text: String) {
            var rest = text[...]
            guard let keyspace = Name(&rest), rest.isEmpty else { return nil }
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
