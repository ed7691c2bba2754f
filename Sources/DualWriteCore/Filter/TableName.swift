/// `keyspace`, `keyspace.*` or `keyspace.table` as CQL writes names.
struct TableName {
    let keyspace: String
    let table: String?

    init?(_ text: String) {
        var rest = text[...]
        guard let keyspace = Self.name(&rest) else { return nil }
        self.keyspace = keyspace
        if rest.isEmpty {
            self.table = nil
            return
        }
        guard rest.removeFirst() == "." else { return nil }
        if rest == "*" {
            self.table = nil
            return
        }
        guard let table = Self.name(&rest), rest.isEmpty else { return nil }
        self.table = table
    }

    private static func name(_ rest: inout Substring) -> String? {
        guard rest.first == "\"" else {
            let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "_" }
            rest = rest.dropFirst(name.count)
            guard let first = name.first, first.isLetter || first == "_" else { return nil }
            return name.lowercased()
        }
        var name = ""
        rest.removeFirst()
        while let character = rest.popFirst() {
            guard character == "\"" else {
                name.append(character)
                continue
            }
            guard rest.first == "\"" else { return name.isEmpty ? nil : name }
            name.append(rest.removeFirst())
        }
        return nil
    }
}
