import CQLProtocol

/// The rows of one partition key in clustering order. Not thread-safe: its owner guards it.
final class Partition {
    let key: [Bytes]
    let token: Int64
    let serializedKey: Bytes
    private(set) var deletedAt = Int64.min
    private(set) var ranges: [RangeTombstone] = []
    private(set) var staticRow = StoredRow(clustering: [])
    private(set) var rows: [StoredRow] = []

    init(key: [Bytes], serializedKey: Bytes) {
        self.key = key
        self.serializedKey = serializedKey
        self.token = serializedKey.withUnsafeBytes { Murmur3Partitioner.token(of: $0) }
    }

    /// Changes the row of a clustering key, made with the deletions that cover it where there is none.
    func update(_ clustering: [Bytes], in table: Table, _ change: (inout StoredRow) -> Void) {
        let (index, found) = self.position(of: clustering, in: table)
        if !found {
            var row = StoredRow(clustering: clustering)
            row.deletedAt = self.covering(clustering, in: table)
            self.rows.insert(row, at: index)
        }
        change(&self.rows[index])
    }

    func updateStatic(_ change: (inout StoredRow) -> Void) { change(&self.staticRow) }

    func row(_ clustering: [Bytes], in table: Table) -> StoredRow? {
        let (index, found) = self.position(of: clustering, in: table)
        return found ? self.rows[index] : nil
    }

    /// The index of the first row that is not before a clustering prefix.
    func firstIndex(from prefix: [Bytes], in table: Table) -> Int { self.position(of: prefix, in: table).0 }

    func delete(at timestamp: Int64) {
        guard timestamp > self.deletedAt else { return }
        self.deletedAt = timestamp
        self.staticRow.delete(at: timestamp)
        for index in self.rows.indices { self.rows[index].delete(at: timestamp) }
        self.ranges.removeAll { $0.timestamp <= timestamp }
    }

    func delete(_ range: RangeTombstone, in table: Table) {
        self.ranges.append(range)
        for index in self.rows.indices where table.contains(range, self.rows[index].clustering) {
            self.rows[index].delete(at: range.timestamp)
        }
    }

    func removeColumn(_ name: String) {
        self.staticRow.columns[name] = nil
        for index in self.rows.indices { self.rows[index].columns[name] = nil }
    }

    private func covering(_ clustering: [Bytes], in table: Table) -> Int64 {
        var newest = self.deletedAt
        for range in self.ranges where range.timestamp > newest && table.contains(range, clustering) {
            newest = range.timestamp
        }
        return newest
    }

    private func position(of clustering: [Bytes], in table: Table) -> (Int, Bool) {
        var low = 0
        var high = self.rows.count
        while low < high {
            let middle = (low + high) / 2
            let order = table.compare(self.rows[middle].clustering, clustering)
            if order == 0 { return (middle, true) }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return (low, false)
    }
}
