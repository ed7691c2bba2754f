/// What a loader has reported of one of its jobs. Times are milliseconds since 1970.
public struct LoadEvidence: Sendable, Hashable {
    /// What is the case with a load.
    public enum State: String, Sendable, Hashable, CaseIterable {
        /// Somebody works at it.
        case running
        /// Everything has arrived.
        case complete
        /// Nobody works at it, and not everything has arrived.
        case incomplete
    }

    /// The job's name.
    public var job: String
    /// What is the case with it.
    public var state: State
    /// When its first row was read.
    public var beganAt: Int64
    /// When this was so; for a complete load the moment at which it became so.
    public var at: Int64
    /// The share of tokens that has arrived, 0 to 1.
    public var covered: Double
    /// Rows that the target has refused for good.
    public var deadLetters: Int
    /// Its tables, `keyspace.table`.
    public var tables: Set<String>

    /// Creates evidence.
    public init(
        job: String,
        state: State,
        beganAt: Int64,
        at: Int64,
        covered: Double,
        deadLetters: Int,
        tables: Set<String> = []
    ) {
        self.job = job
        self.state = state
        self.beganAt = beganAt
        self.at = at
        self.covered = covered
        self.deadLetters = deadLetters
        self.tables = tables
    }

    /// Whether everything has arrived.
    public var isWhole: Bool { self.state == .complete && self.covered >= 1 && self.deadLetters == 0 }

    /// What several workers of one job say, as one: how far it is says the newest, and each has dead letters of its own.
    public static func combined(_ reports: [LoadEvidence]) -> [LoadEvidence] {
        Dictionary(grouping: reports, by: \.job).values.compactMap { reports in
            guard var whole = reports.max(by: { $0.at < $1.at }) else { return nil }
            whole.beganAt = reports.reduce(whole.beganAt) { min($0, $1.beganAt) }
            whole.deadLetters = reports.reduce(0) { $0 + $1.deadLetters }
            whole.tables = reports.reduce(into: []) { $0.formUnion($1.tables) }
            return whole
        }.sorted { $0.job < $1.job }
    }
}

/// What a reader has reported of its last comparison of whole tables. Times are milliseconds since 1970.
public struct ComparisonEvidence: Sendable, Hashable {
    /// What the comparison came to.
    public enum Verdict: String, Sendable, Hashable, CaseIterable {
        /// Both clusters have the same.
        case inSync = "in_sync"
        /// They have not.
        case differs
        /// Nobody knows of everything.
        case incomplete
    }

    /// The job's name.
    public var job: String
    /// What it came to.
    public var verdict: Verdict
    /// When its first row was read.
    public var beganAt: Int64
    /// When it ended.
    public var at: Int64
    /// The share of tokens that was decided, 0 to 1.
    public var covered: Double
    /// The share of the partitions that was looked at, 0 to 100.
    public var sampledPercentage: Double
    /// Rows that differ.
    public var differences: Int
    /// Its tables, `keyspace.table`.
    public var tables: Set<String>

    /// Creates evidence.
    public init(
        job: String,
        verdict: Verdict,
        beganAt: Int64,
        at: Int64,
        covered: Double,
        sampledPercentage: Double,
        differences: Int,
        tables: Set<String> = []
    ) {
        self.job = job
        self.verdict = verdict
        self.beganAt = beganAt
        self.at = at
        self.covered = covered
        self.sampledPercentage = sampledPercentage
        self.differences = differences
        self.tables = tables
    }
}
