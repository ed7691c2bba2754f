extension ByteCursor {
    /// The values of a clustering prefix (Cassandra's `ClusteringPrefix.Serializer`): before each 32 values two bits for
    /// each say whether it is empty or null.
    mutating func clusteringValues(
        _ count: Int,
        _ types: [ColumnType],
        into values: inout [ByteRange]
    ) throws(Fault) {
        values.removeAll(keepingCapacity: true)
        guard count <= types.count else {
            throw self.fault(.malformed, "a clustering", detail: "\(count) values for \(types.count) columns")
        }
        var head: UInt64 = 0
        for place in 0..<count {
            if place % 32 == 0 { head = try self.vint("the head of a clustering") }
            switch head >> UInt64(place % 32 * 2) & 3 {
            case 0: values.append(try self.value(types[place].fixedLength, "a clustering value"))
            case 1: values.append(.empty)
            default: values.append(.null)
            }
        }
    }

    /// A value: of one length, or with its length before it.
    @inline(__always)
    mutating func value(_ fixedLength: Int?, _ what: StaticString) throws(Fault) -> ByteRange {
        if let fixedLength { return try self.range(fixedLength, what) }
        return try self.vintBytes(what)
    }
}
