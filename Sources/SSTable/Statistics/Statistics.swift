/// What `Statistics.db` knows about the data: enough to plan with, not to rely on (Cassandra's `StatsMetadata`).
public struct Statistics: Hashable, Sendable {
    /// What orders the partitions.
    public let partitioner: Partitioner
    /// An estimate of the number of partitions.
    public let partitions: Int64
    /// The lowest timestamp of any cell or deletion, in microseconds.
    public let timestampMin: Int64
    /// The highest timestamp of any cell or deletion, in microseconds.
    public let timestampMax: Int64
    /// The earliest time of a deletion or of the end of what expires, in seconds since 1970; in the far future without any.
    public let deletionTimeMin: Int64
    /// The highest time to live, in seconds; 0 where nothing expires.
    public let timeToLiveMax: Int32
    /// Compressed bytes by plain bytes; below zero where the data is not compressed.
    public let compressionRatio: Double
    /// The level of levelled compaction.
    public let level: Int32
    /// When it was repaired, in milliseconds since 1970; 0 for never.
    public let repairedAt: Int64
    /// The number of cells.
    public let cells: Int64
    /// The number of rows.
    public let rows: Int64

    init(
        _ cursor: inout ByteCursor,
        _ version: FormatVersion,
        _ header: SerializationHeader,
        _ partitioner: Partitioner
    ) throws(Fault) {
        self.partitioner = partitioner
        self.partitions = try Self.histogram(&cursor)
        _ = try Self.histogram(&cursor)
        try cursor.skip(8 + 4, "the upper place in the commit log")
        self.timestampMin = try cursor.integer("the lowest timestamp")
        self.timestampMax = try cursor.integer("the highest timestamp")
        let deletion = try cursor.integer("the earliest time of deletion", as: Int32.self)
        self.deletionTimeMin =
            version.hasUnsignedDeletionTimes ? Int64(UInt32(bitPattern: deletion)) : Int64(deletion)
        try cursor.skip(4 + 4, "times of deletion")
        self.timeToLiveMax = try cursor.integer("the highest time to live")
        self.compressionRatio = Double(bitPattern: try cursor.integer("the compression ratio"))
        _ = try cursor.integer("the size of the tombstone histogram", as: Int32.self)
        let bins = try cursor.integer("the bins of the tombstone histogram", as: Int32.self)
        guard bins >= 0 else { throw cursor.fault(.malformed, "the bins of the tombstone histogram") }
        let binBytes = version.hasUnsignedDeletionTimes ? 12 : 16
        try cursor.skip(Int(bins) * binBytes, "the tombstone histogram")
        self.level = try cursor.integer("the level")
        self.repairedAt = try cursor.integer("the time of repair")
        if version.hasCoveredClustering {
            try Self.skipCoveredClustering(&cursor)
        } else {
            for _ in 0..<2 { try Self.skipValues(&cursor) }
        }
        _ = try cursor.boolean("whether it has legacy counters")
        self.cells = try cursor.integer("the number of cells")
        self.rows = try cursor.integer("the number of rows")
    }

    /// An `EstimatedHistogram`: pairs of an offset and a count. Returns the sum of the counts.
    private static func histogram(_ cursor: inout ByteCursor) throws(Fault) -> Int64 {
        let count = try cursor.integer("the size of a histogram", as: Int32.self)
        guard count >= 0 else { throw cursor.fault(.malformed, "the size of a histogram") }
        var sum: Int64 = 0
        for _ in 0..<count {
            try cursor.skip(8, "a histogram")
            sum &+= try cursor.integer("a histogram", as: Int64.self)
        }
        return sum
    }

    /// Lowest or highest values of the clustering columns.
    private static func skipValues(_ cursor: inout ByteCursor) throws(Fault) {
        let count = try cursor.integer("the number of clustering values", as: Int32.self)
        guard count >= 0 else { throw cursor.fault(.malformed, "the number of clustering values") }
        for _ in 0..<count { _ = try cursor.shortBytes("a clustering value") }
    }

    /// Types, then the bounds of a slice.
    private static func skipCoveredClustering(_ cursor: inout ByteCursor) throws(Fault) {
        var types: [ColumnType] = []
        for _ in 0..<(try cursor.count("clustering types")) { types.append(try cursor.type()) }
        for _ in 0..<2 {
            _ = try cursor.byte("the kind of a bound")
            let count = Int(try cursor.integer("the size of a bound", as: UInt16.self))
            var values: [ByteRange] = []
            try cursor.clusteringValues(count, types, into: &values)
        }
    }
}
