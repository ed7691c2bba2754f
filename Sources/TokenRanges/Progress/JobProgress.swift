/// How far a job is, by its parts at one moment.
public struct JobProgress: Sendable, Hashable {
    /// Sums of some parts.
    public struct Totals: Sendable, Hashable {
        /// Parts by what is the case with them.
        public var (pending, leased, done, failed) = (0, 0, 0, 0)
        /// Tokens of all parts. A Double, as the tokens of two tables are more than any integer of the machine holds.
        public var tokens = 0.0
        /// Tokens that are done.
        public var tokensDone = 0.0
        /// Tokens of failed parts that are not done: nobody is going to do them.
        public var tokensGivenUp = 0.0
        /// Rows that are done.
        public var rows: Int64 = 0
        /// Bytes that are done.
        public var bytes: Int64 = 0
        /// Bytes that were expected in all; nil where that is not known of all parts.
        public var expectedBytes: Int64? = 0

        /// Of no parts.
        public init() {}

        /// How many parts there are.
        public var parts: Int { self.pending + self.leased + self.done + self.failed }
        /// The share of tokens that is done, 0…1; nil where there are none. It is 1 only where every part is done.
        public var fraction: Double? {
            guard self.tokens > 0 else { return nil }
            let share = self.tokensDone / self.tokens
            // A ring has more tokens than a Double can tell apart.
            return self.done == self.parts ? 1 : min(share, 1.0.nextDown)
        }
        /// Whether every part is done; false also where there are none.
        public var isComplete: Bool { self.parts > 0 && self.done == self.parts }
        /// Whether nobody will do more: every part is done or failed.
        public var isEnded: Bool { self.pending == 0 && self.leased == 0 }
        /// Tokens that somebody is still going to do.
        public var tokensLeft: Double { max(0, self.tokens - self.tokensDone - self.tokensGivenUp) }

        mutating func add(_ part: JobPart) {
            let tokens = Double(part.range.tokenCount)
            let left = part.remainder.map { Double($0.tokenCount) } ?? 0
            self.tokens += tokens
            self.tokensDone += tokens - left
            self.rows += part.rowsDone
            self.bytes += part.bytesDone
            self.expectedBytes = self.expectedBytes.flatMap { sum in
                part.expectedBytes.map { sum.addingReportingOverflow($0).overflow ? .max : sum + $0 }
            }
            switch part.state {
            case .pending: self.pending += 1
            case .leased: self.leased += 1
            case .done: self.done += 1
            case .failed:
                self.failed += 1
                self.tokensGivenUp += left
            }
        }
    }

    /// By table.
    public private(set) var tables: [TableName: Totals] = [:]
    /// Of all tables.
    public private(set) var total = Totals()

    /// The progress of some parts, in any order.
    public init(_ parts: some Sequence<JobPart>) {
        for part in parts {
            self.tables[part.table, default: Totals()].add(part)
            self.total.add(part)
        }
    }
}
