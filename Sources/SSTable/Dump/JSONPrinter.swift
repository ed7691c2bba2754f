/// Writes JSON in the shape of `sstabledump`: indented, but for objects and arrays that it keeps on one line.
///
/// Which ones it keeps is decided by two switches that it turns while it writes, and that even decide where the bracket of
/// an outer object goes. They are the same here, so that the texts are equal and not only what they say.
struct JSONPrinter {
    enum Style {
        /// An array of partitions, indented.
        case indented
        /// A line for each partition.
        case lines
    }

    private enum Container { case object, array }

    /// What was written and not yet taken.
    var bytes: [UInt8] = []
    /// Whether entries of objects stay on one line.
    var keepsObjectsOnLine = false
    /// Whether elements of arrays stay on one line.
    var keepsArraysOnLine = false

    private let style: Style
    private var open: [(container: Container, count: Int)] = []
    private var isAfterName = false

    init(_ style: Style) { self.style = style }

    mutating func raw(_ text: String) {
        self.beforeValue()
        self.write(text)
    }

    mutating func number(_ value: Int64) { self.raw(String(value)) }

    mutating func boolean(_ value: Bool) { self.raw(value ? "true" : "false") }

    mutating func string(_ text: String) {
        self.beforeValue()
        JSONText.append(text, to: &self.bytes)
    }

    mutating func name(_ name: String) {
        if let last = self.open.indices.last {
            if self.open[last].count > 0 { self.write(",") }
            self.open[last].count += 1
        }
        self.lineBreak(self.keepsObjectsOnLine)
        JSONText.append(name, to: &self.bytes)
        self.write(self.style == .lines ? ":" : " : ")
        self.isAfterName = true
    }

    mutating func beginObject() { self.begin(.object, "{") }
    mutating func endObject() { self.end(self.keepsObjectsOnLine, "}") }
    mutating func beginArray() { self.begin(.array, "[") }
    mutating func endArray() { self.end(self.keepsArraysOnLine, "]") }

    private mutating func begin(_ container: Container, _ bracket: String) {
        self.beforeValue()
        self.write(bracket)
        self.open.append((container, 0))
    }

    private mutating func end(_ keepsOnLine: Bool, _ bracket: String) {
        let count = self.open.popLast()?.count ?? 0
        if count > 0 {
            self.lineBreak(keepsOnLine)
        } else if self.style == .indented {
            self.write(" ")
        }
        self.write(bracket)
    }

    private mutating func beforeValue() {
        if self.isAfterName {
            self.isAfterName = false
            return
        }
        guard let last = self.open.indices.last else {
            // Partitions as lines of their own.
            if !self.bytes.isEmpty, self.bytes.last != UInt8(ascii: "\n") { self.write("\n") }
            return
        }
        if self.open[last].count > 0 { self.write(",") }
        self.open[last].count += 1
        self.lineBreak(self.keepsArraysOnLine)
    }

    private mutating func lineBreak(_ keepsOnLine: Bool) {
        guard self.style == .indented else { return }
        guard !keepsOnLine else { return self.write(" ") }
        self.bytes.append(UInt8(ascii: "\n"))
        self.bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * self.open.count))
    }

    mutating func write(_ text: String) { JSONText.copy(text, to: &self.bytes) }
}

/// Texts as JSON has them.
package enum JSONText {
    /// A text in quotes, with what must be escaped escaped.
    package static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        self.escape(text, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    /// A text in quotes.
    static func quoted(_ text: String) -> String {
        var bytes: [UInt8] = []
        self.append(text, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A text as it is. Copied at once: a dump writes little else.
    static func copy(_ text: String, to bytes: inout [UInt8]) {
        let isCopied: Void? = text.utf8.withContiguousStorageIfAvailable { bytes.append(contentsOf: $0) }
        if isCopied == nil { bytes.append(contentsOf: text.utf8) }
    }

    private static func mustBeEscaped(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private static func escape(_ text: String, to bytes: inout [UInt8]) {
        let isPlain = text.utf8.withContiguousStorageIfAvailable { !$0.contains(where: Self.mustBeEscaped) } ?? false
        guard !isPlain else { return self.copy(text, to: &bytes) }
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0x08: bytes += "\\b".utf8
            case 0x09: bytes += "\\t".utf8
            case 0x0a: bytes += "\\n".utf8
            case 0x0c: bytes += "\\f".utf8
            case 0x0d: bytes += "\\r".utf8
            case 0..<0x20:
                let digits = Array("0123456789ABCDEF".utf8)
                bytes += "\\u00".utf8
                bytes += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: bytes.append(byte)
            }
        }
    }
}
