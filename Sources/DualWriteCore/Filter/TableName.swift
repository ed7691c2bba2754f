/// `keyspace`, `keyspace.*` or `keyspace.table` as CQL writes names: in quotes where they are not of small letters.
public struct TableName: Sendable, Hashable, CustomStringConvertible {
    /// The keyspace, as in the schema.
    public let keyspace: String
    /// The table, as in the schema; nil for all of the keyspace.
    public let table: String?

    /// A name of parts that are as in the schema.
    public init(keyspace: String, table: String?) {
        self.keyspace = keyspace
        self.table = table
    }

    /// Reads a name; nil where the text is none.
    public init?(_ text: String) {
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

    /// As it can be read again.
    public var description: String { "\(Self.quoted(self.keyspace)).\(self.table.map(Self.quoted) ?? "*")" }

    private static func quoted(_ name: String) -> String {
        let isPlain = name.utf8.allSatisfy { byte in
            byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z")
                || byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
                || byte == UInt8(ascii: "_")
        }
        if isPlain, let first = name.utf8.first, first > UInt8(ascii: "9") { return name }
        var quoted = "\""
        for character in name { quoted += character == "\"" ? "\"\"" : String(character) }
        return quoted + "\""
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
