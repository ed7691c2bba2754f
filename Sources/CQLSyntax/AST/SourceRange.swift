/// A half-open range of UTF-8 byte offsets in the text of a statement.
public struct SourceRange: Sendable, Hashable {
    /// Offset of the first byte.
    public let start: Int
    /// Offset behind the last byte.
    public let end: Int

    /// Makes a range; `start <= end` is the caller's duty.
    public init(start: Int, end: Int) {
        self.start = start
        self.end = end
    }

    /// The number of bytes.
    public var count: Int { self.end - self.start }
}
