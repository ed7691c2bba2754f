import CQLProtocol
public import LiveTables
import NIOCore
public import SSTable

/// Where a deleted range begins or ends.
struct RangeBound {
    /// The first values of the clustering, perhaps none.
    let values: [ByteBuffer?]
    /// Before or behind the rows that begin so.
    let side: RangeMarker.Side

    init(_ marker: RangeMarker) {
        self.values = marker.clustering.map { marker.slice($0) }
        self.side = marker.side
    }
}

extension StatementBuilder {
    /// A marker: where a range ends, its deletion is written.
    public mutating func add(_ marker: RangeMarker, into result: inout Translation) {
        let bound = RangeBound(marker)
        if let closes = marker.closes, let start = self.openBound, self.isWanted(closes.timestamp, &result) {
            self.range(from: start, to: bound, at: closes.timestamp, &result)
        }
        self.openBound = marker.opens == nil ? nil : bound
        self.openDeletion = marker.opens?.timestamp ?? .min
    }

    /// CQL deletes ranges of one clustering column behind equal values of those before it. A range from any bound to any
    /// other is a few of them: of a beginning (1, 2, 3) that goes up to (4, 5) what follows 3 in (1, 2), what follows 2 in
    /// (1), what lies between 1 and 4, and what is before 5 in (4).
    private mutating func range(
        from start: RangeBound,
        to end: RangeBound,
        at timestamp: Int64,
        _ result: inout Translation
    ) {
        guard !(start.values + end.values).contains(nil) else {
            result.unloadable.append(.init(reason: .nullClustering))
            return
        }
        let common = zip(start.values, end.values).prefix { $0 == $1 }.count
        if common == start.values.count && common == end.values.count {
            // Everything that begins so.
            self.slice(equal: start.values, nil, nil, at: timestamp, &result)
            return
        }
        // Deeper parts of the beginning, from the innermost on.
        for depth in stride(from: start.values.count - 1, through: common + 1, by: -1) {
            let includes = depth == start.values.count - 1 && start.side == .before
            let prefix = Array(start.values[..<depth])
            self.slice(equal: prefix, (start.values[depth], includes), nil, at: timestamp, &result)
        }
        let lower: (ByteBuffer?, Bool)? =
            common < start.values.count
            ? (start.values[common], common == start.values.count - 1 && start.side == .before) : nil
        let upper: (ByteBuffer?, Bool)? =
            common < end.values.count
            ? (end.values[common], common == end.values.count - 1 && end.side == .after) : nil
        self.slice(equal: Array(start.values[..<common]), lower, upper, at: timestamp, &result)
        for depth in common + 1..<max(common + 1, end.values.count) {
            let includes = depth == end.values.count - 1 && end.side == .after
            let prefix = Array(end.values[..<depth])
            self.slice(equal: prefix, nil, (end.values[depth], includes), at: timestamp, &result)
        }
    }

    /// What has equal values and lies between two values of the next column, in the order of the clustering.
    private mutating func slice(
        equal: [ByteBuffer?],
        _ lower: (value: ByteBuffer?, includes: Bool)?,
        _ upper: (value: ByteBuffer?, includes: Bool)?,
        at timestamp: Int64,
        _ result: inout Translation
    ) {
        if lower == nil && upper == nil && equal.isEmpty {
            // All rows, but not the static one: what is below any value and what is not.
            let value = AnyValue.of(self.columns.clustering[0].dataType)
            self.slice(equal: [], (value, true), nil, at: timestamp, &result)
            self.slice(equal: [], nil, (value, false), at: timestamp, &result)
            return
        }
        let isReversed = equal.count < self.table.clustering.count && self.table.clustering[equal.count].isReversed
        var comparisons: [String] = []
        var values = equal
        if let lower {
            comparisons.append((isReversed ? "<" : ">") + (lower.includes ? "=" : ""))
            values.append(lower.value)
        }
        if let upper {
            comparisons.append((isReversed ? ">" : "<") + (upper.includes ? "=" : ""))
            values.append(upper.value)
        }
        self.delete(.deleteRange(equal: equal.count, comparisons: comparisons), values, at: timestamp, &result)
    }
}

/// Some value of a type, whichever.
enum AnyValue {
    static func of(_ type: DataType) -> ByteBuffer {
        switch type {
        case .boolean, .tinyint, .varint: ByteBuffer(repeating: 0, count: 1)
        case .smallint: ByteBuffer(repeating: 0, count: 2)
        case .int, .float, .date, .inet, .list, .set, .map: ByteBuffer(repeating: 0, count: 4)
        case .decimal: ByteBuffer(repeating: 0, count: 5)
        case .bigint, .double, .timestamp, .time: ByteBuffer(repeating: 0, count: 8)
        case .uuid: ByteBuffer(repeating: 0, count: 16)
        case .timeuuid: ByteBuffer(bytes: (0..<16).map { $0 == 6 ? 0x10 : 0 })
        default: ByteBuffer()
        }
    }
}
