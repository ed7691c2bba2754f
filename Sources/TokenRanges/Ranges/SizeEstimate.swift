/// What a node estimates of a table in one of its ranges: a row of `system.size_estimates`, of Cassandra or ScyllaDB.
public struct SizeEstimate: Sendable, Hashable {
    /// The ranges; two where the node's range wraps around the ring, none where it is unreadable.
    public let ranges: [TokenRange]
    /// The mean size of a partition, in bytes; not negative.
    public let meanPartitionBytes: Int64
    /// How many partitions there are; not negative.
    public let partitionCount: Int64

    /// An estimate.
    ///
    /// - Parameters:
    ///   - start: the token before the range.
    ///   - end: its last token. At or below `start` the range goes on at the begin of the ring, as ScyllaDB writes the range of
    ///     its first token; Cassandra writes such a range as two, of which the first ends with the smallest token.
    public init(start: Int64, end: Int64, meanPartitionBytes: Int64, partitionCount: Int64) {
        self.ranges =
            start < end
            ? [TokenRange(start: start, end: end)]
            : [TokenRange(after: .min, through: end), TokenRange(after: start, through: .max)].compactMap { $0 }
        self.meanPartitionBytes = max(0, meanPartitionBytes)
        self.partitionCount = max(0, partitionCount)
    }

    /// All bytes of the ranges.
    var bytes: Double { Double(self.meanPartitionBytes) * Double(self.partitionCount) }
    /// All tokens of the ranges.
    var tokenCount: Double { self.ranges.reduce(0) { $0 + Double($1.tokenCount) } }
}
