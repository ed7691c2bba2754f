/// What a write does to one partition, with all its values known.
struct Mutation {
    /// One change of the partition.
    enum Change {
        case deletePartition(at: Int64)
        case deleteRange(RangeTombstone)
        case deleteRow([Bytes], at: Int64)
        /// What INSERT leaves so that the row exists even without values.
        case mark([Bytes], Cell)
        /// `row` is `nil` for the statics.
        case write(row: [Bytes]?, column: String, path: Bytes, Cell)
        case deleteColumn(row: [Bytes]?, column: String, at: Int64)
        /// Adds to a counter.
        case count(row: [Bytes]?, column: String, by: Int64, at: Int64)
    }

    let table: Table
    let key: [Bytes]
    var changes: [Change] = []

    /// Bytes of values and paths, as the warning about large batches counts them.
    var byteCount: Int {
        self.changes.reduce(self.key.reduce(0) { $0 + $1.count }) { sum, change in
            guard case .write(let row, let column, let path, let cell) = change else { return sum }
            let keys = row?.reduce(0) { $0 + $1.count } ?? 0
            return sum + keys + column.utf8.count + path.count + (cell.value?.count ?? 0)
        }
    }

    func apply(at seconds: Int64) {
        let partition = self.table.partition(self.key)
        for change in self.changes {
            switch change {
            case .deletePartition(let timestamp): partition.delete(at: timestamp)
            case .deleteRange(let range): partition.delete(range, in: self.table)
            case .deleteRow(let row, let timestamp): partition.update(row, in: self.table) { $0.delete(at: timestamp) }
            case .mark(let row, let cell): partition.update(row, in: self.table) { $0.mark(cell) }
            case .write(let row, let column, let path, let cell):
                self.change(row, partition) { $0.write(cell, column: column, path: path) }
            case .deleteColumn(let row, let column, let timestamp):
                self.change(row, partition) { $0.deleteColumn(column, at: timestamp) }
            case .count(let row, let column, let delta, let timestamp):
                self.change(row, partition) { row in
                    let old = row.columns[column]?.cells[[]]
                    let sum = (old?.value?.int64 ?? 0) &+ delta
                    let time = max(timestamp, (old?.timestamp ?? .min) &+ 1)
                    row.write(Cell(timestamp: time, value: sum.bytes), column: column, path: [])
                }
            }
        }
    }

    private func change(_ row: [Bytes]?, _ partition: Partition, _ body: (inout StoredRow) -> Void) {
        if let row { partition.update(row, in: self.table, body) } else { partition.updateStatic(body) }
    }
}
