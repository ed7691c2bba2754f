/// Everything about a load at one moment: what the status document and the page of metrics are made from.
public struct LoaderStatus: Sendable, Equatable {
    /// How many ranges of tokens are in which state.
    public struct Ranges: Sendable, Equatable {
        /// Nobody has begun.
        public var pending = 0
        /// Somebody works at it.
        public var leased = 0
        /// Everything of it is acknowledged by the target.
        public var done = 0
        /// It was given up.
        public var failed = 0

        /// None.
        public init() {}

        /// How many there are.
        public var total: Int { self.pending + self.leased + self.done + self.failed }
    }

    /// How far something is, over all workers and all starts of the job.
    public struct Progress: Sendable, Equatable {
        /// The ranges.
        public var ranges = Ranges()
        /// The share of the tokens of which everything is acknowledged, 0 to 1; nil before there is a plan.
        public var tokensCovered: Double?
        /// Rows that are written.
        public var rows: UInt64 = 0
        /// Their bytes.
        public var bytes: UInt64 = 0
        /// Bytes that are expected in all; nil where the source does not tell.
        public var expectedBytes: UInt64?

        /// Nothing yet.
        public init() {}
    }

    /// One table.
    public struct Table: Sendable, Equatable {
        /// What is the case with it.
        public enum State: String, Sendable, CaseIterable {
            /// Nothing of it is done.
            case waiting
            /// Something of it is done.
            case running
            /// All of it is done.
            case done
            /// Something of it was given up.
            case failed
            /// It is not loaded.
            case skipped
        }

        /// `keyspace.table`.
        public var name: String
        /// What is the case with it.
        public var state: State
        /// Why it failed or is skipped.
        public var reason: String?
        /// How far it is.
        public var progress = Progress()
        /// What was guessed of it by this process.
        public var guesses = Guesses()
        /// Its columns of which the source does not tell the times.
        public var untoldColumns: [String] = []

        /// A table of which nothing is done.
        public init(name: String, state: State = .waiting) {
            self.name = name
            self.state = state
        }
    }

    /// A range that was given up.
    public struct Failure: Sendable, Equatable {
        /// `keyspace.table`.
        public var table: String
        /// The tokens behind `start` up to `end`.
        public var start: Int64
        /// The last token.
        public var end: Int64
        /// Why.
        public var reason: String

        /// Creates a failure.
        public init(table: String, start: Int64, end: Int64, reason: String) {
            self.table = table
            self.start = start
            self.end = end
            self.reason = reason
        }
    }

    /// What had to be guessed, because the source does not tell it (docs/sstable-loader.md).
    public struct Guesses: Sendable, Equatable {
        /// Columns whose time is not told.
        public var columns: UInt64 = 0
        /// Rows without any cell.
        public var markers: UInt64 = 0
        /// Lists whose elements had times of their own.
        public var lists: UInt64 = 0

        /// None.
        public init() {}
    }

    /// What this process has done since its start.
    public struct Counters: Sendable, Equatable {
        /// Rows that the target has acknowledged.
        public var rows: UInt64 = 0
        /// Their bytes.
        public var bytes: UInt64 = 0
        /// Statements that the target has acknowledged.
        public var statements: UInt64 = 0
        /// Rows that a filter has left out.
        public var filteredRows: UInt64 = 0
        /// Statements that were put into the file of dead letters.
        public var deadLetters: UInt64 = 0
        /// Requests that were sent again, by reason: a word from a fixed list of the writer.
        public var retries: [String: UInt64] = [:]
        /// What was guessed.
        public var guesses = Guesses()
        /// From sending a request to its answer.
        public var latency: HistogramSnapshot?

        /// Nothing yet.
        public init() {}
    }

    /// Up to which timestamp is loaded.
    public struct Ceiling: Sendable, Equatable {
        /// Where it came from.
        public enum Origin: String, Sendable {
            /// The moment since which the dual writer writes to both clusters.
            case dualWriter = "dual_writer"
            /// The configuration.
            case configured
            /// There is none: everything is loaded.
            case none
        }

        /// Microseconds since 1970; nil where there is none, or it is not known yet.
        public var microseconds: Int64?
        /// Where it came from.
        public var origin: Origin

        /// Creates a ceiling.
        public init(microseconds: Int64?, origin: Origin) {
            self.microseconds = microseconds
            self.origin = origin
        }
    }

    /// Where something comes from or goes to.
    public struct Place: Sendable, Equatable {
        /// `files` or `cluster`.
        public var kind: String
        /// Contact points, or folders.
        public var names: [String]
        /// Whether it can be reached.
        public var isConnected: Bool
        /// Why not, without any secret.
        public var error: String?

        /// Creates a place.
        public init(kind: String, names: [String], isConnected: Bool = false, error: String? = nil) {
            self.kind = kind
            self.names = names
            self.isConnected = isConnected
            self.error = error
        }
    }

    /// How fast it is allowed to be.
    public struct Limits: Sendable, Equatable {
        /// Rows per second; nil: as many as the target takes.
        public var rowsPerSecond: Double?
        /// Bytes per second; nil: as many as the target takes.
        public var bytesPerSecond: Double?
        /// Requests on their way at a time that the target's latency allows now.
        public var inFlight = 0
        /// What it always allows.
        public var inFlightMin = 1
        /// What it allows at most.
        public var inFlightMax = 1

        /// No limits.
        public init() {}
    }

    /// The version of this program.
    public var version: String
    /// Seconds since the program was started.
    public var uptimeSeconds = 0.0
    /// The job's name.
    public var job: String
    /// This worker's name.
    public var worker: String
    /// Whether a load runs.
    public var run = LoaderRun()
    /// Seconds since the load began, or that it took; 0 before the first.
    public var elapsedSeconds = 0.0
    /// Where it comes from.
    public var source: Place
    /// Where it goes to.
    public var target: Place
    /// Up to which timestamp is loaded.
    public var ceiling: Ceiling
    /// How far all of it is.
    public var progress = Progress()
    /// Rows that are expected in all; nil where that is not known.
    public var expectedRows: UInt64?
    /// The tables, in the order in which they are loaded.
    public var tables: [Table] = []
    /// What was given up.
    public var failures: [Failure] = []
    /// Statements in the file of dead letters, those of earlier starts included.
    public var deadLetters: UInt64 = 0
    /// That file.
    public var deadLettersFile: String?
    /// What this process has done.
    public var counters = Counters()
    /// Requests on their way.
    public var inFlight = 0
    /// What it may do.
    public var limits = Limits()
    /// Rows per second over the last minute, of this worker; nil where that is not known.
    public var rowsPerSecond: Double?
    /// Bytes per second over the last minute, of this worker; nil where that is not known.
    public var bytesPerSecond: Double?
    /// Seconds until the end at this speed; nil where that is not known.
    public var secondsLeft: Double?

    /// A load of which nothing is done.
    public init(version: String, job: String, worker: String, source: Place, target: Place, ceiling: Ceiling) {
        self.version = version
        self.job = job
        self.worker = worker
        self.source = source
        self.target = target
        self.ceiling = ceiling
    }
}
