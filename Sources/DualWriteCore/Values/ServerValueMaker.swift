public import CQLSyntax

/// Makes the values that a server would make of ``ServerFunction``s, so that both clusters get the same ones.
///
/// A plain value that belongs to one loop: time and randomness are arguments. No two makers of different node and clock sequence
/// make the same time UUID, and no maker makes one twice; those of one maker only grow.
public struct ServerValueMaker: Sendable {
    /// Units of 100 nanoseconds from 1582-10-15, where time UUIDs begin, to 1970 (RFC 9562 §5.1).
    private static var ticksBefore1970: Int64 { 0x01b2_1dd2_1381_4000 }

    private static var nanosecondsPerDay: Int64 { 86_400_000_000_000 }

    /// The second half of every time UUID: variant, clock sequence, node.
    private let origin: UInt64
    private var lastTicks: Int64 = 0

    /// A maker with a clock sequence (the lowest 14 bits count) and a node (the lowest 48 bits), both random: the node gets the
    /// multicast bit, which no network card has (RFC 9562 §6.10).
    public init(clockSequence: UInt16, node: UInt64) {
        let node = node & 0xffff_ffff_ffff | 0x0100_0000_0000
        self.origin = 0x8000_0000_0000_0000 | UInt64(clockSequence & 0x3fff) << 48 | node
    }

    /// The value of one call, as CQL bytes (native protocol v4 §6).
    ///
    /// - Parameters:
    ///   - now: nanoseconds since 1970, not before. Where the clock stands still or goes back, time UUIDs go on from the last.
    ///   - random: asked for `uuid()` only.
    public mutating func value(
        of function: ServerFunction,
        now: Int64,
        using random: inout some RandomNumberGenerator
    ) -> [UInt8] {
        switch function {
        case .now, .currentTimeUUID: return self.timeUUID(now)
        case .uuid:
            // Version 4, variant 2 (RFC 9562 §5.4).
            let high = random.next() & 0xffff_ffff_ffff_0fff | 0x4000
            return Self.bytes(high) + Self.bytes(random.next() & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000)
        case .currentTimestamp: return Self.bytes(now / 1_000_000)
        case .currentDate: return Self.bytes(UInt32(clamping: now / Self.nanosecondsPerDay + 1 << 31))
        case .currentTime: return Self.bytes(now % Self.nanosecondsPerDay)
        }
    }

    private mutating func timeUUID(_ now: Int64) -> [UInt8] {
        self.lastTicks = max(self.lastTicks + 1, now / 100 + Self.ticksBefore1970)
        let ticks = UInt64(self.lastTicks)
        let (low, middle, high) = (ticks & 0xffff_ffff, ticks >> 32 & 0xffff, ticks >> 48 & 0x0fff)
        return Self.bytes(low << 32 | middle << 16 | 0x1000 | high) + Self.bytes(self.origin)
    }

    private static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }
}
