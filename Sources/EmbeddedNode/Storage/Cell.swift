/// The newest write of a column or of an element of a collection. A cell without value is a tombstone.
struct Cell: Hashable, Sendable {
    var timestamp: Int64
    var value: Bytes?
    var timeToLive: Int32 = 0
    /// Seconds since 1970 after which the cell is dead; zero where it does not expire.
    var expiresAt: Int64 = 0

    func isLive(at now: Int64) -> Bool { self.value != nil && (self.expiresAt == 0 || self.expiresAt > now) }

    /// Whether this cell wins over `other`: later timestamp, else tombstone, else the later expiry, else larger value.
    func supersedes(_ other: Cell) -> Bool {
        if self.timestamp != other.timestamp { return self.timestamp > other.timestamp }
        guard let value = self.value else { return true }
        guard let otherValue = other.value else { return false }
        if self.expiresAt != other.expiresAt {
            if self.expiresAt == 0 || other.expiresAt == 0 { return self.expiresAt != 0 }
            return self.expiresAt > other.expiresAt
        }
        return ValueType.unsigned(value, otherValue) >= 0
    }
}

/// A column of a row: simple columns keep one cell under the empty path, complex ones a cell per element.
struct ColumnState: Hashable, Sendable {
    var deletedAt = Int64.min
    var cells: [Bytes: Cell] = [:]

    mutating func write(_ cell: Cell, path: Bytes) {
        guard cell.timestamp > self.deletedAt else { return }
        if let old = self.cells[path], !cell.supersedes(old) { return }
        self.cells[path] = cell
    }

    mutating func delete(at timestamp: Int64) {
        guard timestamp > self.deletedAt else { return }
        self.deletedAt = timestamp
        self.cells = self.cells.filter { $0.value.timestamp > timestamp }
    }
}

/// A row, or the static columns of a partition.
struct StoredRow: Hashable, Sendable {
    var clustering: [Bytes]
    /// What INSERT leaves: the row exists even where all its columns are null.
    var liveness: Cell?
    var deletedAt = Int64.min
    var columns: [String: ColumnState] = [:]

    init(clustering: [Bytes]) { self.clustering = clustering }

    mutating func write(_ cell: Cell, column: String, path: Bytes) {
        guard cell.timestamp > self.deletedAt else { return }
        self.columns[column, default: ColumnState()].write(cell, path: path)
    }

    mutating func deleteColumn(_ column: String, at timestamp: Int64) {
        guard timestamp > self.deletedAt else { return }
        self.columns[column, default: ColumnState()].delete(at: timestamp)
    }

    mutating func mark(_ marker: Cell) {
        guard marker.timestamp > self.deletedAt else { return }
        if let old = self.liveness, !marker.supersedes(old) { return }
        self.liveness = marker
    }

    mutating func delete(at timestamp: Int64) {
        guard timestamp > self.deletedAt else { return }
        self.deletedAt = timestamp
        if let marker = self.liveness, marker.timestamp <= timestamp { self.liveness = nil }
        for name in self.columns.keys { self.columns[name]?.delete(at: timestamp) }
    }

    func isLive(at now: Int64) -> Bool {
        if let liveness, liveness.isLive(at: now) { return true }
        return self.columns.values.contains { $0.cells.values.contains { $0.isLive(at: now) } }
    }
}

/// One end of a range of clustering prefixes.
struct ClusteringBound: Hashable, Sendable {
    var prefix: [Bytes]
    var isInclusive: Bool
}

/// A deletion of all rows between two bounds.
struct RangeTombstone: Hashable, Sendable {
    var lower: ClusteringBound
    var upper: ClusteringBound
    var timestamp: Int64
}
