import NIOCore

/// Which of two cells of one place wins (Cassandra's `Cells.reconcile`): never a matter of who came first.
enum Reconciliation {
    /// Whether `left` wins over `right`, or is as good.
    ///
    /// The newer one wins. Of two as new one that ends, by deletion or in time, wins over one that does not; a deletion wins
    /// over one that ends in time; then the later end, the shorter life and the larger value win.
    static func isAhead(
        _ left: Cell,
        _ leftValue: @autoclosure () -> ByteBuffer,
        _ right: Cell,
        _ rightValue: @autoclosure () -> ByteBuffer
    ) -> Bool {
        if left.timestamp != right.timestamp { return left.timestamp > right.timestamp }
        if (left.kind == .live) != (right.kind == .live) { return left.kind != .live }
        if left.kind != .live {
            if left.kind != right.kind { return left.kind == .tombstone }
            if left.localDeletionTime != right.localDeletionTime {
                return left.localDeletionTime > right.localDeletionTime
            }
            if left.timeToLive != right.timeToLive { return left.timeToLive < right.timeToLive }
        }
        return leftValue().withUnsafeReadableBytes { left in
            rightValue().withUnsafeReadableBytes { ValueOrder.bytes(left, $0) >= 0 }
        }
    }
}
