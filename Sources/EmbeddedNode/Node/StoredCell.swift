/// One entry of an embedded store as it lies there, deletions included: what a SELECT does not show.
public struct StoredCell: Sendable, Hashable {
    /// What the entry is.
    public enum Kind: Sendable, Hashable {
        /// A deletion of the whole partition.
        case partitionDeletion
        /// A deletion of the row.
        case rowDeletion
        /// What INSERT leaves, so that the row exists without values.
        case rowMarker
        /// A deletion of what a collection held before.
        case columnDeletion(String)
        /// A value, or a tombstone where there is none.
        case cell(column: String)
    }

    /// What the entry is.
    public let kind: Kind
    /// The partition key as Cassandra routes by it.
    public let partition: [UInt8]
    /// The values of the clustering columns; empty for a partition's own entries and static columns.
    public let clustering: [[UInt8]]
    /// The place within a collection: a list's time UUID, a set's element, a map's key; empty for other columns.
    public let path: [UInt8]
    /// The write timestamp, in microseconds since 1970.
    public let timestamp: Int64
    /// The value; nil for deletions and tombstones.
    public let value: [UInt8]?
    /// The life that it was written with, in seconds; zero where it does not expire.
    public let timeToLive: Int32
    /// The end of its life, in seconds since 1970; zero where it does not expire.
    public let expiresAt: Int64
}

extension EmbeddedStore {
    /// All entries of a table, in no particular order; empty where there is no such table. What a later deletion of the
    /// partition, the row or the column covers is left out. Range deletions are left out, too; what they cover is not there.
    public func cells(keyspace: String, table: String) -> [StoredCell] {
        self.withSchema { schema in
            schema.keyspaces[keyspace]?.tables[table]?.partitions.values.flatMap(\.storedCells) ?? []
        }
    }
}

extension Partition {
    fileprivate var storedCells: [StoredCell] {
        var cells: [StoredCell] = []
        if self.deletedAt > .min {
            cells.append(StoredCell(.partitionDeletion, in: self, [], Cell(timestamp: self.deletedAt)))
        }
        for row in [self.staticRow] + self.rows { self.add(row, to: &cells) }
        return cells
    }

    private func add(_ row: StoredRow, to cells: inout [StoredCell]) {
        let covered = max(row.deletedAt, self.deletedAt)
        if row.deletedAt > self.deletedAt {
            cells.append(StoredCell(.rowDeletion, in: self, row.clustering, Cell(timestamp: row.deletedAt)))
        }
        if let marker = row.liveness, marker.timestamp > covered {
            cells.append(StoredCell(.rowMarker, in: self, row.clustering, marker))
        }
        for (name, column) in row.columns {
            if column.deletedAt > covered {
                let deletion = Cell(timestamp: column.deletedAt)
                cells.append(StoredCell(.columnDeletion(name), in: self, row.clustering, deletion))
            }
            for (path, cell) in column.cells where cell.timestamp > max(covered, column.deletedAt) {
                cells.append(StoredCell(.cell(column: name), in: self, row.clustering, path: path, cell))
            }
        }
    }
}

extension StoredCell {
    fileprivate init(_ kind: Kind, in partition: Partition, _ clustering: [Bytes], path: Bytes = [], _ cell: Cell) {
        self.kind = kind
        self.partition = partition.serializedKey
        self.clustering = clustering
        self.path = path
        self.timestamp = cell.timestamp
        self.value = cell.value
        self.timeToLive = cell.timeToLive
        self.expiresAt = cell.expiresAt
    }
}
