/// Where a value lies in the bytes of its row. Null is not the same as empty.
public struct ByteRange: Hashable, Sendable {
    /// The first byte.
    public let start: Int32
    /// The number of bytes; below zero for null.
    public let count: Int32

    @inlinable
    init(start: Int, count: Int) {
        self.start = Int32(truncatingIfNeeded: start)
        self.count = Int32(truncatingIfNeeded: count)
    }

    /// No value.
    public static var null: Self { Self(start: 0, count: -1) }
    /// A value of no bytes.
    public static var empty: Self { Self(start: 0, count: 0) }

    /// Whether there is no value.
    public var isNull: Bool { self.count < 0 }
}
