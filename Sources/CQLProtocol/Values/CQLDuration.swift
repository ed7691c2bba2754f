import NIOCore

/// A duration: months, days and nanoseconds, each kept for itself (native protocol v5 §6.6; in versions 3 and 4 the
/// same bytes come as a custom type).
public struct CQLDuration: Hashable, Sendable, CustomStringConvertible {
    /// Months.
    public var months: Int32
    /// Days.
    public var days: Int32
    /// Nanoseconds.
    public var nanoseconds: Int64

    /// A duration.
    public init(months: Int32, days: Int32, nanoseconds: Int64) {
        self.months = months
        self.days = days
        self.nanoseconds = nanoseconds
    }

    init(from reader: inout WireReader) throws(CQLProtocolError) {
        guard let months = Int32(exactly: try Self.signed(from: &reader)),
            let days = Int32(exactly: try Self.signed(from: &reader))
        else { throw reader.error(.malformed, "months or days of a duration above 32 bits") }
        self.init(months: months, days: days, nanoseconds: try Self.signed(from: &reader))
    }

    func write(to buffer: inout ByteBuffer) {
        for part in [Int64(months), Int64(days), nanoseconds] {
            let zigzag = UInt64(bitPattern: part << 1 ^ part >> 63)
            let extra = (639 - (zigzag | 1).leadingZeroBitCount * 9) >> 6 - 1
            // The first byte begins with as many ones as bytes follow.
            var first: UInt8 = extra == 8 ? 0xff : ~(0xff >> UInt8(extra))
            if extra < 8 { first |= UInt8(truncatingIfNeeded: zigzag >> UInt64(extra * 8)) }
            buffer.writeInteger(first)
            for place in (0..<extra).reversed() {
                buffer.writeInteger(UInt8(truncatingIfNeeded: zigzag >> UInt64(place * 8)))
            }
        }
    }

    private static func signed(from reader: inout WireReader) throws(CQLProtocolError) -> Int64 {
        let first = try reader.byte("duration")
        let extra = (~first).leadingZeroBitCount
        var value: UInt64 = extra >= 8 ? 0 : UInt64(first & (0xff >> UInt8(extra)))
        for _ in 0..<extra { value = value << 8 | UInt64(try reader.byte("duration")) }
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    /// As CQL writes it: `1y2mo3d4h5m6s7ms8us9ns`.
    public var description: String {
        let isNegative = months < 0 || days < 0 || nanoseconds < 0
        var text = ""
        func append(_ rest: inout UInt64, _ unit: UInt64, _ name: String) {
            let count = rest / unit
            if count > 0 { text += "\(count)\(name)" }
            rest %= unit
        }
        var rest = UInt64(months.magnitude)
        append(&rest, 12, "y")
        append(&rest, 1, "mo")
        rest = UInt64(days.magnitude)
        append(&rest, 1, "d")
        rest = nanoseconds.magnitude
        for (unit, name) in [
            (3_600_000_000_000, "h"), (60_000_000_000, "m"), (1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"),
            (1, "ns"),
        ] { append(&rest, UInt64(unit), name) }
        return text.isEmpty ? "0s" : (isNegative ? "-" : "") + text
    }
}
