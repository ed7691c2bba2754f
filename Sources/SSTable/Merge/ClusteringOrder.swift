import NIOCore

/// The order of rows and markers within a partition (Cassandra's `ClusteringComparator`).
struct ClusteringOrder {
    /// A row, or a marker before or behind the rows with its prefix.
    struct Place {
        let values: [ByteRange]
        let bytes: ByteBuffer
        let side: RangeMarker.Side?

        init(_ row: TableRow) {
            self.values = row.clustering
            self.bytes = row.bytes
            self.side = nil
        }

        init(_ marker: RangeMarker) {
            self.values = marker.clustering
            self.bytes = marker.bytes
            self.side = marker.side
        }

        /// Before a row, a row, behind a row.
        var rank: Int {
            switch self.side {
            case .before: -1
            case nil: 0
            case .after: 1
            }
        }
    }

    private let columns: [(order: ValueOrder, isReversed: Bool)]

    init(_ types: [ColumnType]) { self.columns = types.map { ($0.order, $0.isReversed) } }

    /// Below zero, zero or above zero.
    func compare(_ left: Place, _ right: Place) -> Int {
        let common = min(left.values.count, right.values.count)
        let result = left.bytes.withUnsafeReadableBytes { leftBytes in
            right.bytes.withUnsafeReadableBytes { rightBytes in
                for index in 0..<common {
                    let (a, b) = (left.values[index], right.values[index])
                    if a.isNull || b.isNull {
                        if a.isNull && b.isNull { continue }
                        return a.isNull ? -1 : 1
                    }
                    let column = self.columns[index]
                    let result = column.order.compare(leftBytes.part(a), rightBytes.part(b))
                    if result != 0 { return column.isReversed ? -result : result }
                }
                return 0
            }
        }
        if result != 0 { return result }
        if left.values.count == right.values.count { return left.rank - right.rank }
        // The shorter one is a marker, which stands before or behind all that begins so.
        return left.values.count < right.values.count ? left.rank : -right.rank
    }
}
