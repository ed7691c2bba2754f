/// Everything about a reader at one moment: what the status document, the page and the page of metrics are made from.
public struct ReaderStatus: Sendable, Equatable {
    /// What was counted since the start of the program.
    public struct Counters: Sendable, Equatable {
        /// Comparisons that have ended, by verdict; `failed` are those without one.
        public var runs: [String: UInt64] = [:]
        /// Rows that were compared.
        public var rows: UInt64 = 0
        /// Bytes of values that were read from each cluster.
        public var bytes: [String: UInt64] = [:]
        /// Rows that differed, by what became of them: `remained`, `settled`, `undecided`, `repaired`.
        public var rowsByOutcome: [String: UInt64] = [:]

        /// Nothing yet.
        public init() {}

        /// A comparison has ended with a report.
        public mutating func add(_ report: ReaderReportDocument) {
            let counts = report.counts
            self.runs[report.verdict, default: 0] += 1
            self.rows += UInt64(clamping: counts.rows)
            self.bytes["source", default: 0] += UInt64(clamping: counts.sourceBytes)
            self.bytes["target", default: 0] += UInt64(clamping: counts.targetBytes)
            for (outcome, rows) in [
                ("remained", counts.rowsDifferent - counts.rowsRepaired), ("settled", counts.rowsSettled),
                ("undecided", counts.rowsUndecided), ("repaired", counts.rowsRepaired),
            ] { self.rowsByOutcome[outcome, default: 0] += UInt64(clamping: rows) }
        }
    }

    /// The version of this program.
    public var version: String
    /// Seconds since the program was started.
    public var uptimeSeconds = 0.0
    /// What is the case with the comparison.
    public var run = ReaderRun()
    /// What the comparison that runs has found so far.
    public var current: ReaderReportDocument?
    /// Rows in a second, of the comparison that runs; nil before some time has passed.
    public var rowsPerSecond: Double?
    /// Seconds until it ends at this speed.
    public var secondsLeft: Double?
    /// The report of the last comparison that has ended.
    public var last: ReaderReportDocument?
    /// The report of the last one of everything that is configured, which a verdict on the migration needs.
    public var lastWhole: ReaderReportDocument?
    /// The last verdicts, the newest first.
    public var history: [ReaderVerdictDocument] = []
    /// Seconds between the starts of comparisons that begin by themselves; 0 where none does.
    public var intervalSeconds = 0
    /// When the next one begins by itself; nil where none does.
    public var nextAt: String?
    /// Differences that are remembered.
    public var discrepancies = 0
    /// The sidecars that are asked.
    public var sidecars = 0
    /// What was counted.
    public var counters = Counters()

    /// A reader that has not done anything yet.
    public init(version: String) { self.version = version }
}
