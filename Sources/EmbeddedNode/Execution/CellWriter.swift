/// Makes the cells of one write: they share its timestamp and its time to live.
struct CellWriter {
    /// Twenty years in seconds, Cassandra's limit.
    static let timeToLiveMax: Int32 = 630_720_000
    /// 2010-01-01 in microseconds: prepended list elements count backwards from it.
    private static let prependReference: Int64 = 1_262_304_000_000_000

    let timestamp: Int64
    let timeToLive: Int32
    let seconds: Int64
    /// Microseconds since 1970: what orders the elements of a list.
    let now: Int64

    func cell(_ value: Bytes?) -> Cell {
        guard value != nil, self.timeToLive > 0 else { return Cell(timestamp: self.timestamp, value: value) }
        return Cell(
            timestamp: self.timestamp,
            value: value,
            timeToLive: self.timeToLive,
            expiresAt: self.seconds + Int64(self.timeToLive)
        )
    }

    /// Replaces a column; `nil` deletes it.
    func set(_ column: Column, _ value: Bytes?, row: [Bytes]?, _ mutation: inout Mutation) {
        guard column.type.isComplex else {
            return mutation.changes.append(.write(row: row, column: column.name, path: [], self.cell(value)))
        }
        // A deletion one microsecond before leaves the new elements alone.
        let deletedAt = value == nil ? self.timestamp : self.timestamp - 1
        mutation.changes.append(.deleteColumn(row: row, column: column.name, at: deletedAt))
        if let value { self.add(value, column, row: row, &mutation) }
    }

    /// Adds elements; those of a list at its end.
    func add(_ value: Bytes, _ column: Column, row: [Bytes]?, _ mutation: inout Mutation) {
        // Several additions of one batch keep their order.
        let place = Int64(mutation.changes.count)
        for (path, element) in Elements.split(value, column.type, ticks: self.now * 10 + place) {
            mutation.changes.append(.write(row: row, column: column.name, path: path, self.cell(element)))
        }
    }

    /// Adds elements at the beginning of a list, in their order.
    func prepend(_ value: Bytes, _ column: Column, row: [Bytes]?, _ mutation: inout Mutation) {
        let parts = value.parts(from: 4) ?? []
        let end = (Self.prependReference - (self.now - Self.prependReference)) * 10 - Int64(mutation.changes.count)
        for (index, element) in parts.enumerated() {
            let path = Clock.timeUUID(ticks: end - Int64(parts.count - index))
            mutation.changes.append(.write(row: row, column: column.name, path: path, self.cell(element ?? [])))
        }
    }
}
