/// One cell: of a simple column its value, of a collection or user-defined type one element. Its bytes lie in its row.
public struct Cell: Hashable, Sendable {
    /// What a cell is.
    public enum Kind: UInt8, Sendable, Hashable {
        /// A value for ever.
        case live
        /// A value with a time to live.
        case expiring
        /// A deletion.
        case tombstone
    }

    /// The place of its column among the statics or regulars.
    public let column: Int32
    /// What it is.
    public let kind: Kind
    /// Seconds to live from the write on; 0 for ever.
    public let timeToLive: Int32
    /// The timestamp, usually in microseconds since 1970.
    public let timestamp: Int64
    /// When it expires or was deleted, in seconds since 1970.
    public let localDeletionTime: Int64
    /// Which element it is; null in a simple column.
    public let path: ByteRange
    /// The value; empty for a deletion.
    public let value: ByteRange

    init(
        column: Int32,
        kind: Kind,
        timestamp: Int64,
        timeToLive: Int32,
        localDeletionTime: Int64,
        path: ByteRange,
        value: ByteRange
    ) {
        self.column = column
        self.kind = kind
        self.timestamp = timestamp
        self.timeToLive = timeToLive
        self.localDeletionTime = localDeletionTime
        self.path = path
        self.value = value
    }

    /// The local deletion time of what does not end.
    static var noDeletionTime: Int64 { .max }

    /// The same cell with its bytes elsewhere.
    func moved(path: ByteRange, value: ByteRange) -> Self {
        Self(
            column: self.column,
            kind: self.kind,
            timestamp: self.timestamp,
            timeToLive: self.timeToLive,
            localDeletionTime: self.localDeletionTime,
            path: path,
            value: value
        )
    }
}
