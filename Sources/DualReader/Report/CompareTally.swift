/// What was compared and found in some ranges of one table. Sums are exact, however many differences are kept as samples.
public struct CompareTally: Sendable, Hashable {
    /// Rows that either cluster has, statics that stand alone among them.
    public var rows = 0
    /// Partitions that either cluster has.
    public var partitions = 0
    /// Cells of rows that both clusters have.
    public var cells = 0
    /// Rows that were read but are no part of the comparison: of other tenants.
    public var rowsLeftOut = 0
    /// Bytes of the values that the source sent, reading again included.
    public var sourceBytes = 0
    /// The same of the target.
    public var targetBytes = 0
    /// Bytes that went between this reader and its peer, both ways.
    public var peerBytes = 0
    /// Bytes of the values that both readers have read near their clusters to make digests: what would have been sent here to
    /// compare the same ranges without them, of one of the clusters from afar.
    public var digestedBytes = 0
    /// Bytes of the values of both clusters that were sent here as their digests differed; a part of ``sourceBytes`` and
    /// ``targetBytes``.
    public var openedBytes = 0
    /// Leaves and ranges that were compared row by row as their digests differed; neighbours count as one.
    public var rangesOpened = 0
    /// Ranges that were compared without digests, as the peer did not answer.
    public var rangesWithoutPeer = 0
    /// Differences that remained.
    public var differences = ClassCounts()
    /// Rows that have them.
    public var rowsDifferent = 0
    /// Rows that differed when they were met, and agreed when they were read again.
    public var rowsSettled = 0
    /// Rows of which nobody knows: they could not be read again, changed all the while, or the dual writer still owes them.
    public var rowsUndecided = 0
    /// Rows that agree since they were repaired.
    public var rowsRepaired = 0
    /// Rows of which something could not be repaired, or was not to be.
    public var rowsUnrepaired = 0

    /// Nothing yet.
    public init() {}

    /// Adds what was found in other ranges.
    public static func += (left: inout Self, right: Self) {
        left.rows += right.rows
        left.partitions += right.partitions
        left.cells += right.cells
        left.rowsLeftOut += right.rowsLeftOut
        left.sourceBytes += right.sourceBytes
        left.targetBytes += right.targetBytes
        left.peerBytes += right.peerBytes
        left.digestedBytes += right.digestedBytes
        left.openedBytes += right.openedBytes
        left.rangesOpened += right.rangesOpened
        left.rangesWithoutPeer += right.rangesWithoutPeer
        left.differences += right.differences
        left.rowsDifferent += right.rowsDifferent
        left.rowsSettled += right.rowsSettled
        left.rowsUndecided += right.rowsUndecided
        left.rowsRepaired += right.rowsRepaired
        left.rowsUnrepaired += right.rowsUnrepaired
    }
}
