/// An integer of any size: two's complement, big-endian, as it is on the wire (native protocol v4 §6.22).
public struct Varint: Hashable, Sendable, CustomStringConvertible {
    /// The bytes as they came; at least one.
    public let bytes: [UInt8]

    /// Numbers of more bytes are described in hexadecimal, because decimal digits take quadratic time.
    public static var decimalByteCountMax: Int { 4_096 }

    /// The number that these bytes are; `nil` where there are none.
    public init?(bytes: [UInt8]) {
        guard !bytes.isEmpty else { return nil }
        self.bytes = bytes
    }

    /// A number in as few bytes as it needs.
    public init(_ value: Int64) {
        let all = (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - $0 * 8)) }
        self.init(shortening: all)
    }

    /// The number of decimal digits with an optional sign.
    public init?(decimal text: String) {
        let isNegative = text.utf8.first == UInt8(ascii: "-")
        let digits = text.utf8.dropFirst(isNegative || text.utf8.first == UInt8(ascii: "+") ? 1 : 0)
        guard !digits.isEmpty, digits.count <= Self.decimalByteCountMax * 2 else { return nil }
        var words: [UInt32] = []
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            var carry = UInt64(digit - UInt8(ascii: "0"))
            for index in words.indices {
                let sum = UInt64(words[index]) * 10 + carry
                words[index] = UInt32(truncatingIfNeeded: sum)
                carry = sum >> 32
            }
            if carry > 0 { words.append(UInt32(carry)) }
        }
        var bytes: [UInt8] = [0]
        for word in words.reversed() {
            for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(shift))) }
        }
        self.init(shortening: isNegative ? Self.negated(bytes) : bytes)
    }

    private init(shortening bytes: [UInt8]) {
        var rest = bytes[...]
        while rest.count > 1, let first = rest.first {
            let second = rest[rest.startIndex + 1]
            guard first == 0 && second < 0x80 || first == 0xff && second >= 0x80 else { break }
            rest = rest.dropFirst()
        }
        self.bytes = Array(rest)
    }

    private static func negated(_ bytes: [UInt8]) -> [UInt8] {
        var result = bytes.map { ~$0 }
        for index in result.indices.reversed() {
            result[index] &+= 1
            if result[index] != 0 { break }
        }
        return result
    }

    /// Whether it is below zero.
    public var isNegative: Bool { bytes[0] >= 0x80 }

    /// The number, where 64 bits are enough.
    public var int64: Int64? {
        let short = Varint(shortening: bytes).bytes
        guard short.count <= 8 else { return nil }
        var value: Int64 = isNegative ? -1 : 0
        for byte in short { value = value << 8 | Int64(byte) }
        return value
    }

    /// Decimal digits; above `decimalByteCountMax` bytes the bytes in hexadecimal.
    public var description: String {
        if let int64 { return String(int64) }
        guard bytes.count <= Self.decimalByteCountMax else { return Hexadecimal.literal(bytes) }
        // One more byte makes room for the magnitude of the lowest number.
        var rest = isNegative ? Self.negated([0xff] + bytes) : bytes
        var groups: [String] = []
        while rest.contains(where: { $0 != 0 }) {
            var remainder: UInt64 = 0
            for index in rest.indices {
                let value = remainder << 8 | UInt64(rest[index])
                rest[index] = UInt8(value / 1_000_000_000)
                remainder = value % 1_000_000_000
            }
            groups.append(String(remainder))
            rest = Array(rest.drop { $0 == 0 })
        }
        let padded = groups.reversed().enumerated().map { place, group in
            place == 0 ? group : String(repeating: "0", count: 9 - group.count) + group
        }
        return (isNegative ? "-" : "") + padded.joined()
    }
}
