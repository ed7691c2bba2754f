/// What a reader believes at most. A length above its limit is an error that names it, never an allocation.
public struct SSTableLimits: Sendable, Hashable {
    /// Plain bytes of one chunk of `Data.db`; servers use 4 to 64 KiB.
    public var chunkBytesMax = 64 << 20
    /// Bytes of one row or marker, with all its cells. At most 1 GiB.
    public var rowBytesMax = 512 << 20
    /// Bytes of a component that is read as a whole: `Statistics.db`, `TOC.txt`, `Digest.crc32`.
    public var smallFileBytesMax = 64 << 20
    /// Bytes of a `Summary.db`, which is read as a whole.
    public var summaryBytesMax = 1 << 30
    /// Columns of a table, and columns of its clustering.
    public var columnsMax = 32_768
    /// Bytes that are read from a file at once.
    public var readAheadBytes = 256 << 10
    /// Entries of the row index of one partition.
    public var rowIndexBlocksMax = 16 << 20
    /// Files of one table that are merged at once.
    public var mergedFilesMax = 4_096

    /// The limits of servers, with room.
    public init() {}
}
