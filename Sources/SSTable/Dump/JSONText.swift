/// Texts as JSON has them.
package enum JSONText {
    /// A text in quotes, with what must be escaped escaped.
    package static func append(_ text: String, to bytes: inout [UInt8]) {
        var buffer = TextBuffer()
        Self.quote(text, to: &buffer)
        buffer.withBytes { bytes.append(contentsOf: $0) }
    }

    /// A text in quotes.
    static func quote(_ text: String, to buffer: inout TextBuffer) {
        Self.quoted(to: &buffer) { $0.append(text) }
    }

    /// Puts what `write` appends into quotes, with what must be escaped escaped.
    @inline(__always)
    static func quoted(to buffer: inout TextBuffer, _ write: (inout TextBuffer) -> Void) {
        buffer.append(UInt8(ascii: "\""))
        let start = buffer.count
        write(&buffer)
        let isPlain = buffer.withBytes { Self.kind(UnsafeRawBufferPointer(rebasing: $0[start...])) != .escaped }
        if !isPlain { Self.escape(&buffer, from: start) }
        buffer.append(UInt8(ascii: "\""))
    }

    /// A text of these bytes in quotes; false, with nothing appended, where they are not UTF-8.
    static func quote(utf8 bytes: UnsafeRawBufferPointer, to buffer: inout TextBuffer) -> Bool {
        let kind = Self.kind(bytes)
        guard kind == .ascii || String(validating: bytes, as: UTF8.self) != nil else { return false }
        buffer.append(UInt8(ascii: "\""))
        let start = buffer.count
        buffer.append(bytes)
        if kind == .escaped { Self.escape(&buffer, from: start) }
        buffer.append(UInt8(ascii: "\""))
        return true
    }

    private enum Kind {
        /// ASCII that stands for itself.
        case ascii
        /// Other bytes, too, and none to be escaped.
        case plain
        /// With something to be escaped, and perhaps other bytes.
        case escaped
    }

    /// What there is in a text; eight bytes at a time, because a dump looks at every byte of every text.
    private static func kind(_ bytes: UnsafeRawBufferPointer) -> Kind {
        let (ones, highs): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
        var all: UInt64 = 0
        var found: UInt64 = 0
        var index = 0
        while index + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            // The high bit of a byte is set where the byte is below 0x20, a quote, or a backslash; and only there, but for
            // bytes above such a one.
            let quotes = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
            let backslashes = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
            found |= (word &- ones &* 0x20) & ~word
            found |= (quotes &- ones) & ~quotes
            found |= (backslashes &- ones) & ~backslashes
            all |= word
            index += 8
        }
        var isEscaped = found & highs != 0
        while index < bytes.count {
            isEscaped = isEscaped || Self.mustBeEscaped(bytes[index])
            all |= UInt64(bytes[index])
            index += 1
        }
        return isEscaped ? .escaped : all & highs == 0 ? .ascii : .plain
    }

    private static func mustBeEscaped(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    /// Escapes what stands behind `start`.
    private static func escape(_ buffer: inout TextBuffer, from start: Int) {
        let text = buffer.withBytes { Array($0[start...]) }
        buffer.truncate(to: start)
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""): buffer.append("\\\"")
            case UInt8(ascii: "\\"): buffer.append("\\\\")
            case 0x08: buffer.append("\\b")
            case 0x09: buffer.append("\\t")
            case 0x0a: buffer.append("\\n")
            case 0x0c: buffer.append("\\f")
            case 0x0d: buffer.append("\\r")
            case 0..<0x20:
                buffer.append("\\u00")
                buffer.append(byte >> 4 == 0 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
                let low = byte & 15
                buffer.append(low < 10 ? UInt8(ascii: "0") + low : UInt8(ascii: "A") + low - 10)
            default: buffer.append(byte)
            }
        }
    }
}
