import LiveTables

/// What an index is on, as servers keep it in `system_schema.indexes` under the option `target`.
///
/// Cassandra keeps CQL text: `v`, `"V"`, `keys(m)`, for indexes on several columns one behind the other with commas. ScyllaDB
/// keeps the same for global indexes, older releases without quotes; for local ones a JSON object with the partition key under
/// `pk` and the indexed column under `ck`, and for vector indexes one with `tc` and further columns under `fc`.
struct IndexTarget: Sendable, Hashable {
    enum Form: String, Sendable, CaseIterable {
        case column = ""
        case keys, values, entries, full
    }

    struct Part: Sendable, Hashable {
        var form: Form
        var column: String
    }

    /// The columns of a local index's partition key; empty for all others.
    private(set) var partitionKey: [String] = []
    /// What is indexed; empty for custom indexes that are on the row.
    private(set) var parts: [Part] = []

    /// - Parameter columns: the types of the table's columns by name. Without them a column could not be told from a function
    ///   where names have no quotes.
    /// - Returns: nil where the text is not about these columns.
    init?(_ text: String, columns: [String: String]) {
        if text.isEmpty { return }
        if let whole = Self.part(text, columns) {
            self.parts = [whole]
            return
        }
        if text.hasPrefix("{") {
            guard let object = JSONLine(text)?.fields else { return nil }
            func names(_ key: String) -> [String]? {
                let texts: [String]
                switch object[key] {
                case .none: texts = []
                case .text(let name): texts = [name]
                case .array(let names): texts = names
                case .object: return nil
                }
                let names = texts.compactMap { Self.name($0, columns) }
                return names.count == texts.count ? names : nil
            }
            guard Set(object.keys).isSubset(of: ["pk", "ck", "tc", "fc"]), let partitionKey = names("pk"),
                let clustering = names("ck"), let vector = names("tc"), let others = names("fc")
            else { return nil }
            self.partitionKey = partitionKey
            self.parts = (clustering + vector + others).map { Part(form: .column, column: $0) }
            if self.parts.isEmpty { return nil }
            return
        }
        for text in Self.split(text) {
            guard let part = Self.part(text, columns) else { return nil }
            self.parts.append(part)
        }
    }

    /// What stands between the parentheses of CREATE INDEX.
    var text: String {
        let quoted = StatementTexts.Target.quoted
        let parts = self.parts.map { part in
            part.form == .column ? quoted(part.column) : "\(part.form.rawValue)(\(quoted(part.column)))"
        }
        guard !self.partitionKey.isEmpty else { return parts.joined(separator: ", ") }
        return (["(\(self.partitionKey.map(quoted).joined(separator: ", ")))"] + parts).joined(separator: ", ")
    }

    // MARK: Parts

    private static func part(_ text: String, _ columns: [String: String]) -> Part? {
        for form in Form.allCases where form != .column && text.hasPrefix(form.rawValue + "(") && text.hasSuffix(")") {
            let inner = text.dropFirst(form.rawValue.count + 1).dropLast()
            if let column = self.name(String(inner), columns) { return self.made(form, column, columns) }
        }
        return self.name(text, columns).map { self.made(.column, $0, columns) }
    }

    /// The form that CREATE INDEX wants, which is not always the one that is kept: ScyllaDB keeps `v` for `full(v)` and
    /// `keys(s)` for the values of a set, and refuses to be given either.
    private static func made(_ form: Form, _ column: String, _ columns: [String: String]) -> Part {
        let type = columns[column] ?? ""
        let isFrozenCollection = ["frozen<list<", "frozen<set<", "frozen<map<"].contains { type.hasPrefix($0) }
        if form == .column, isFrozenCollection { return Part(form: .full, column: column) }
        if form == .keys, type.hasPrefix("set<") { return Part(form: .values, column: column) }
        return Part(form: form, column: column)
    }

    /// The column of this name, which may stand in quotes.
    private static func name(_ text: String, _ columns: [String: String]) -> String? {
        if text.count > 2, text.hasPrefix("\""), text.hasSuffix("\"") {
            let inner = text.dropFirst().dropLast()
            let name = inner.split(separator: "\"\"", omittingEmptySubsequences: false).joined(separator: "\"")
            if columns[name] != nil { return name }
        }
        return columns[text] != nil ? text : nil
    }

    /// The parts between commas that are not in quotes.
    private static func split(_ text: String) -> [String] {
        var parts = [""]
        var isQuoted = false
        for character in text {
            if character == "\"" { isQuoted.toggle() }
            if character == ",", !isQuoted {
                parts.append("")
            } else if character != " " || isQuoted || parts[parts.count - 1] != "" {
                parts[parts.count - 1].append(character)
            }
        }
        return parts
    }
}
