/// One JSON object on one line, of texts, arrays of texts and objects of texts: all that our own files need (RFC 8259).
package struct JSONLine: Sendable, Hashable {
    package enum Value: Sendable, Hashable {
        case text(String)
        case array([String])
        case object([String: String])
    }

    package var fields: [String: Value]

    package init(_ fields: [String: Value]) { self.fields = fields }

    /// Nil where it is anything else, or has a key twice.
    package init?(_ text: String) {
        var reader = Reader(text)
        guard let fields = reader.object({ $0.value() }), reader.isAtEnd else { return nil }
        self.fields = fields
    }

    /// The object, its keys in order.
    package var text: String {
        let fields = self.fields.sorted { $0.key < $1.key }.map { key, value in
            switch value {
            case .text(let text): "\(Self.quoted(key)):\(Self.quoted(text))"
            case .array(let texts): "\(Self.quoted(key)):[\(texts.map(Self.quoted).joined(separator: ","))]"
            case .object(let entries): "\(Self.quoted(key)):\(Self.object(entries))"
            }
        }
        return "{\(fields.joined(separator: ","))}"
    }

    private static func object(_ entries: [String: String]) -> String {
        let texts = entries.sorted { $0.key < $1.key }.map { "\(self.quoted($0.key)):\(self.quoted($0.value))" }
        return "{\(texts.joined(separator: ","))}"
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    private struct Reader {
        private var rest: Substring.UnicodeScalarView

        init(_ text: String) { self.rest = Substring(text).unicodeScalars }

        var isAtEnd: Bool {
            mutating get {
                self.skipSpace()
                return self.rest.isEmpty
            }
        }

        mutating func object<Value>(_ value: (inout Self) -> Value?) -> [String: Value]? {
            var entries: [String: Value] = [:]
            let isWhole = self.list("{", "}") { reader in
                guard let key = reader.string(), reader.take(":"), let value = value(&reader) else { return false }
                return entries.updateValue(value, forKey: key) == nil
            }
            return isWhole ? entries : nil
        }

        mutating func value() -> Value? {
            self.skipSpace()
            switch self.rest.first {
            case "\"": return self.string().map { .text($0) }
            case "[":
                var texts: [String] = []
                let isWhole = self.list("[", "]") { reader in
                    guard let text = reader.string() else { return false }
                    texts.append(text)
                    return true
                }
                return isWhole ? .array(texts) : nil
            case "{": return self.object { $0.string() }.map { .object($0) }
            default: return nil
            }
        }

        private mutating func list(
            _ open: Unicode.Scalar,
            _ close: Unicode.Scalar,
            _ element: (inout Self) -> Bool
        ) -> Bool {
            guard self.take(open) else { return false }
            if self.take(close) { return true }
            repeat { guard element(&self) else { return false } } while self.take(",")
            return self.take(close)
        }

        private mutating func string() -> String? {
            guard self.take("\"") else { return nil }
            var text = String.UnicodeScalarView()
            while let scalar = self.rest.popFirst() {
                switch scalar {
                case "\"": return String(text)
                case "\\":
                    guard let escaped = self.escape() else { return nil }
                    text.append(escaped)
                case _ where scalar.value < 0x20: return nil
                default: text.append(scalar)
                }
            }
            return nil
        }

        private mutating func escape() -> Unicode.Scalar? {
            switch self.rest.popFirst() {
            case "\"": return "\""
            case "\\": return "\\"
            case "/": return "/"
            case "b": return "\u{08}"
            case "f": return "\u{0c}"
            case "n": return "\n"
            case "r": return "\r"
            case "t": return "\t"
            case "u":
                guard let first = self.unit() else { return nil }
                guard (0xd800..<0xdc00).contains(first) else { return Unicode.Scalar(first) }
                // The other half of a character beyond the first 65,536.
                guard self.rest.popFirst() == "\\", self.rest.popFirst() == "u", let second = self.unit(),
                    (0xdc00..<0xe000).contains(second)
                else { return nil }
                return Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
            default: return nil
            }
        }

        private mutating func unit() -> UInt32? {
            var digits = ""
            for _ in 0..<4 {
                guard let digit = self.rest.popFirst(), digit.properties.isASCIIHexDigit else { return nil }
                digits.unicodeScalars.append(digit)
            }
            return UInt32(digits, radix: 16)
        }

        private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
            self.skipSpace()
            guard self.rest.first == scalar else { return false }
            self.rest.removeFirst()
            return true
        }

        private mutating func skipSpace() {
            while let first = self.rest.first, [" ", "\t", "\n", "\r"].contains(first) { self.rest.removeFirst() }
        }
    }
}
