/// The name of a keyspace or table in a list, with `*` for any characters and `?` for one. In double quotes it is taken as it is;
/// else case does not matter to it, as to CQL.
public struct NamePattern: Sendable, Hashable, CustomStringConvertible {
    let text: [Character]
    let isLiteral: Bool

    /// Every name.
    public static let any = NamePattern(text: ["*"], isLiteral: false)

    private init(text: [Character], isLiteral: Bool) {
        self.text = text
        // What means the same without quotes is the same.
        self.isLiteral = isLiteral && !Self.isPlain(text)
    }

    private static func isPlain(_ text: [Character]) -> Bool {
        text.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber) || $0 == "_" }
    }

    /// One name, as in the schema.
    public init(exactly name: String) {
        self.init(text: Array(name), isLiteral: true)
    }

    /// Takes a name from the front of `rest`; nil where there is none.
    public init?(takenFrom rest: inout Substring) {
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

    /// The only name that it stands for; nil where there may be several.
    public var exactName: String? {
        self.isLiteral || !self.text.contains { "*?".contains($0) } ? String(self.text) : nil
    }

    /// Without quotes.
    public var description: String { String(self.text) }

    /// Whether ``description`` means the same: a quoted name may have in it what is special outside of quotes.
    public var isSayable: Bool { !self.isLiteral || !self.text.contains { ".*?".contains($0) } }

    /// As it can be read again: in double quotes where it would mean something else without.
    public var quoted: String {
        guard self.isLiteral else { return String(self.text) }
        return "\"" + self.text.map { $0 == "\"" ? "\"\"" : String($0) }.joined() + "\""
    }

    /// Whether `name`, as in the schema, is meant.
    public func matches(_ name: String) -> Bool {
        if self.isLiteral { return self.text == Array(name) }
        return self.takes(Array(name)) { _ in true }
    }

    /// Whether stars and the rest of the pattern take all of a text.
    ///
    /// - Parameter isSingle: whether a character of the text can be taken by something else than a star.
    func takes(_ name: [Character], _ isSingle: (Character) -> Bool) -> Bool {
        // The last star, and how much of the name it has taken: on a mismatch it takes one more.
        var (pattern, position) = (0, 0)
        var star: (pattern: Int, position: Int)?
        while position < name.count {
            if pattern < self.text.count, self.text[pattern] == "*" {
                star = (pattern, position)
                pattern += 1
            } else if pattern < self.text.count, isSingle(name[position]),
                self.text[pattern] == "?" || self.text[pattern] == name[position]
            {
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
