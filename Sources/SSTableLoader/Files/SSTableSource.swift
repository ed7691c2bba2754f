public import SSTable

/// The SSTables of one table, open for reading as one stream of partitions in the order of tokens.
///
/// It can be shared: each reader has its own place. A reader holds a few chunks and one row of each SSTable, whatever the size
/// of a partition.
public struct SSTableSource: Sendable {
    /// The SSTables.
    public let tables: [SSTable]
    /// The columns of all of them.
    public let columns: TableColumns
    private let limits: SSTableLimits

    /// Opens SSTables of one table.
    ///
    /// - Throws: ``SSTableError`` that names the file: one that is missing, damaged, of another table, or in an order that is
    ///   not known here.
    public init(_ names: [SSTableName], limits: SSTableLimits = .init()) throws(SSTableError) {
        var tables: [SSTable] = []
        for name in names {
            tables.append(try SSTable(name, limits: limits))
        }
        self.tables = tables
        self.limits = limits
        self.columns = try TableMerge(tables, limits: limits).columns
    }

    /// Whether ranges of tokens can be read. SSTables of `ByteOrderedPartitioner` can only be read as a whole.
    public var hasTokens: Bool { self.tables.allSatisfy { $0.statistics.partitioner == .murmur3 } }
    /// About how many partitions there are; those in several SSTables count several times.
    public var partitions: Int64 { self.tables.reduce(0) { $0 + $1.statistics.partitions } }
    /// Plain bytes of the data.
    public var dataBytes: Int64 { self.tables.reduce(0) { $0 + $1.dataLength } }
    /// Rows as the SSTables count them.
    public var rows: Int64 { self.tables.reduce(0) { $0 + $1.statistics.rows } }

    /// Rows or partitions after which other tasks have their turn: reading does not wait for anything by itself.
    private static var rowsPerTurn: Int { 128 }

    /// Reads those SSTables once whose statistics have no checksums, and compares their times with what these say.
    ///
    /// - Throws: ``SSTableError`` of the first one that is damaged, `CancellationError` within some rows' time.
    public func check() async throws {
        for table in self.tables where !table.hasMetadataChecksums {
            let check = StatisticsCheck(table)
            var rows = 0
            while try check.advance() {
                rows += 1
                guard rows % Self.rowsPerTurn == 0 else { continue }
                try Task.checkCancellation()
                await Task.yield()
            }
        }
    }

    /// The partitions with tokens in `(start, end]`, found by the indexes; nil where the range holds no token.
    ///
    /// - Throws: ``SSTableError``, also for a part of the ring where ``hasTokens`` is false.
    public func partitions(after start: Int64, through end: Int64) throws(SSTableError) -> TableMerge? {
        guard start < end else { return nil }
        if let table = self.tables.first, !self.hasTokens {
            guard start == .min, end == .max else {
                throw SSTableError(
                    unsupported: table.name.path(.statistics),
                    "has no tokens, as it is ordered by \(table.statistics.partitioner): load its table as one part"
                )
            }
            return try TableMerge(self.tables, limits: self.limits)
        }
        return try TableMerge(self.tables, tokens: start + 1...end, limits: self.limits)
    }
}
