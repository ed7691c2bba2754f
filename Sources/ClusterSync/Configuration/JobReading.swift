import CQLProtocol
import LiveTables
import TokenRanges

/// How a job between two clusters takes ranges of their tables and reads them.
struct JobReading: Sendable, Equatable {
    /// Ranges that are worked at a time.
    var concurrency: Int
    var leaseMilliseconds: Int
    /// About how much of the source is one range.
    var rangeBytes: Int
    /// Attempts at a range without any progress.
    var rangeAttempts: Int
    /// Nil: no limit.
    var rowsPerSecond: Int?
    /// Nil: no limit.
    var bytesPerSecond: Int?
    var consistency: Consistency
    var pageBytes: Int
    var pageRows: Int
    /// Pages that may fail one after the other.
    var pageFailures: Int
    var pagePauseMilliseconds: Int

    /// Reads its keys, which all such jobs have.
    init(_ values: inout ConfigurationValues) {
        self.concurrency = values.integer("concurrency")
        self.leaseMilliseconds = values.integer("job.lease_ms")
        self.rangeBytes = values.integer("job.range_bytes")
        self.rangeAttempts = values.integer("retries.ranges")
        self.rowsPerSecond = values.optionalInteger("limits.rows_per_second")
        self.bytesPerSecond = values.optionalInteger("limits.bytes_per_second")
        self.consistency = values.consistency("consistency.read")
        self.pageBytes = values.integer("page_bytes")
        self.pageRows = values.integer("page_rows")
        self.pageFailures = values.integer("retries.pages")
        self.pagePauseMilliseconds = values.integer("retries.page_pause_ms")
    }

    /// The longest name of a job, in bytes: names of files are made of it.
    static let nameBytesMax = 100

    /// Reads the job's name.
    static func name(_ values: inout ConfigurationValues) -> String {
        let name = values.text("job.name") ?? ""
        if name.utf8.count > Self.nameBytesMax {
            values.fault("job.name", "is longer than \(Self.nameBytesMax) bytes; names of files are made of it")
        }
        return name
    }

    var rates: RateLimits {
        RateLimits(
            rowsPerSecond: self.rowsPerSecond.map(Double.init),
            bytesPerSecond: self.bytesPerSecond.map(Double.init)
        )
    }

    /// Puts in what is known here; the rest stays as it is.
    func apply(to runner: inout RunnerSettings) {
        runner.concurrency = self.concurrency
        runner.leaseDuration = .milliseconds(self.leaseMilliseconds)
        runner.attemptsMax = self.rangeAttempts
    }

    /// Puts in what is known here; the rest stays as it is.
    func apply(to pages: inout LiveReader.Options) {
        pages.consistency = self.consistency == .localOne ? .localOne : .localQuorum
        pages.pageBytes = self.pageBytes
        pages.pageRowsMax = self.pageRows
        pages.failuresMax = self.pageFailures
        pages.pauseMilliseconds = self.pagePauseMilliseconds
    }
}
