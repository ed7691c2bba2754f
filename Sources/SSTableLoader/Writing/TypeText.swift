/// A type as `system_schema` writes it, without what `frozen` says about its inside.
///
/// Bytes of a value are the same whether parts of it are frozen or not; only for a whole column it makes a difference.
struct TypeText: Hashable, Sendable {
    /// The name: of a native type, of a collection, or of a user-defined type without quotes.
    let name: String
    let parameters: [TypeText]
    /// Whether the type as a whole is frozen.
    let isFrozen: Bool

    /// Types nest no deeper than this.
    private static var depthMax: Int { 64 }

    private init(name: String, parameters: [TypeText], isFrozen: Bool = false) {
        self.name = name
        self.parameters = parameters
        self.isFrozen = isFrozen
    }

    /// Reads a text; nil where it is no type.
    init?(_ text: String) {
        var rest = Array(text)[...]
        guard let type = Self.parse(&rest, depth: 0), rest.allSatisfy(\.isWhitespace) else { return nil }
        self = type
    }

    private static func parse(_ rest: inout ArraySlice<Character>, depth: Int) -> Self? {
        guard depth < Self.depthMax else { return nil }
        rest = rest.drop { $0.isWhitespace }
        guard let name = Self.name(&rest), !name.isEmpty else { return nil }
        guard rest.first == "<" else { return Self(name: name, parameters: []) }
        rest.removeFirst()
        var parameters: [Self] = []
        while true {
            guard let parameter = Self.parse(&rest, depth: depth + 1) else { return nil }
            parameters.append(parameter)
            rest = rest.drop { $0.isWhitespace }
            switch rest.popFirst() {
            case ",": continue
            case ">": break
            default: return nil
            }
            break
        }
        guard name == "frozen" else { return Self(name: name, parameters: parameters) }
        guard parameters.count == 1 else { return nil }
        return Self(name: parameters[0].name, parameters: parameters[0].parameters, isFrozen: true)
    }

    /// A name, perhaps in double quotes, or a class in single ones.
    private static func name(_ rest: inout ArraySlice<Character>) -> String? {
        guard let quote = rest.first, quote == "\"" || quote == "'" else {
            let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." }
            rest = rest.dropFirst(name.count)
            return String(name)
        }
        var name = ""
        rest.removeFirst()
        while let character = rest.popFirst() {
            guard character == quote else {
                name.append(character)
                continue
            }
            // Two quotes are one within the name.
            guard rest.first == quote else { return name }
            rest.removeFirst()
            name.append(quote)
        }
        return nil
    }
}
