package import CQLProtocol
public import NIOCore

/// When something was written and how long it lives on.
public struct LiveTime: Sendable, Hashable {
    /// The timestamp, in microseconds.
    public var timestamp: Int64
    /// Seconds that were left when it was read; 0 for ever.
    public var timeToLive: Int32

    /// A known time.
    public init(_ timestamp: Int64, timeToLive: Int32 = 0) {
        self.timestamp = timestamp
        self.timeToLive = timeToLive
    }
}

/// The value of a column in one row, as the server sent it.
public struct LiveCell: Sendable, Hashable {
    /// What the server tells of a value's time.
    public enum Times: Sendable, Hashable {
        /// Nothing.
        case unknown
        /// One time, of a value that is kept in one cell.
        case one(LiveTime)
        /// A time for each element in the order of the value; nil for fields that are null.
        case each([LiveTime?])
    }

    /// The bytes.
    public var value: ByteBuffer
    /// Its time or times.
    public var times: Times

    /// A value.
    public init(_ value: ByteBuffer, _ times: Times) {
        self.value = value
        self.times = times
    }
}

/// A row of a live source.
public struct LiveRow: Sendable, Hashable {
    /// The values of the clustering columns.
    public var clustering: [ByteBuffer]
    /// The values of the regular columns, in the order of the table's; nil is null.
    public var cells: [LiveCell?]

    /// A row.
    public init(clustering: [ByteBuffer], cells: [LiveCell?]) {
        self.clustering = clustering
        self.cells = cells
    }
}

/// Rows of one partition that came in one page; a large partition has several parts.
public struct LivePart: Sendable, Hashable {
    /// The values of the partition key's columns.
    public var key: [ByteBuffer]
    /// The token of the key.
    public var token: Int64
    /// The values of the static columns, in the order of the table's, in the partition's first part; nil in later ones.
    public var statics: [LiveCell?]?
    /// The rows; none in a partition that has statics alone.
    public var rows: [LiveRow] = []

    /// A part without rows.
    public init(key: [ByteBuffer], token: Int64, statics: [LiveCell?]?) {
        self.key = key
        self.token = token
        self.statics = statics
    }
}

/// A page of a range. Its values share the bytes of the server's answer.
public struct LivePage: Sendable {
    /// What came, in the order of tokens, and within one partition in that of the clustering.
    public var parts: [LivePart]
    /// The token up to which this page and those before it hold everything; nil before the first partition is complete.
    public var completeThrough: Int64?
    /// Rows as the server counts them: a partition with statics alone is one.
    public var rowCount: Int
    /// Bytes of the values.
    public var byteCount: Int
    /// When it came, in seconds since 1970; lives are reckoned from it.
    public var readAt: Int64
    /// Rows whose key cannot be read, as compact tables of old may have them.
    public var unloadable: [Unloadable] = []
}

/// Rows of a page as the server sent them, for whoever does not look into all of them.
package struct LiveRows: Sendable {
    /// The rows; their columns are those of the ``LiveSelect``.
    package var rows: Rows
    /// When they came, in seconds since 1970.
    package var readAt: Int64
    /// Whether no page follows.
    package var isLast: Bool
}
