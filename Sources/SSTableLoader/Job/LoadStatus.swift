import TokenRanges

/// How a job is at one moment: what all of its workers have done, by its parts, and what this worker alone knows.
public struct LoadStatus: Sendable, Hashable, Codable {
    /// What is the case with a job.
    public enum State: String, Sendable, Hashable, Codable {
        /// Its parts are being done, or wait for a worker.
        case running
        /// The operator's command is `pause`.
        case paused
        /// The operator's command is `stop`.
        case stopped
        /// Everything has arrived.
        case complete
        /// Nobody will do more, and not everything has arrived: ``LoadStatus/Table/missing``, ``LoadStatus/deadLetters`` and
        /// ``LoadStatus/problems`` say what.
        case incomplete
    }

    /// How far some parts are.
    public struct Progress: Sendable, Hashable, Codable {
        /// Parts by what is the case with them.
        public var pending, leased, done, failed: Int
        /// The share of tokens that is done, 0…1; 1 only where every part is done.
        public var covered: Double
        /// Rows that are done.
        public var rows: Int64
        /// Bytes that are done.
        public var bytes: Int64
        /// Bytes that were expected; nil where that is not known.
        public var expectedBytes: Int64?

        /// All parts.
        public var parts: Int { self.pending + self.leased + self.done + self.failed }

        init(_ totals: JobProgress.Totals) {
            (self.pending, self.leased) = (totals.pending, totals.leased)
            (self.done, self.failed) = (totals.done, totals.failed)
            self.covered = totals.fraction ?? 0
            (self.rows, self.bytes, self.expectedBytes) = (totals.rows, totals.bytes, totals.expectedBytes)
        }
    }

    /// A reason for which parts have failed.
    public struct Reason: Sendable, Hashable, Codable {
        /// The reason.
        public let reason: String
        /// How many parts.
        public internal(set) var parts: Int
    }

    /// One table.
    public struct Table: Sendable, Hashable, Codable {
        /// The keyspace.
        public let keyspace: String
        /// The table.
        public let table: String
        /// How far it is.
        public let progress: Progress
        /// What this worker has done for it.
        public let tally: LoadTally
        /// Why parts of it have failed.
        public let failures: [Reason]
        /// What nobody is going to do: ranges in order that do not touch. Of a job that is stopped everything that is not done.
        public let missing: [LoadRange]
    }

    /// The job's name.
    public let job: String
    /// This worker's name.
    public let worker: String
    /// What is the case with the job.
    public let state: State
    /// What the operator wants: `run`, `pause` or `stop`.
    public let command: String
    /// The tables by name.
    public let tables: [Table]
    /// How far all of them are.
    public let total: Progress
    /// What this worker has done for all of them.
    public let tally: LoadTally
    /// Rows in a second, of all workers; nil before some time has passed.
    public let rowsPerSecond: Double?
    /// Bytes in a second, of all workers.
    public let bytesPerSecond: Double?
    /// How long until nobody has anything left to do, in seconds; nil where that is not known.
    public let secondsLeft: Double?
    /// Requests of this worker that are on their way to the target.
    public let inFlight: Int
    /// How many may be.
    public let inFlightMax: Int
    /// How often the target has pushed back, gave no answer, or its connection was lost.
    public let pushbacks: Int
    /// How long the target took to answer.
    public let latency: LatencyBuckets
    /// Dead letters of this worker.
    public let deadLetters: Int
    /// The file that they are in.
    public let deadLetterPath: String
    /// Why parts ended before their end, on this worker; the newest one stands last.
    public let errors: [LoadFailure]
    /// What ought to be loaded and cannot be; see ``LoadPlan/problems``.
    public let problems: [LoadPlan.Notice]

    /// Whether nobody will do more.
    public var isEnded: Bool { self.state == .complete || self.state == .incomplete }
}

extension LoadStatus {
    /// What a worker knows of itself.
    struct Worker {
        var name: String
        var tallies: [TableName: LoadTally]
        var errors: [LoadFailure]
        var pace: TargetPace.Reading
        var deadLetters: Int
        var deadLetterPath: String
        var problems: [LoadPlan.Notice]
    }

    init(
        job: String,
        command: JobCommand,
        parts: [JobPart],
        progress: JobProgress,
        speed: ProgressMeter.Speed,
        worker: Worker
    ) {
        self.job = job
        self.worker = worker.name
        self.command = command.rawValue
        let byTable = Dictionary(grouping: parts, by: \.table)
        self.tables = byTable.sorted { $0.key < $1.key }.map { name, parts in
            Table(
                keyspace: name.keyspace,
                table: name.table,
                progress: Progress(progress.tables[name] ?? .init()),
                tally: worker.tallies[name] ?? LoadTally(),
                failures: Self.reasons(parts),
                missing: Self.missing(parts, isStopped: command == .stop)
            )
        }
        self.total = Progress(progress.total)
        self.tally = worker.tallies.values.reduce(LoadTally(), +)
        (self.rowsPerSecond, self.bytesPerSecond) = (speed.rowsPerSecond, speed.bytesPerSecond)
        self.secondsLeft = speed.timeLeft.map {
            Double($0.components.seconds) + Double($0.components.attoseconds) / 1e18
        }
        (self.inFlight, self.inFlightMax) = (worker.pace.inFlight, worker.pace.window)
        (self.pushbacks, self.latency) = (worker.pace.pushbacks, worker.pace.latency)
        (self.deadLetters, self.deadLetterPath) = (worker.deadLetters, worker.deadLetterPath)
        (self.errors, self.problems) = (worker.errors, worker.problems)
        if progress.total.isEnded {
            let isWhole = progress.total.isComplete && worker.deadLetters == 0 && worker.problems.isEmpty
            self.state = isWhole ? .complete : .incomplete
        } else {
            switch command {
            case .run: self.state = .running
            case .pause: self.state = .paused
            case .stop: self.state = .stopped
            }
        }
    }

    private static func reasons(_ parts: [JobPart]) -> [Reason] {
        var reasons: [Reason] = []
        for part in parts {
            guard case .failed(let reason) = part.state else { continue }
            if let index = reasons.firstIndex(where: { $0.reason == reason }) {
                reasons[index].parts += 1
            } else {
                reasons.append(Reason(reason: reason, parts: 1))
            }
        }
        return reasons
    }

    private static func missing(_ parts: [JobPart], isStopped: Bool) -> [LoadRange] {
        var missing: [TokenRange] = []
        for part in parts.sorted(by: { $0.range < $1.range }) {
            var isMissing = isStopped
            if case .failed = part.state { isMissing = true }
            guard isMissing, let rest = part.remainder else { continue }
            if let last = missing.last, last.end == rest.start {
                missing[missing.count - 1] = TokenRange(start: last.start, end: rest.end)
            } else {
                missing.append(rest)
            }
        }
        return missing.map { LoadRange($0) }
    }
}
