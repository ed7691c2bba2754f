/// What a loader says of one of its jobs with `PUT /v1/reports/load`.
public struct LoadReport: Codable, Sendable, Equatable {
    /// One table.
    public struct Table: Codable, Sendable, Equatable {
        /// `keyspace.table`.
        public var table: String
        /// The share of its tokens that has arrived, 0 to 1.
        public var tokensCoveredRatio: Double

        /// Creates a table.
        public init(table: String, tokensCoveredRatio: Double) {
            self.table = table
            self.tokensCoveredRatio = tokensCoveredRatio
        }
    }

    /// The job's name.
    public var job: String
    /// Who reports: the worker's name. Workers of one job are told apart by it.
    public var source: String
    /// `running`, `complete` or `incomplete`.
    public var state: String
    /// When its first row was read, as an RFC 3339 timestamp.
    public var beganAt: String
    /// When this was so.
    public var at: String
    /// The share of tokens that has arrived, 0 to 1.
    public var tokensCoveredRatio: Double
    /// Rows that the target has refused for good, of this worker.
    public var deadLetters: Int
    /// Its tables; the first ``ReportsDocument/tablesMax`` of them.
    public var tables: [Table]

    static var keys: [String] {
        ["job", "source", "state", "began_at", "at", "tokens_covered_ratio", "dead_letters", "tables"]
    }

    /// Creates a report.
    public init(
        job: String,
        source: String,
        state: String,
        beganAt: String,
        at: String,
        tokensCoveredRatio: Double,
        deadLetters: Int,
        tables: [Table]
    ) {
        self.job = job
        self.source = source
        self.state = state
        self.beganAt = beganAt
        self.at = at
        self.tokensCoveredRatio = tokensCoveredRatio
        self.deadLetters = deadLetters
        self.tables = Array(tables.prefix(ReportsDocument.tablesMax))
    }

    /// Reads the document of `PUT /v1/reports/load`.
    init(_ object: [String: JSONValue]) throws(AdminError) {
        var reader = DocumentReader(object, keys: Self.keys)
        let job = reader.needed("job", bytesMax: ReportsDocument.nameBytesMax)
        let source = reader.needed("source", bytesMax: ReportsDocument.nameBytesMax)
        let state = reader.choice("state", among: ["running", "complete", "incomplete"])
        let (beganAt, at) = (reader.moment("began_at"), reader.moment("at"))
        let ratio = reader.number("tokens_covered_ratio", 0...1)
        let letters = reader.count("dead_letters")
        var tables: [Table] = []
        for (index, table) in reader.objects("tables", max: ReportsDocument.tablesMax).enumerated() {
            var inner = DocumentReader(table, keys: ["table", "tokens_covered_ratio"])
            let name = inner.needed("table", bytesMax: ReportsDocument.nameBytesMax)
            let ratio = inner.number("tokens_covered_ratio", 0...1)
            reader.take(inner, of: "tables[\(index)]")
            if let name, let ratio { tables.append(Table(table: name, tokensCoveredRatio: ratio)) }
        }
        try reader.finish()
        guard let job, let source, let state, let beganAt, let at, let ratio, let letters else {
            preconditionFailure("what is missing was a fault")
        }
        self.init(
            job: job,
            source: source,
            state: state,
            beganAt: beganAt,
            at: at,
            tokensCoveredRatio: ratio,
            deadLetters: letters,
            tables: tables
        )
    }
}

/// What a reader says of a comparison of whole tables with `PUT /v1/reports/comparison`.
public struct ComparisonReport: Codable, Sendable, Equatable {
    /// One table.
    public struct Table: Codable, Sendable, Equatable {
        /// `keyspace.table`.
        public var table: String
        /// `in_sync`, `differs` or `incomplete`.
        public var verdict: String
        /// Its differences.
        public var differences: Int

        /// Creates a table.
        public init(table: String, verdict: String, differences: Int) {
            self.table = table
            self.verdict = verdict
            self.differences = differences
        }
    }

