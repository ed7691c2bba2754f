/// The `job` of `GET /status`. Figures that are not known are left out.
public struct LoaderJobDocument: Codable, Sendable, Equatable {
    /// Ranges of tokens by state.
    public struct Ranges: Codable, Sendable, Equatable {
        /// Nobody has begun.
        public var pending: Int
        /// Somebody works at it.
        public var leased: Int
        /// Everything of it is acknowledged.
        public var done: Int
        /// It was given up.
        public var failed: Int

        init(_ ranges: LoaderStatus.Ranges) {
            self.pending = ranges.pending
            self.leased = ranges.leased
            self.done = ranges.done
            self.failed = ranges.failed
        }
    }

    /// What had to be guessed by this process.
    public struct Guesses: Codable, Sendable, Equatable {
        /// Columns whose time the source does not tell.
        public var columns: UInt64
        /// Rows without any cell.
        public var markers: UInt64
        /// Lists whose elements had times of their own.
        public var lists: UInt64

        init(_ guesses: LoaderStatus.Guesses) {
            self.columns = guesses.columns
            self.markers = guesses.markers
            self.lists = guesses.lists
        }
    }

    /// Where it comes from or goes to.
    public struct Place: Codable, Sendable, Equatable {
        /// `files` or `cluster`.
        public var kind: String
        /// Contact points, or folders.
        public var names: [String]
        /// Whether it can be reached.
        public var connected: Bool
        /// Why not.
        public var error: String?

        init(_ place: LoaderStatus.Place) {
            self.kind = place.kind
            self.names = place.names
            self.connected = place.isConnected
            self.error = place.error
        }
    }

    /// Up to which timestamp is loaded.
    public struct Ceiling: Codable, Sendable, Equatable {
        /// `dual_writer`, `configured` or `none`.
        public var origin: String
        /// Microseconds since 1970.
        public var microseconds: Int64?
    }

    /// One table.
    public struct Table: Codable, Sendable, Equatable {
        /// `keyspace.table`.
        public var table: String
        /// `waiting`, `running`, `done`, `failed` or `skipped`.
        public var state: String
        /// Why it failed or is skipped.
        public var reason: String?
        /// The share of its tokens that is done, 0 to 1.
        public var tokensCovered: Double?
        /// Its ranges.
        public var ranges: Ranges
        /// Rows that are written.
        public var rows: UInt64
        /// Their bytes.
        public var bytes: UInt64
        /// Bytes that are expected in all.
        public var expectedBytes: UInt64?
        /// What was guessed.
        public var guesses: Guesses
        /// Its columns of which the source does not tell the times.
        public var untoldColumns: [String]

        init(_ table: LoaderStatus.Table) {
            self.table = table.name
            self.state = table.state.rawValue
            self.reason = table.reason
            self.tokensCovered = table.progress.tokensCovered
            self.ranges = Ranges(table.progress.ranges)
            self.rows = table.progress.rows
            self.bytes = table.progress.bytes
            self.expectedBytes = table.progress.expectedBytes
            self.guesses = Guesses(table.guesses)
            self.untoldColumns = table.untoldColumns
        }
    }

    /// A range that was given up.
    public struct Failure: Codable, Sendable, Equatable {
        /// `keyspace.table`.
        public var table: String
        /// The tokens behind this one. A text, as most readers of JSON have no whole numbers of 64 bits.
        public var start: String
        /// The last token.
        public var end: String
        /// Why.
        public var reason: String

        init(_ failure: LoaderStatus.Failure) {
            self.table = failure.table
            self.start = String(failure.start)
            self.end = String(failure.end)
            self.reason = failure.reason
        }
    }

    /// Tables that are told.
    public static var tablesMax: Int { 1_000 }
    /// Failures that are told.
    public static var failuresMax: Int { 100 }

