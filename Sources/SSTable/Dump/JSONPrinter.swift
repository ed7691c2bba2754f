/// Writes JSON in the shape of `sstabledump`: indented, but for objects and arrays that it keeps on one line.
///
/// Which ones it keeps is decided by two switches that it turns while it writes, and that even decide where the bracket of
/// an outer object goes. They are the same here, so that the texts are equal and not only what they say.
struct JSONPrinter: ~Copyable {
    enum Style {
        /// An array of partitions, indented.
        case indented
        /// A line for each partition.
        case lines
    }

    /// What was written and not yet taken.
    var text = TextBuffer(capacity: 128 << 10)
    /// Whether entries of objects stay on one line.
    var keepsObjectsOnLine = false
    /// Whether elements of arrays stay on one line.
    var keepsArraysOnLine = false

    private let style: Style
    /// Objects and arrays that are open. A dump has seven at most; those within values are the values' own.
    private var depth = 0
    /// A bit for each of them: whether it has an entry.
    private var filled: UInt64 = 0
    private var isAfterName = false

    init(_ style: Style) { self.style = style }

    /// A value whose JSON `write` appends.
    @inline(__always)
    mutating func value(_ write: (inout TextBuffer) -> Void) {
        self.beforeValue()
        write(&self.text)
    }

    mutating func number(_ value: Int64) { self.value { $0.append(value) } }

    mutating func boolean(_ value: Bool) { self.value { $0.append(value ? "true" : "false") } }

    /// A text that needs no escapes.
    @inline(__always)
    mutating func string(_ text: StaticString) { self.plainString { $0.append(text) } }

    /// A text of which it is known that it needs no escapes.
    @inline(__always)
    mutating func plainString(_ write: (inout TextBuffer) -> Void) {
        self.beforeValue()
        self.text.append(UInt8(ascii: "\""))
        write(&self.text)
        self.text.append(UInt8(ascii: "\""))
    }

    /// Any text.
    mutating func string(_ write: (inout TextBuffer) -> Void) {
        self.beforeValue()
        JSONText.quoted(to: &self.text, write)
    }

    /// A name that needs no escapes.
    @inline(__always)
    mutating func name(_ name: StaticString) {
        self.beforeEntry(self.keepsObjectsOnLine)
        self.text.append(UInt8(ascii: "\""))
        self.text.append(name)
        if self.style == .lines { self.text.append("\":") } else { self.text.append("\" : ") }
        self.isAfterName = true
    }

    mutating func beginObject() { self.begin(UInt8(ascii: "{")) }
    mutating func endObject() { self.end(self.keepsObjectsOnLine, UInt8(ascii: "}")) }
    mutating func beginArray() { self.begin(UInt8(ascii: "[")) }
    mutating func endArray() { self.end(self.keepsArraysOnLine, UInt8(ascii: "]")) }

    private mutating func begin(_ bracket: UInt8) {
        self.beforeValue()
        self.text.append(bracket)
        self.depth += 1
        self.filled &= ~(1 << UInt64(self.depth))
    }

    private mutating func end(_ keepsOnLine: Bool, _ bracket: UInt8) {
        let isFilled = self.filled >> UInt64(self.depth) & 1 != 0
        self.depth -= 1
        if isFilled {
            self.lineBreak(keepsOnLine)
        } else if self.style == .indented {
            self.text.append(UInt8(ascii: " "))
        }
        self.text.append(bracket)
        if self.style == .lines, self.depth == 0 { self.text.append(UInt8(ascii: "\n")) }
    }

    @inline(__always)
    private mutating func beforeValue() {
        if self.isAfterName {
            self.isAfterName = false
        } else if self.depth > 0 {
            self.beforeEntry(self.keepsArraysOnLine)
        }
    }

    @inline(__always)
    private mutating func beforeEntry(_ keepsOnLine: Bool) {
        let bit: UInt64 = 1 << UInt64(self.depth)
        if self.filled & bit != 0 { self.text.append(UInt8(ascii: ",")) }
        self.filled |= bit
        self.lineBreak(keepsOnLine)
    }

    private mutating func lineBreak(_ keepsOnLine: Bool) {
        guard self.style == .indented else { return }
        guard !keepsOnLine else { return self.text.append(UInt8(ascii: " ")) }
        self.text.append(UInt8(ascii: "\n"))
        self.text.append(spaces: 2 * self.depth)
    }
}
