/// Where a record is: its segment and its offset in there. Later records have greater positions.
///
/// A position stays good for the life of the log, over restarts too: segment numbers are never used twice.
public struct JournalPosition: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Both parts in one word: the segment's number above, the offset in units of 8 bytes below.
    public let rawValue: UInt64

    /// The position that was packed into `rawValue`. Any value is accepted; one that no record has names nothing.
    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    @inline(__always)
    package init(segment: UInt64, offset: Int) {
        self.rawValue = segment << 32 | UInt64(offset >> 3)
    }

    /// The number of the segment.
    @inlinable
    public var segment: UInt64 { self.rawValue >> 32 }

    /// The record's first byte in the segment file.
    @inlinable
    public var offset: Int { Int(self.rawValue & 0xFFFF_FFFF) << 3 }

    /// In the order of appending.
    @inlinable
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// Segment and offset.
    public var description: String { "\(self.segment):\(self.offset)" }
}
