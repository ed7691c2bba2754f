/// Whether an SSTable is whole, and what it holds: read from its first byte to its last, as a load reads it.
public struct SSTableCheck: Sendable {
    /// What was counted.
    public struct Contents: Sendable, Hashable {
        /// Partitions.
        public internal(set) var partitions: Int64 = 0
        /// Rows, static ones among them.
        public internal(set) var rows: Int64 = 0
        /// Static rows.
        public internal(set) var staticRows: Int64 = 0
        /// Cells, deleted ones among them; of a collection each element is one.
        public internal(set) var cells: Int64 = 0
        /// Cells with a time to live, whether it has passed or not.
        public internal(set) var expiringCells: Int64 = 0
        /// Deleted cells.
        public internal(set) var cellTombstones: Int64 = 0
        /// Deletions of a whole collection.
        public internal(set) var collectionTombstones: Int64 = 0
        /// Deleted rows.
        public internal(set) var rowTombstones: Int64 = 0
        /// Beginnings of deleted ranges.
        public internal(set) var rangeTombstones: Int64 = 0
        /// Deleted partitions.
        public internal(set) var partitionTombstones: Int64 = 0
        /// The lowest and the highest timestamp of any cell, row or deletion, usually in microseconds since 1970; nil where
        /// there is none.
        public internal(set) var timestamps: ClosedRange<Int64>?
        /// Plain bytes that were read of `Data.db`.
        public internal(set) var plainBytes: Int64 = 0

        /// The same as times in UTC, taken for microseconds.
        public var times: (first: String, last: String)? {
            self.timestamps.map { range in
                (
                    TextBuffer.text { TimeText.instant(microseconds: range.lowerBound, to: &$0) },
                    TextBuffer.text { TimeText.instant(microseconds: range.upperBound, to: &$0) }
                )
            }
        }

        /// Nothing yet.
        public init() {}

        /// Deletions of every kind.
        public var tombstones: Int64 {
            self.cellTombstones + self.collectionTombstones + self.rowTombstones + self.rangeTombstones
                + self.partitionTombstones
        }
    }

    /// What was read: everything, or what comes before the damage.
    public private(set) var contents = Contents()
    /// The first damage; nil where the SSTable is whole.
    public private(set) var damage: SSTableError?

    /// Reads one SSTable: the names in its `TOC.txt`, the checksums of its data file, of each chunk and of its statistics, and
    /// every partition, row, marker and cell; twice where its statistics have no checksums (``StatisticsCheck``). Its indexes are
    /// not looked at; a load that meets a damaged one says so.
    ///
    /// It takes as long as reading the file, on the thread of the caller, and a few chunks of memory.
    public init(_ name: SSTableName, limits: SSTableLimits = .init()) {
        do throws(SSTableError) {
            try self.read(try SSTable(name, limits: limits))
        } catch {
            self.damage = error
        }
    }

    private mutating func read(_ table: SSTable) throws(SSTableError) {
        let stored = try table.storedDigest()
        let scanner = SSTableScanner(table, nil, takesDigest: stored != nil)
        defer { self.contents.plainBytes = scanner.position }
        while try scanner.nextPartition() {
            self.contents.partitions += 1
            if let deletion = scanner.partition?.deletion, !deletion.isLive {
                self.contents.partitionTombstones += 1
                self.contents.note(deletion.timestamp)
            }
            if !scanner.staticRow.isEmpty {
                self.contents.staticRows += 1
                self.contents.add(scanner.staticRow)
            }
            while let next = try scanner.next() {
                switch next {
                case .row: self.contents.add(scanner.row)
                case .marker: self.contents.add(scanner.marker)
                }
            }
        }
        if !table.hasMetadataChecksums {
            let statistics = StatisticsCheck(table)
            while try statistics.advance() {}
        }
        // What lies behind the last chunk is no data, and counts for the checksum of the file.
        guard try scanner.digest() == stored else {
            throw SSTableError(
                .checksum,
                table.name.path(.data),
                "the checksum in \(table.name.path(.digest)) is not that of the file"
            )
        }
    }
}

extension SSTableCheck.Contents {
    fileprivate mutating func note(_ timestamp: Int64) {
        guard let range = self.timestamps else {
            self.timestamps = timestamp...timestamp
            return
        }
        guard !range.contains(timestamp) else { return }
        self.timestamps = min(range.lowerBound, timestamp)...max(range.upperBound, timestamp)
    }

    fileprivate mutating func add(_ row: borrowing TableRow) {
        self.rows += 1
        if !row.liveness.isNone { self.note(row.liveness.timestamp) }
        if !row.deletion.isLive {
            self.rowTombstones += 1
            self.note(row.deletion.timestamp)
        }
        for deletion in row.complexDeletions {
            self.collectionTombstones += 1
            self.note(deletion.time.timestamp)
        }
        self.cells += Int64(row.cells.count)
        for cell in row.cells {
            switch cell.kind {
            case .live: break
            case .expiring: self.expiringCells += 1
            case .tombstone: self.cellTombstones += 1
            }
            self.note(cell.timestamp)
        }
    }

    fileprivate mutating func add(_ marker: borrowing RangeMarker) {
        if let opens = marker.opens {
            self.rangeTombstones += 1
            self.note(opens.timestamp)
        }
        if let closes = marker.closes { self.note(closes.timestamp) }
    }

    /// Adds what another SSTable holds.
    public mutating func add(_ other: Self) {
        self.partitions += other.partitions
        self.rows += other.rows
        self.staticRows += other.staticRows
        self.cells += other.cells
        self.expiringCells += other.expiringCells
        self.cellTombstones += other.cellTombstones
        self.collectionTombstones += other.collectionTombstones
        self.rowTombstones += other.rowTombstones
        self.rangeTombstones += other.rangeTombstones
        self.partitionTombstones += other.partitionTombstones
        self.plainBytes += other.plainBytes
        if let range = other.timestamps {
            self.note(range.lowerBound)
            self.note(range.upperBound)
        }
    }
}
