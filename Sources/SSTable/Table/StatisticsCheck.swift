/// Reads an SSTable from its beginning to its end and compares its times with what its statistics say of them.
///
/// Rows hold their times as differences to those of `Statistics.db`, which has no checksums before `na`. A flipped bit there
/// moves all of them, and nothing else would show it. The server has counted the lowest and highest ones as it wrote (Cassandra's
/// `MetadataCollector`), so they must come out. Not for two threads at once.
public final class StatisticsCheck {
    private struct Span {
        var lowest = Int64.max
        var highest = Int64.min

        mutating func add(_ time: Int64) {
            self.lowest = min(self.lowest, time)
            self.highest = max(self.highest, time)
        }
    }

    private let table: SSTable
    private let scanner: SSTableScanner
    private var isInPartition = false
    private var timestamps = Span()
    /// Of deletions, and of what expires: what lives for ever has none.
    private var deletionTimes = Span()

    /// A check of an open SSTable.
    public init(_ table: SSTable) {
        self.table = table
        self.scanner = table.scanner()
    }

    /// Reads a partition's head, or a row or marker; false at the end, where everything is as it was said.
    ///
    /// - Throws: ``SSTableError`` of what cannot be read, and at the end where the times are others.
    public func advance() throws(SSTableError) -> Bool {
        if self.isInPartition, let read = try self.scanner.next() {
            switch read {
            case .row: self.add(self.scanner.row)
            case .marker:
                if let closes = self.scanner.marker.closes { self.add(closes) }
                if let opens = self.scanner.marker.opens { self.add(opens) }
            }
            return true
        }
        self.isInPartition = try self.scanner.nextPartition()
        guard self.isInPartition else {
            try self.compare()
            return false
        }
        if let partition = self.scanner.partition { self.add(partition.deletion) }
        self.add(self.scanner.staticRow)
        return true
    }

    private func add(_ row: TableRow) {
        if !row.liveness.isNone {
            self.timestamps.add(row.liveness.timestamp)
            if row.liveness.isExpiring { self.deletionTimes.add(row.liveness.expiresAt) }
        }
        self.add(row.deletion)
        for deletion in row.complexDeletions { self.add(deletion.time) }
        for cell in row.cells {
            self.timestamps.add(cell.timestamp)
            if cell.kind != .live { self.deletionTimes.add(cell.localDeletionTime) }
        }
    }

    private func add(_ deletion: DeletionTime) {
        guard !deletion.isLive else { return }
        self.timestamps.add(deletion.timestamp)
        self.deletionTimes.add(deletion.localDeletionTime)
    }

    private func compare() throws(SSTableError) {
        let statistics = self.table.statistics
        guard self.timestamps.lowest <= self.timestamps.highest else { return }
        try self.expect(
            statistics.timestampMin == self.timestamps.lowest && statistics.timestampMax == self.timestamps.highest,
            "timestamps from \(statistics.timestampMin) to \(statistics.timestampMax), and the data has them from "
                + "\(self.timestamps.lowest) to \(self.timestamps.highest)"
        )
        guard self.deletionTimes.lowest <= self.deletionTimes.highest else { return }
        try self.expect(
            statistics.deletionTimeMin == self.deletionTimes.lowest,
            "\(statistics.deletionTimeMin) as the first time of deletion, and the data has \(self.deletionTimes.lowest)"
        )
    }

    private func expect(_ isSo: Bool, _ what: String) throws(SSTableError) {
        guard !isSo else { return }
        throw SSTableError(.malformed, self.table.name.path(.statistics), "says \(what): one of the two is damaged")
    }
}

extension SSTable {
    /// Whether its statistics have checksums, which opening it compares. Without them a ``StatisticsCheck`` is called for.
    public var hasMetadataChecksums: Bool { self.name.version.hasMetadataChecksums }
}
