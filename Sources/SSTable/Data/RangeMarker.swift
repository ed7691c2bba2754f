public import NIOCore

/// Where a deleted range begins, ends, or both (Cassandra's `RangeTombstoneMarker`).
public struct RangeMarker: Sendable {
    /// On which side of the rows with its prefix the marker stands.
    public enum Side: Sendable, Hashable {
        /// Before them: an end leaves them out, a beginning includes them.
        case before
        /// Behind them: an end includes them, a beginning leaves them out.
        case after
    }

    /// The first values of the clustering, perhaps none.
    public internal(set) var clustering: [ByteRange] = []
    /// Before or behind the rows that begin so.
    public internal(set) var side: Side = .before
    /// The deletion that ends here.
    public internal(set) var closes: DeletionTime?
    /// The deletion that begins here.
    public internal(set) var opens: DeletionTime?
    /// The bytes in which values lie.
    public internal(set) var bytes = ByteBuffer()
    /// Where the marker begins in the plain data; below zero for a merged one.
    public internal(set) var position: Int64 = -1

    init() {}

    /// A value of the clustering; nil for null. Shares the marker's storage.
    public func slice(_ range: ByteRange) -> ByteBuffer? { self.bytes.slice(range) }

    mutating func clear() {
        self.clustering.removeAll(keepingCapacity: true)
        self.closes = nil
        self.opens = nil
        self.position = -1
    }

    /// What a kind of bound says (Cassandra's `ClusteringPrefix.Kind`): side, and whether a range ends and begins.
    static func bound(_ kind: UInt8) -> (side: Side, closes: Bool, opens: Bool)? {
        switch kind {
        case 0: (.before, true, false)
        case 1: (.before, false, true)
        case 2: (.before, true, true)
        case 5: (.after, true, true)
        case 6: (.after, true, false)
        case 7: (.after, false, true)
        default: nil
        }
    }
}
