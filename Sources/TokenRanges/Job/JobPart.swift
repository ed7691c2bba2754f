/// A part of a job: one table in one range of tokens.
public struct JobPart: Sendable, Hashable, Identifiable {
    /// Which part. A part's begin never moves, even when it is split.
    public struct ID: Sendable, Hashable, Comparable {
        /// The table.
        public let table: TableName
        /// The start of the range.
        public let start: Int64

        /// By table, then by start.
        public static func < (left: Self, right: Self) -> Bool { (left.table, left.start) < (right.table, right.start) }
    }

    /// What is the case with a part.
    public enum State: Sendable, Hashable {
        /// It waits for a worker, perhaps for some time yet after a failure.
        case pending
        /// A worker has it.
        case leased(worker: String)
        /// It is done.
        case done
        /// It was given up.
        case failed(reason: String)
    }

    /// The table.
    public let table: TableName
    /// The tokens.
    public var range: TokenRange
    /// How many bytes it probably has; nil where nobody knows.
    public var expectedBytes: Int64?
    /// The last token up to which everything is done; nil before the first.
    public var checkpoint: Int64?
    /// Rows that are done.
    public var rowsDone: Int64
    /// Bytes that are done.
    public var bytesDone: Int64
    /// How often it was begun since its checkpoint last moved, but for those who gave it back because they had to stop.
    public var attempts: Int
    /// How often somebody began it, in all. It never goes back, whoever begins it and wherever its checkpoint is, so that what
    /// one beginning has written can be told from what all before it have.
    public var beginnings: Int
    /// What is the case with it.
    public var state: State

    /// A part of which nothing is done.
    public init(
        table: TableName,
        range: TokenRange,
        expectedBytes: Int64? = nil,
        checkpoint: Int64? = nil,
        rowsDone: Int64 = 0,
        bytesDone: Int64 = 0,
        attempts: Int = 0,
        beginnings: Int = 0,
        state: State = .pending
    ) {
        self.table = table
        self.range = range
        self.expectedBytes = expectedBytes
        self.checkpoint = checkpoint
        self.rowsDone = rowsDone
        self.bytesDone = bytesDone
        self.attempts = attempts
        self.beginnings = beginnings
        self.state = state
    }

    /// Which part it is.
    public var id: ID { ID(table: self.table, start: self.range.start) }
    /// The tokens that are not done; nil where all are.
    public var remainder: TokenRange? { self.state == .done ? nil : self.range.remainder(after: self.checkpoint) }
    /// Whether nobody will do more about it.
    public var isEnded: Bool {
        switch self.state {
        case .done, .failed: true
        case .pending, .leased: false
        }
    }

    /// The part with the first piece of what is left of it, and the other pieces as parts of their own; nil where too few tokens
    /// are left for two.
    ///
    /// - Parameter attempts: what the others begin with. As each generation of pieces has one more, a part that fails at any size
    ///   becomes a bounded number of failed parts.
    func split(into count: Int, attempts: Int) -> (kept: JobPart, others: [JobPart])? {
        guard let rest = self.remainder else { return nil }
        let pieces = rest.split(into: max(2, count))
        guard pieces.count > 1 else { return nil }
        // What is done has taken its share of the bytes that were expected.
        let share = { (range: TokenRange) in
            self.expectedBytes.map {
                Int64(exactly: (Double($0) * Double(range.tokenCount) / Double(self.range.tokenCount)).rounded()) ?? $0
            }
        }
        var kept = self
        kept.range = TokenRange(start: self.range.start, end: pieces[0].end)
        kept.expectedBytes = share(kept.range)
        // Somebody may have been anywhere in it; whoever goes on with the first piece begins anew.
        kept.beginnings += 1
        let beginnings = kept.beginnings
        let others = pieces.dropFirst().map {
            JobPart(table: self.table, range: $0, expectedBytes: share($0), attempts: attempts, beginnings: beginnings)
        }
        return (kept, others)
    }
}
