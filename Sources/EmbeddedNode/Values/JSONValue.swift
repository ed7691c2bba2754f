/// A JSON document (RFC 8259). Numbers keep their text.
enum JSONValue: Hashable {
    struct Member: Hashable {
        let name: String
        let value: JSONValue
    }

    case null
    case boolean(Bool)
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    /// How deeply arrays and objects may be nested.
    static let depthMax = 64

    /// The document of a text; `nil` where it is none.
    init?(_ text: String) {
        var reader = JSONReader(bytes: Array(text.utf8))
        guard let value = reader.value(depth: 0), reader.isAtEnd else { return nil }
        self = value
    }

    /// A string with quotes and escapes.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{8}": result += "\\b"
            case "\u{c}": result += "\\f"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

private struct JSONReader {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool {
        mutating get {
            self.skipSpace()
            return self.position == self.bytes.count
        }
    }

    private mutating func skipSpace() {
        while self.position < self.bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(self.bytes[self.position]) {
            self.position += 1
        }
    }

    private mutating func take(_ text: StaticString) -> Bool {
        self.skipSpace()
        let count = text.utf8CodeUnitCount
        guard self.position + count <= self.bytes.count else { return false }
        let matches = text.withUTF8Buffer { $0.elementsEqual(self.bytes[self.position..<self.position + count]) }
        if matches { self.position += count }
        return matches
    }

    mutating func value(depth: Int) -> JSONValue? {
        guard depth < JSONValue.depthMax else { return nil }
        if self.take("null") { return .null }
        if self.take("true") { return .boolean(true) }
        if self.take("false") { return .boolean(false) }
        if self.take("[") {
            var elements: [JSONValue] = []
            if self.take("]") { return .array([]) }
            repeat {
                guard let element = self.value(depth: depth + 1) else { return nil }
                elements.append(element)
            } while self.take(",")
            return self.take("]") ? .array(elements) : nil
        }
        if self.take("{") {
            var members: [JSONValue.Member] = []
            if self.take("}") { return .object([]) }
            repeat {
                guard self.take("\""), let name = self.string(), self.take(":"),
                    let value = self.value(depth: depth + 1)
                else { return nil }
                members.append(JSONValue.Member(name: name, value: value))
            } while self.take(",")
            return self.take("}") ? .object(members) : nil
        }
        if self.take("\"") { return self.string().map { .string($0) } }
        return self.number()
    }

    private mutating func number() -> JSONValue? {
        let start = self.position
        while self.position < self.bytes.count, "+-.eE0123456789".utf8.contains(self.bytes[self.position]) {
            self.position += 1
        }
        let text = String(decoding: self.bytes[start..<self.position], as: UTF8.self)
        return Double(text) == nil ? nil : .number(text)
    }

    /// The rest of a string whose quote was taken.
    private mutating func string() -> String? {
        var units: [UInt8] = []
        while self.position < self.bytes.count {
            let byte = self.bytes[self.position]
            self.position += 1
            if byte == UInt8(ascii: "\"") { return String(decoding: units, as: UTF8.self) }
            guard byte == UInt8(ascii: "\\") else {
                units.append(byte)
                continue
            }
            guard let scalar = self.escape() else { return nil }
            units.append(contentsOf: Array(String(scalar).utf8))
        }
        return nil
    }

    private mutating func escape() -> Unicode.Scalar? {
        guard self.position < self.bytes.count else { return nil }
        let byte = self.bytes[self.position]
        self.position += 1
        switch byte {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "u"):
            guard let high = self.unit() else { return nil }
            guard (0xd800..<0xdc00).contains(high) else { return Unicode.Scalar(high) }
            guard self.take("\\u"), let low = self.unit(), (0xdc00..<0xe000).contains(low) else { return nil }
            return Unicode.Scalar(0x10000 + (high - 0xd800) << 10 + (low - 0xdc00))
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        default: return nil
        }
    }

    private mutating func unit() -> UInt32? {
        guard self.position + 4 <= self.bytes.count else { return nil }
        let digits = String(decoding: self.bytes[self.position..<self.position + 4], as: UTF8.self)
        self.position += 4
        return UInt32(digits, radix: 16)
    }
}
