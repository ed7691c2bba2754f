extension RowParser {
    private static var isDeleted: UInt8 { 0x01 }
    private static var isExpiring: UInt8 { 0x02 }
    private static var hasNoValue: UInt8 { 0x04 }
    private static var usesRowTimestamp: UInt8 { 0x08 }
    private static var usesRowTimeToLive: UInt8 { 0x10 }
    private static var knownFlags: UInt8 { 0x1f }

    /// A cell (Cassandra's `Cell.Serializer`).
    @inline(__always)
    func cell(_ cursor: inout ByteCursor, _ column: Column, _ liveness: Liveness) throws(Fault) -> Cell {
        let flags = try cursor.byte("a cell's flags")
        let isDeleted = flags & Self.isDeleted != 0
        let isExpiring = flags & Self.isExpiring != 0
        guard flags & ~Self.knownFlags == 0, !(isDeleted && isExpiring) else {
            throw cursor.fault(.malformed, "a cell's flags", detail: "\(flags)")
        }
        let usesRowTimeToLive = flags & Self.usesRowTimeToLive != 0
        let timestamp = flags & Self.usesRowTimestamp != 0 ? liveness.timestamp : try self.timestamp(&cursor)
        var localDeletionTime = Cell.noDeletionTime
        var timeToLive: Int32 = 0
        if usesRowTimeToLive {
            localDeletionTime = liveness.expiresAt
            timeToLive = liveness.timeToLive
        } else if isDeleted || isExpiring {
            localDeletionTime = try self.localDeletionTime(&cursor)
            if isExpiring { timeToLive = try self.timeToLive(&cursor) }
        }
        let path = column.isMultiCell ? try cursor.vintBytes("the path of a cell") : .null
        let value = flags & Self.hasNoValue != 0 ? .empty : try cursor.value(column.fixedLength, "a cell's value")
        return Cell(
            column: column.place,
            kind: isDeleted ? .tombstone : isExpiring ? .expiring : .live,
            timestamp: timestamp,
            timeToLive: timeToLive,
            localDeletionTime: localDeletionTime,
            path: path,
            value: value
        )
    }

    @inline(__always)
    func timestamp(_ cursor: inout ByteCursor) throws(Fault) -> Int64 {
        self.bases.timestamp &+ Int64(bitPattern: try cursor.vint("a timestamp"))
    }

    @inline(__always)
    func timeToLive(_ cursor: inout ByteCursor) throws(Fault) -> Int32 {
        let time = self.bases.timeToLive &+ Int64(bitPattern: try cursor.vint("a time to live"))
        guard let time = Int32(exactly: time), time >= 0 else {
            throw cursor.fault(.malformed, "a time to live", detail: "\(time) seconds")
        }
        return time
    }

    @inline(__always)
    func localDeletionTime(_ cursor: inout ByteCursor) throws(Fault) -> Int64 {
        let time = self.bases.localDeletionTime &+ Int64(bitPattern: try cursor.vint("a time of deletion"))
        // Before `oa` these are signed numbers of 32 bits, whatever the base.
        return self.version.hasUnsignedDeletionTimes ? time : Int64(Int32(truncatingIfNeeded: time))
    }

    /// A deletion within a partition: its times are differences.
    @inline(__always)
    func deletion(_ cursor: inout ByteCursor) throws(Fault) -> DeletionTime {
        let timestamp = try self.timestamp(&cursor)
        let local = try self.localDeletionTime(&cursor)
        // What is live is written as the lowest and highest of both, in the width of its version.
        guard timestamp != .min else { return .live }
        return DeletionTime(timestamp: timestamp, localDeletionTime: local)
    }

    /// The bound of a marker: its kind and its values.
    func bound(
        _ cursor: inout ByteCursor,
        _ values: inout [ByteRange]
    ) throws(Fault) -> (side: RangeMarker.Side, closes: Bool, opens: Bool) {
        let kind = try cursor.byte("a marker's kind")
        guard let bound = RangeMarker.bound(kind) else {
            throw cursor.fault(.malformed, "a marker's kind", detail: "\(kind)")
        }
        let count = Int(try cursor.integer("a marker's size", as: UInt16.self))
        try cursor.clusteringValues(count, self.clustering, into: &values)
        return bound
    }

    func marker(_ cursor: inout ByteCursor, _ marker: inout RangeMarker) throws(Fault) {
        marker.clear()
        let bound = try self.bound(&cursor, &marker.clustering)
        marker.side = bound.side
        let size = try cursor.count("a marker's size")
        let end = cursor.position + size
        try cursor.narrow(to: size, "a marker")
        _ = try cursor.vint("the size of the row before")
        if bound.closes { marker.closes = try self.deletion(&cursor) }
        if bound.opens { marker.opens = try self.deletion(&cursor) }
        guard cursor.position == end else {
            throw cursor.fault(.malformed, "a marker", detail: "it ends before the end that it names")
        }
    }
}

/// Which columns a row has, of 64 and more (Cassandra's `Columns.Serializer`): a list of those that are there, or of
/// those that are missing, whichever is shorter.
enum ColumnSubset {
    static func places(_ cursor: inout ByteCursor, of count: Int) throws(Fault) -> [Int] {
        let missing = try cursor.count("a row's columns")
        guard missing <= count else { throw cursor.fault(.malformed, "a row's columns", detail: "more than there are") }
        guard missing > 0 else { return Array(0..<count) }
        let present = count - missing
        let listsPresent = present < count / 2
        var listed: [Int] = []
        for _ in 0..<(listsPresent ? present : missing) {
            let place = try cursor.count("a row's columns")
            guard place < count, place > listed.last ?? -1 else {
                throw cursor.fault(.malformed, "a row's columns", detail: "column \(place) of \(count)")
            }
            listed.append(place)
        }
        if listsPresent { return listed }
        var places: [Int] = []
        var rest = listed[...]
        for place in 0..<count {
            if rest.first == place { rest.removeFirst() } else { places.append(place) }
        }
        return places
    }
}
