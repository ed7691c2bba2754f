/// The name of a type's class with its parameters, such as `ReversedType(TimestampType)`, taken apart one level.
struct ClassName {
    /// The class; Cassandra's own without their package.
    let head: Substring
    /// The parameters between its parentheses; empty where it has none.
    let parameters: [Substring]

    private static var package: String { "org.apache.cassandra.db.marshal." }

    /// Nil where parentheses do not match.
    init?(_ name: Substring) {
        let text = name.utf8
        let open = text.firstIndex(of: UInt8(ascii: "(")) ?? text.endIndex
        let full = name[..<open]
        self.head = full.hasPrefix(Self.package) ? full.dropFirst(Self.package.count) : full
        guard !self.head.isEmpty else { return nil }
        guard open < text.endIndex else {
            self.parameters = []
            return
        }
        var parameters: [Substring] = []
        var depth = 0
        var start = text.index(after: open)
        var index = start
        while index < text.endIndex {
            let byte = text[index]
            let next = text.index(after: index)
            switch byte {
            case UInt8(ascii: "("): depth += 1
            case UInt8(ascii: ")") where depth == 0:
                guard next == text.endIndex else { return nil }
                if start < index || !parameters.isEmpty { parameters.append(name[start..<index]) }
                self.parameters = parameters.map(Self.trimmed)
                return
            case UInt8(ascii: ")"): depth -= 1
            case UInt8(ascii: ",") where depth == 0:
                parameters.append(name[start..<index])
                start = next
            default: break
            }
            index = next
        }
        return nil
    }

    /// `VectorType` puts a space before its comma.
    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return text
    }
}
