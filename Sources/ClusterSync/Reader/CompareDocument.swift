import DualReader

/// What `cluster-sync dual-reader compare --json` prints.
struct CompareDocument: Encodable, Sendable {
    /// What was compared.
    struct Counts: Encodable, Sendable {
        /// Rows that either cluster has.
        var rows: Int
        /// Of them those that the source has, and the target; undecided ones are counted with both.
        var sourceRows: Int
        var targetRows: Int
        var partitions: Int
        /// Cells of rows that both clusters have.
        var cells: Int
        var sourceBytes: Int
        var targetBytes: Int
        var rowsDifferent: Int
        /// Rows that differed when they were met and agreed when they were read again.
        var rowsSettled: Int
        /// Rows of which nobody knows.
        var rowsUndecided: Int
        /// Rows that agree since they were repaired, and those of which something was not repaired, or only listed.
        var rowsRepaired: Int
        var rowsUnrepaired: Int

        init(_ tally: CompareTally) {
            self.rows = tally.rows
            self.sourceRows = tally.rowsOnSource
            self.targetRows = tally.rowsOnTarget
            self.partitions = tally.partitions
            self.cells = tally.cells
            self.sourceBytes = tally.sourceBytes
            self.targetBytes = tally.targetBytes
            self.rowsDifferent = tally.rowsDifferent
            self.rowsSettled = tally.rowsSettled
            self.rowsUndecided = tally.rowsUndecided
            self.rowsRepaired = tally.rowsRepaired
            self.rowsUnrepaired = tally.rowsUnrepaired
        }
    }

    /// What one cluster has of a difference.
    struct Content: Encodable, Sendable {
        /// A CQL literal; absent for a whole row.
        var value: String?
        /// Microseconds; absent where it is not told.
        var writetime: Int64?
        /// Seconds since 1970, 0 for never; absent where it is not told.
        var expiresAt: Int64?

        init?(_ content: Difference.Content?, _ literal: String?) {
            guard let content else { return nil }
            self.value = literal
            self.writetime = content.writetime
            self.expiresAt = content.expiresAt
        }
    }

    /// One of the differences.
    struct Sample: Encodable, Sendable {
        var `class`: String
        var aspect: String
        /// CQL literals of the partition key's columns.
        var key: [String]
        /// Those of the clustering columns; absent for static columns.
        var clustering: [String]?
        var token: Int64
        /// Absent for a whole row.
        var column: String?
        /// An element of a collection, as a literal.
        var element: String?
        /// Absent where the cluster has nothing.
        var source: Content?
        var target: Content?

        init(_ sample: DescribedDifference) {
            let difference = sample.difference
            self.class = difference.kind.rawValue
            self.aspect = difference.aspect.rawValue
            self.key = sample.key
            self.clustering = sample.clustering
            self.token = difference.place.token
            self.column = difference.column
            self.element = sample.element
            self.source = Content(difference.source, sample.source)
            self.target = Content(difference.target, sample.target)
        }
    }

    /// One table.
    struct Table: Encodable, Sendable {
        /// `keyspace.table`.
        var table: String
        /// `in_sync`, `differs` or `incomplete`.
        var verdict: String
        /// Why it is not in sync; absent where it is.
        var reason: String?
        /// The share of its tokens that is decided, 0…1.
        var coverage: Double
        var counts: Counts
        /// Differences by class, those without any left out.
        var differences: [String: Int]
        var samples: [Sample]
        /// What was compared by digests; absent where nothing was.
        var digests: DigestCounts?
        /// Columns of which values alone are compared, as a cluster does not tell the times of their elements.
        var untoldTimes: [String]

        init(_ table: CompareReport.Table) {
            (self.verdict, self.reason) = (table.verdict.word, table.verdict.reason)
            self.table = "\(table.name)"
            self.coverage = table.coverage
            self.counts = Counts(table.tally)
            self.digests = DigestCounts(table.tally)
            self.differences = Dictionary(
                uniqueKeysWithValues: table.tally.classes.map { ($0.kind.rawValue, $0.count) }
            )
            self.samples = table.samples.map(Sample.init)
            self.untoldTimes = table.untoldTimes
        }
    }

    /// What was to be done about differences.
    struct Repair: Encodable, Sendable {
        var policy: String
        var dryRun: Bool
        /// The file that tells of each repair.
        var report: String
    }

    /// Partitions that the dual writer has in doubt.
    struct Dirty: Encodable, Sendable {
        var compared: Int
        var cleared: Int
        var left: Int
        /// Why not all of them are known.
        var failure: String?
    }

    var job: String
    /// The worst of the tables' verdicts.
    var verdict: String
    var reason: String?
    /// The share of the partitions that was to be compared, 0…100.
    var sampledPercentage: Double
    var counts: Counts
    /// What was compared by digests; absent where nothing was.
    var digests: DigestCounts?
    var tables: [Table]
    var dirty: Dirty
    /// Absent where nothing was to be repaired.
    var repair: Repair?

    /// The document of a report.
    init(_ report: CompareReport, of settings: CompareSettings) {
        (self.verdict, self.reason) = (report.verdict.word, report.verdict.reason)
        self.job = report.job
        self.sampledPercentage = settings.sampling.percentage
        self.counts = Counts(report.tally)
        self.digests = DigestCounts(report.tally)
        self.tables = report.tables.map(Table.init)
        self.dirty = Dirty(
            compared: report.dirty.compared,
            cleared: report.dirty.cleared,
            left: report.dirty.left,
            failure: report.dirty.failure
        )
        if settings.repair.policy != .manual {
            self.repair = Repair(
                policy: settings.repair.policy.rawValue,
                dryRun: settings.repair.isDryRun,
                report: report.repairReportPath
            )
        }
    }
}

extension CompareTally {
    /// Rows that the source has. Those that were not decided are counted with both sides.
    var rowsOnSource: Int { self.rows - self.differences[.missingOnSource] }

    /// Rows that the target has. Those that were not decided are counted with both sides.
    var rowsOnTarget: Int { self.rows - self.differences[.missingOnTarget] }

    /// The classes of which there are differences.
    var classes: [(kind: Difference.Class, count: Int)] {
        Difference.Class.allCases.map { ($0, self.differences[$0]) }.filter { $0.count > 0 }
    }
}
