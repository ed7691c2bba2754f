/// What can be set for a log.
public struct JournalConfiguration: Sendable {
    /// The greatest length of a segment file, in bytes, rounded up to whole pages; those of a log that owes little are shorter
    /// (``JournalLimits/shortSegmentBytes``). A longer record has a segment of its own.
    public var segmentBytes: Int
    /// The sum of the log's segment files, in bytes; at least one segment.
    public var bytesMax: Int
    /// Reserves the blocks of a file: its descriptor and its length, and what `posix_fallocate` answers (0 or an errno).
    package var reserveBlocks: @Sendable (Int32, Int) -> Int32 = SystemCalls.reserveBlocks

    /// The configuration; its values are checked when a log is opened with it.
    public init(segmentBytes: Int = 16 << 20, bytesMax: Int = 1 << 30) {
        self.segmentBytes = segmentBytes
        self.bytesMax = bytesMax
    }
}