    /// The job's name.
    public var job: String
    /// `in_sync`, `differs` or `incomplete`.
    public var verdict: String
    /// When its first row was read, as an RFC 3339 timestamp.
    public var beganAt: String
    /// When it ended.
    public var at: String
    /// The share of tokens that was decided, 0 to 1.
    public var tokensCoveredRatio: Double
    /// The share of the partitions that was looked at, 0 to 100.
    public var sampledPercentage: Double
    /// Rows that differ.
    public var differences: Int
    /// Its tables; the first ``ReportsDocument/tablesMax`` of them.
    public var tables: [Table]

    static var verdicts: [String] { ["in_sync", "differs", "incomplete"] }
    static var keys: [String] {
        [
            "job", "verdict", "began_at", "at", "tokens_covered_ratio", "sampled_percentage", "differences", "tables",
        ]
    }

    /// Creates a report.
    public init(
        job: String,
        verdict: String,
        beganAt: String,
        at: String,
        tokensCoveredRatio: Double,
        sampledPercentage: Double,
        differences: Int,
        tables: [Table]
    ) {
        self.job = job
        self.verdict = verdict
        self.beganAt = beganAt
        self.at = at
        self.tokensCoveredRatio = tokensCoveredRatio
        self.sampledPercentage = sampledPercentage
        self.differences = differences
        self.tables = Array(tables.prefix(ReportsDocument.tablesMax))
    }

    /// Reads the document of `PUT /v1/reports/comparison`.
    init(_ object: [String: JSONValue]) throws(AdminError) {
        var reader = DocumentReader(object, keys: Self.keys)
        let job = reader.needed("job", bytesMax: ReportsDocument.nameBytesMax)
        let verdict = reader.choice("verdict", among: Self.verdicts)
        let (beganAt, at) = (reader.moment("began_at"), reader.moment("at"))
        let ratio = reader.number("tokens_covered_ratio", 0...1)
        let sampled = reader.number("sampled_percentage", 0...100)
        let differences = reader.count("differences")
        var tables: [Table] = []
        for (index, table) in reader.objects("tables", max: ReportsDocument.tablesMax).enumerated() {
            var inner = DocumentReader(table, keys: ["table", "verdict", "differences"])
            let name = inner.needed("table", bytesMax: ReportsDocument.nameBytesMax)
            let verdict = inner.choice("verdict", among: Self.verdicts)
            let count = inner.count("differences")
            reader.take(inner, of: "tables[\(index)]")
            if let name, let verdict, let count {
                tables.append(Table(table: name, verdict: verdict, differences: count))
            }
        }
        try reader.finish()
        guard let job, let verdict, let beganAt, let at, let ratio, let sampled, let differences else {
            preconditionFailure("what is missing was a fault")
        }
        self.init(
            job: job,
            verdict: verdict,
            beganAt: beganAt,
            at: at,
            tokensCoveredRatio: ratio,
            sampledPercentage: sampled,
            differences: differences,
            tables: tables
        )
    }
}

/// What `GET /v1/reports` answers: what other services have said.
public struct ReportsDocument: Codable, Sendable, Equatable {
    /// Of loads, one for each job and worker, the newest first.
    public var loads: [LoadReport]
    /// Of the last comparison of whole tables.
    public var comparison: ComparisonReport?

    /// Reports of loads that are kept; the oldest one makes room.
    public static var loadsMax: Int { 32 }
    /// Tables that a report names.
    public static var tablesMax: Int { 1_000 }
    /// Bytes of a name.
    public static var nameBytesMax: Int { 256 }
    /// The longest body of a report, in bytes.
    public static var bodyBytesMax: Int { 512 << 10 }

    /// Creates a document.
    public init(loads: [LoadReport] = [], comparison: ComparisonReport? = nil) {
        self.loads = loads
        self.comparison = comparison
    }
}
