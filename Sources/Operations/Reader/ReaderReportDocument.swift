/// What a comparison has found, or has found so far.
public struct ReaderReportDocument: Codable, Sendable, Equatable {
    /// What was compared and found.
    public struct Counts: Codable, Sendable, Equatable {
        /// Rows that either cluster has.
        public var rows = 0
        /// Partitions that either cluster has.
        public var partitions = 0
        /// Cells of rows that both clusters have.
        public var cells = 0
        /// Bytes of values that were read, of each cluster.
        public var sourceBytes = 0
        /// The same of the target.
        public var targetBytes = 0
        /// Rows that were read and belong to other tenants.
        public var rowsFiltered = 0
        /// Rows that differ.
        public var rowsDifferent = 0
        /// Rows that differed when they were met, and agreed when they were read again.
        public var rowsSettled = 0
        /// Rows of which nobody knows.
        public var rowsUndecided = 0
        /// Rows that agree since they were repaired.
        public var rowsRepaired = 0
        /// Rows of which something was not repaired, or was only listed.
        public var rowsUnrepaired = 0
        /// Differences by class, those without any left out.
        public var differences: [String: Int] = [:]

        /// Nothing yet.
        public init() {}
    }

    /// One table.
    public struct Table: Codable, Sendable, Equatable {
        /// `keyspace.table`.
        public var table: String
        /// `in_sync`, `differs` or `incomplete`.
        public var verdict: String
        /// Why it is not in sync.
        public var reason: String?
        /// The share of its tokens that is decided, 0 to 1.
        public var tokensCoveredRatio: Double
        /// What was compared and found.
        public var counts: Counts
        /// Whether it cannot be compared at all.
        public var refused: Bool

        /// A table.
        public init(
            table: String,
            verdict: String,
            reason: String?,
            tokensCoveredRatio: Double,
            counts: Counts,
            refused: Bool = false
        ) {
            self.table = table
            self.verdict = verdict
            self.reason = reason
            self.tokensCoveredRatio = tokensCoveredRatio
            self.counts = counts
            self.refused = refused
        }
    }

    /// Tables that are told one by one.
    public static var tablesMax: Int { 1_000 }

    /// The job's name.
    public var job: String
    /// What was compared, for people.
    public var subject: String
    /// `in_sync`, `differs` or `incomplete`: the worst of the tables.
    public var verdict: String
    /// Why it is not in sync.
    public var reason: String?
    /// When it began, as an RFC 3339 timestamp in UTC.
    public var beganAt: String
    /// When it ended, or when this was told.
    public var at: String
    /// Whether it has ended.
    public var ended: Bool
    /// The share of the wanted tokens that is decided, 0 to 1.
    public var tokensCoveredRatio: Double
    /// The share of the partitions that was to be compared, 0 to 100.
    public var sampledPercentage: Double
    /// Whether it is a part of what is configured: one table, or one tenant.
    public var partial: Bool
    /// What was compared and found in all tables.
    public var counts: Counts
    /// The tables, the first ``tablesMax``: those that are not in sync first.
    public var tables: [Table]
    /// How many tables there are.
    public var tablesTotal: Int

    /// A report.
    public init(
        job: String,
        subject: String,
        verdict: String,
        reason: String?,
        beganAt: String,
        at: String,
        ended: Bool,
        tokensCoveredRatio: Double,
        sampledPercentage: Double,
        partial: Bool,
        counts: Counts,
        tables: [Table]
    ) {
        self.job = job
        self.subject = subject
        self.verdict = verdict
        self.reason = reason
        self.beganAt = beganAt
        self.at = at
        self.ended = ended
        self.tokensCoveredRatio = tokensCoveredRatio
        self.sampledPercentage = sampledPercentage
        self.partial = partial
        self.counts = counts
        self.tables = Array(tables.sorted { Self.rank($0) < Self.rank($1) }.prefix(Self.tablesMax))
        self.tablesTotal = tables.count
    }

    private static func rank(_ table: Table) -> (Int, String) {
        switch table.verdict {
        case "differs": (0, table.table)
        case "incomplete": (1, table.table)
        default: (2, table.table)
        }
    }

    /// The verdict without its tables, for the history.
    public var verdictAlone: ReaderVerdictDocument {
        ReaderVerdictDocument(
            subject: self.subject,
            verdict: self.verdict,
            reason: self.reason,
            beganAt: self.beganAt,
            at: self.at,
            sampledPercentage: self.sampledPercentage,
            rows: self.counts.rows,
            rowsDifferent: self.counts.rowsDifferent,
            rowsRepaired: self.counts.rowsRepaired
        )
    }
}

/// One verdict of the history.
public struct ReaderVerdictDocument: Codable, Sendable, Equatable {
    /// What was compared, for people.
    public var subject: String
    /// `in_sync`, `differs` or `incomplete`.
    public var verdict: String
    /// Why it is not in sync.
    public var reason: String?
    /// When the comparison began.
    public var beganAt: String
    /// When it ended.
    public var at: String
    /// The share of the partitions that was to be compared, 0 to 100.
    public var sampledPercentage: Double
    /// Rows that were compared.
    public var rows: Int
    /// Of these the ones that differed.
    public var rowsDifferent: Int
    /// Of these the ones that were repaired.
    public var rowsRepaired: Int
}
