import TestSupport
import Testing

@testable import SSTable

/// Pieces of text against the simplest way of making them.
struct TextBufferTests {
    @Test func `numbers have the digits of Swift's own, and zeros before them`() {
        var random = SeededRandom(seed: 1)
        let edges: [Int64] = [0, 9, 10, 99, 100, -1, -10, .max, .min, .max - 1, 999_999_999_999_999_999, 1 << 53]
        let numbers = edges + (0..<1_000).map { Int64.random(in: .min ... .max, using: &random) >> Int64($0 % 63) }
        for number in numbers { #expect(TextBuffer.text { $0.append(number) } == String(number)) }
        #expect(TextBuffer.text { $0.append(7, width: 3) } == "007")
        #expect(TextBuffer.text { $0.append(-7, width: 3) } == "-007")
        #expect(TextBuffer.text { $0.append(1_234, width: 3) } == "1234")
    }

    @Test func `bytes have two digits each, of any number of bytes`() {
        let all = (0...255).map { UInt8($0) }
        for count in Array(0...9) + [256] {
            for bytes in [Array(all.prefix(count)), Array(all.suffix(count))] {
                let text = TextBuffer.text { buffer in bytes.withUnsafeBytes { buffer.append(hexadecimal: $0) } }
                let expected = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
                #expect(text == expected)
            }
        }
    }

    /// A text in quotes, one character after the other.
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\u{8}": quoted += "\\b"
            case "\t": quoted += "\\t"
            case "\n": quoted += "\\n"
            case "\u{c}": quoted += "\\f"
            case "\r": quoted += "\\r"
            case "\0"..<" ":
                let digits = String(scalar.value, radix: 16, uppercase: true)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    @Test func `what must be escaped is, at any place, and nothing else is`() {
        let pieces =
            (0..<0x30).compactMap { UnicodeScalar($0).map { String($0) } } + ["\\", "[", "]", "\u{7f}", "é", "☃", "😀"]
        for piece in pieces {
            for before in 0..<17 {
                let text =
                    String(repeating: "a", count: before) + piece + String(repeating: "~", count: (before * 7) % 11)
                #expect(TextBuffer.text { JSONText.quote(text, to: &$0) } == Self.quoted(text))
                let direct = TextBuffer.text { buffer in
                    let isText = Array(text.utf8).withUnsafeBytes { JSONText.quote(utf8: $0, to: &buffer) }
                    #expect(isText)
                }
                #expect(direct == Self.quoted(text))
            }
        }
    }

    @Test func `bytes that are no text leave nothing behind`() {
        for bytes: [UInt8] in [[0xff], [0xc3], Array("abcdefgh".utf8) + [0xc0, 0x80], [0x22, 0xed, 0xa0, 0x80]] {
            let text = TextBuffer.text { buffer in
                let isText = bytes.withUnsafeBytes { JSONText.quote(utf8: $0, to: &buffer) }
                #expect(!isText)
            }
            #expect(text.isEmpty)
        }
    }

    @Test func `memory is used again, and grows by what is needed`() {
        var buffer = TextBuffer(capacity: 16)
        for _ in 0..<3 {
            for _ in 0..<1_000 { buffer.append("0123456789") }
            #expect(buffer.count == 10_000)
            let isRight = buffer.withBytes { bytes in bytes.indices.allSatisfy { bytes[$0] == 48 + UInt8($0 % 10) } }
            #expect(isRight)
            buffer.truncate(to: 0)
        }
    }
}
