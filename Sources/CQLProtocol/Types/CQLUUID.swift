/// A uuid or timeuuid: 16 bytes, as two big-endian halves (native protocol v4 §3, [uuid]).
public struct CQLUUID: Hashable, Sendable, CustomStringConvertible {
    /// The first eight bytes.
    public var high: UInt64
    /// The last eight bytes.
    public var low: UInt64

    /// A uuid of known halves.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The usual form: 8-4-4-4-12 hexadecimal digits.
    public var description: String {
        var digits = ""
        for half in [high, low] {
            let text = String(half, radix: 16)
            digits += String(repeating: "0", count: 16 - text.count) + text
        }
        var parts: [Substring] = []
        var rest = digits[...]
        for length in [8, 4, 4, 4, 12] {
            parts.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        return parts.joined(separator: "-")
    }
}

extension CQLUUID {
    /// A random UUID (RFC 9562 version 4).
    public static func random(using generator: inout some RandomNumberGenerator) -> CQLUUID {
        CQLUUID(high: generator.next() & ~0xf000 | 0x4000, low: generator.next() & ~(0b11 << 62) | 0b10 << 62)
    }

    /// A random UUID (RFC 9562 version 4), of the system's randomness.
    public static func random() -> CQLUUID {
        var generator = SystemRandomNumberGenerator()
        return .random(using: &generator)
    }
}
