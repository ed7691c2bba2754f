import CQLProtocol

/// Walks the rows that a SELECT asks for, page by page.
struct RowScan {
    let table: Table
    let restrictions: Restrictions
    let seconds: Int64
    /// Against the clustering order of the table.
    var isReversed = false
    /// One row per partition, with the partition key and the statics.
    var isDistinct = false
    var perPartitionLimit: Int64?
    var limit: Int64?
    var pageSize: Int64?

    private(set) var rows: [ReadRow] = []
    private(set) var next: PagingState?

    init(table: Table, restrictions: Restrictions, seconds: Int64) {
        self.table = table
        self.restrictions = restrictions
        self.seconds = seconds
    }

    /// Reads a page; `next` tells where the following one begins.
    mutating func run(from state: PagingState?) throws {
        let partitions = self.restrictions.partitions(of: self.table)
        var left = state.map { $0.left < 0 ? Int64.max : $0.left } ?? self.limit ?? .max
        let start = try state.map { try self.start(of: $0, in: partitions) } ?? 0
        for (offset, partition) in partitions[start...].enumerated() {
            let resumed = offset == 0 && partition.serializedKey == state?.partition ? state : nil
            guard self.read(partition, resumed, &left) else { return }
        }
    }

    private func start(of state: PagingState, in partitions: [Partition]) throws -> Int {
        if self.restrictions.keys != nil {
            return partitions.firstIndex { $0.serializedKey == state.partition } ?? partitions.count
        }
        let token = state.partition.withUnsafeBytes { Murmur3Partitioner.token(of: $0) }
        return partitions.firstIndex {
            $0.token > token
                || $0.token == token && ValueType.unsigned($0.serializedKey, state.partition) >= 0
        } ?? partitions.count
    }

    /// Reads one partition; false when the page or the limit is full.
    private mutating func read(_ partition: Partition, _ resumed: PagingState?, _ left: inout Int64) -> Bool {
        var given = resumed?.givenOfPartition ?? 0
        // A partition of statics, of DISTINCT or without clustering is one row, which was given.
        if let resumed, self.isDistinct || self.table.clustering.isEmpty || resumed.clustering.isEmpty { return true }
        var hasLiveRow = false
        for row in self.candidates(partition, after: resumed?.clustering) where row.isLive(at: self.seconds) {
            hasLiveRow = true
            let read = ReadRow(partition: partition, row: row, seconds: self.seconds)
            guard self.restrictions.holds(read) else { continue }
            if let limit = self.perPartitionLimit, given >= limit { return true }
            given += 1
            guard self.give(read, given, &left) else { return false }
            if self.isDistinct { return true }
        }
        guard !hasLiveRow, resumed == nil, !self.restrictions.restrictsRows else { return true }
        guard partition.staticRow.isLive(at: self.seconds) else { return true }
        let read = ReadRow(partition: partition, row: nil, seconds: self.seconds)
        return self.restrictions.holds(read) ? self.give(read, 1, &left) : true
    }

    private func candidates(_ partition: Partition, after clustering: [Bytes]?) -> [StoredRow] {
        if let row = self.restrictions.row {
            guard clustering == nil, let found = partition.row(row, in: self.table) else { return [] }
            return [found]
        }
        guard let clustering else { return self.isReversed ? partition.rows.reversed() : partition.rows }
        let index = partition.firstIndex(from: clustering, in: self.table)
        if self.isReversed { return partition.rows[..<index].reversed() }
        let isThere = index < partition.rows.count && partition.rows[index].clustering == clustering
        return Array(partition.rows[(isThere ? index + 1 : index)...])
    }

    /// Adds a row; false when it does not belong to this page any more.
    private mutating func give(_ row: ReadRow, _ given: Int64, _ left: inout Int64) -> Bool {
        guard left > 0 else { return false }
        if let pageSize = self.pageSize, Int64(self.rows.count) >= pageSize, let last = self.rows.last {
            let isSame = last.partition === row.partition
            self.next = PagingState(
                partition: last.partition.serializedKey,
                clustering: last.row?.clustering ?? [],
                left: self.limit == nil ? -1 : left,
                givenOfPartition: isSame ? given - 1 : self.perPartitionLimit ?? 0
            )
            return false
        }
        self.rows.append(row)
        left -= 1
        return true
    }
}
