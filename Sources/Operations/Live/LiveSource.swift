/// Where the live page gets its figures from. The service implements it; this module knows no cluster.
public protocol LiveSource: Sendable {
    /// Everything at one moment, from counters that are kept anyway. Asked a few times a second while somebody looks, else never.
    ///
    /// - Parameter lookingAtTables: whether ``LiveReading/journal`` is filled, which takes some of the data path's time.
    func reading(lookingAtTables: Bool) async -> LiveReading
}

/// What a service tells the live page at one moment.
public struct LiveReading: Sendable {
    /// When, as an RFC 3339 timestamp in UTC.
    public var at: String
    /// The clusters and the sidecar itself.
    public var status: StatusDocument
    /// The write mode with its history.
    public var phase: PhaseDocument
    /// What each cluster is owed, by table; nil where it was not looked at.
    public var journal: JournalDocument?
    /// The partitions in doubt by table and reason, what is worst first.
    public var dirty: [DirtyDocument.Group]
    /// The share of reads that is compared, in per cent.
    public var validationPercentage: Double
    /// The counters of requests.
    public var traffic: TrafficReading

    /// Creates a reading.
    public init(
        at: String,
        status: StatusDocument,
        phase: PhaseDocument,
        journal: JournalDocument?,
        dirty: [DirtyDocument.Group],
        validationPercentage: Double,
        traffic: TrafficReading
    ) {
        self.at = at
        self.status = status
        self.phase = phase
        self.journal = journal
        self.dirty = dirty
        self.validationPercentage = validationPercentage
        self.traffic = traffic
    }

    /// What is told at once when it changes; all other figures can wait for the second to be full.
    var urgent: [String] {
        [
            self.status.mode, "\(self.status.epoch)", "\(self.status.ready)", "\(self.status.draining)",
        ] + self.status.legs.map { "\($0.connected) \($0.breakerOpen) \($0.behind) \($0.heldBack) \($0.deadLetters)" }
    }
}

/// Counters of requests since the start, at one moment.
public struct TrafficReading: Sendable, Equatable {
    /// One cluster's.
    public struct Leg: Sendable, Equatable {
        /// `source` or `target`.
        public var cluster: String
        /// Writes that it confirmed.
        public var writes: UInt64
        /// Writes that failed.
        public var writeErrors: UInt64
        /// Reads that it answered.
        public var reads: UInt64
        /// Reads that failed.
        public var readErrors: UInt64
        /// From sending a write to its confirmation, in seconds.
        public var writeLatency: HistogramSnapshot
        /// From sending a read to its answer, in seconds.
        public var readLatency: HistogramSnapshot

        /// Creates the counters of a cluster.
        public init(
            cluster: String,
            writes: UInt64,
            writeErrors: UInt64,
            reads: UInt64,
            readErrors: UInt64,
            writeLatency: HistogramSnapshot,
            readLatency: HistogramSnapshot
        ) {
            self.cluster = cluster
            self.writes = writes
            self.writeErrors = writeErrors
            self.reads = reads
            self.readErrors = readErrors
            self.writeLatency = writeLatency
            self.readLatency = readLatency
        }
    }

    /// The comparisons of one table.
    public struct Table: Sendable, Equatable {
        /// `keyspace.table`.
        public var table: String
        /// Reads of which it is known whether the clusters answer them alike.
        public var compared: UInt64
        /// Those that differ.
        public var mismatches: UInt64

        /// Creates the counters of a table.
        public init(table: String, compared: UInt64, mismatches: UInt64) {
            self.table = table
            self.compared = compared
            self.mismatches = mismatches
        }
    }

    /// When, on a clock that only goes forward.
    public var at: ContinuousClock.Instant
    /// The clusters, source before target.
    public var legs: [Leg]
    /// The tables with a compared read.
    public var tables: [Table]
    /// Reads that were chosen and not compared.
    public var skipped: UInt64

    /// Creates a reading.
    public init(at: ContinuousClock.Instant, legs: [Leg], tables: [Table], skipped: UInt64) {
        self.at = at
        self.legs = legs
        self.tables = tables
        self.skipped = skipped
    }
}
