/// What `GET /status` answers: `migration` with the keys that scripts and dashboards of older tools read, and `job` with what
/// those have no words for.
public struct LoaderStatusDocument: Codable, Sendable, Equatable {
    /// The familiar figures.
    public struct Migration: Codable, Sendable, Equatable {
        /// Rows that are expected in all, or, where that is not known, that have been seen.
        public var totalRows: UInt64
        /// Rows that the target has acknowledged.
        public var migratedRows: UInt64
        /// Statements in the file of dead letters.
        public var failedRows: UInt64
        /// Rows that a filter has left out, in this process.
        public var filteredRows: UInt64
        /// Tables that are done.
        public var tablesCompleted: Int
        /// Tables that are to be loaded.
        public var tablesTotal: Int
        /// Tables that are not loaded.
        public var tablesSkipped: Int
        /// Ranges that were given up.
        public var skippedCorruptedRanges: Int
        /// The share of the tokens that is done, 0 to 100; 100 only where all of it is.
        public var progressPercent: Double
        /// Rows per second over the last minute; 0 where that is not known.
        public var throughputRowsPerSec: Double
        /// Seconds since the load began, or that it took.
        public var elapsedSecs: Double
        /// Whether somebody works at it, also where it is paused.
        public var isRunning: Bool
        /// Whether it is paused.
        public var isPaused: Bool
    }

    /// Always `ok`: the status could be read. What is the case with the load is in `job.state`.
    public var status: String
    /// The familiar figures.
    public var migration: Migration
    /// Everything else.
    public var job: LoaderJobDocument

    /// The document of `status`.
    public init(_ status: LoaderStatus) {
        let progress = status.progress
        let skipped = status.tables.count { $0.state == .skipped }
        self.status = "ok"
        self.migration = Migration(
            totalRows: max(
                status.expectedRows ?? 0,
                progress.rows + status.counters.filteredRows + status.deadLetters
            ),
            migratedRows: progress.rows,
            failedRows: status.deadLetters,
            filteredRows: status.counters.filteredRows,
            tablesCompleted: status.tables.count { $0.state == .done },
            tablesTotal: status.tables.count - skipped,
            tablesSkipped: skipped,
            skippedCorruptedRanges: progress.ranges.failed,
            progressPercent: Self.percent(progress.tokensCovered),
            throughputRowsPerSec: status.rowsPerSecond ?? 0,
            elapsedSecs: status.elapsedSeconds,
            isRunning: status.run.state.isActive,
            isPaused: status.run.state == .paused
        )
        self.job = LoaderJobDocument(status)
    }

    /// To hundredths of a per cent, and never rounded up to a whole that is not reached.
    private static func percent(_ share: Double?) -> Double {
        guard let share else { return 0 }
        return (min(max(share, 0), 1) * 10_000).rounded(.down) / 100
    }
}