    /// The job's name.
    public var name: String
    /// This worker's name.
    public var worker: String
    /// The version of this program.
    public var version: String
    /// Seconds since the program was started.
    public var uptimeSeconds: Double
    /// Seconds since the load began, or that it took; 0 before the first.
    public var elapsedSeconds: Double
    /// `idle`, `running`, `paused`, `stopping`, `done`, `stopped` or `failed`.
    public var state: String
    /// Why it failed.
    public var reason: String?
    /// What is loaded: `everything`, keyspaces, or a table.
    public var subject: String?
    /// Where it comes from.
    public var source: Place
    /// Where it goes to.
    public var target: Place
    /// Up to which timestamp is loaded.
    public var ceiling: Ceiling
    /// The share of all tokens that is done, 0 to 1; 1 only where all of it is.
    public var tokensCovered: Double?
    /// All ranges.
    public var ranges: Ranges
    /// Rows that are written.
    public var rows: UInt64
    /// Rows that are expected in all.
    public var expectedRows: UInt64?
    /// Bytes that are written.
    public var bytes: UInt64
    /// Bytes that are expected in all.
    public var expectedBytes: UInt64?
    /// Statements that this process has written.
    public var statements: UInt64
    /// Requests that this process has sent again.
    public var retries: UInt64
    /// Statements in the file of dead letters.
    public var deadLetters: UInt64
    /// That file.
    public var deadLettersFile: String?
    /// Requests on their way.
    public var inFlight: Int
    /// How many there may be now.
    public var inFlightLimit: Int
    /// How many there always may be: the configured limit.
    public var inFlightMin: Int
    /// How many there may be at most: the configured limit.
    public var inFlightMax: Int
    /// The configured limit.
    public var rowsPerSecondLimit: Double?
    /// The configured limit.
    public var bytesPerSecondLimit: Double?
    /// Over the last minute.
    public var rowsPerSecond: Double?
    /// Over the last minute.
    public var bytesPerSecond: Double?
    /// Seconds until the end at this speed.
    public var etaSeconds: Double?
    /// What this process had to guess.
    public var guesses: Guesses
    /// The first ``tablesMax`` tables.
    public var tables: [Table]
    /// Tables that are left out.
    public var tablesLeftOut: Int
    /// The first ``failuresMax`` ranges that were given up.
    public var failures: [Failure]
    /// Failures that are left out.
    public var failuresLeftOut: Int

    init(_ status: LoaderStatus) {
        self.name = status.job
        self.worker = status.worker
        self.version = status.version
        self.uptimeSeconds = status.uptimeSeconds
        self.elapsedSeconds = status.elapsedSeconds
        self.state = status.run.state.rawValue
        self.reason = status.run.reason
        self.subject = status.run.subject?.description
        self.source = Place(status.source)
        self.target = Place(status.target)
        self.ceiling = Ceiling(origin: status.ceiling.origin.rawValue, microseconds: status.ceiling.microseconds)
        self.tokensCovered = status.progress.tokensCovered
        self.ranges = Ranges(status.progress.ranges)
        self.rows = status.progress.rows
        self.expectedRows = status.expectedRows
        self.bytes = status.progress.bytes
        self.expectedBytes = status.progress.expectedBytes
        self.statements = status.counters.statements
        self.retries = status.counters.retries.values.reduce(0, +)
        self.deadLetters = status.deadLetters
        self.deadLettersFile = status.deadLettersFile
        self.inFlight = status.inFlight
        self.inFlightLimit = status.limits.inFlight
        self.inFlightMin = status.limits.inFlightMin
        self.inFlightMax = status.limits.inFlightMax
        self.rowsPerSecondLimit = status.limits.rowsPerSecond
        self.bytesPerSecondLimit = status.limits.bytesPerSecond
        self.rowsPerSecond = status.rowsPerSecond
        self.bytesPerSecond = status.bytesPerSecond
        self.etaSeconds = status.secondsLeft
        self.guesses = Guesses(status.counters.guesses)
        self.tables = status.tables.prefix(Self.tablesMax).map(Table.init)
        self.tablesLeftOut = max(0, status.tables.count - Self.tablesMax)
        self.failures = status.failures.prefix(Self.failuresMax).map(Failure.init)
        self.failuresLeftOut = max(0, status.failures.count - Self.failuresMax)
    }
}
