public import CQLClient
public import CQLProtocol
public import LiveTables
public import TokenRanges

/// What a job is to do, and how. Workers of one job must mean the same by it: ``LoadSubject`` says which of it they compare.
public struct LoadSettings: Sendable {
    /// Where the rows come from.
    public enum Source: Sendable, Hashable {
        /// SSTables under these paths, of one node or of several; of each table's folder the chosen places.
        case files([String], places: [SSTableFolder.Place])
        /// A cluster that is read through CQL.
        case cluster(ClusterConfiguration)
    }

    /// Where a job remembers how far it is.
    public enum Store: Sendable, Hashable {
        /// In a file, for the workers of one machine.
        case sqlite(path: String)
        /// In keyspace `cluster_sync` of the target, for workers anywhere; the replication where it has to be made, as a CQL map.
        case target(replication: String? = nil)
    }

    /// How lists are written whose elements have times of their own.
    public enum Lists: String, Sendable, Hashable {
        /// Element by element where the target has a way to say their places; else as a whole.
        case places
        /// As a whole, whatever the target can.
        case whole
        /// Not at all: tables that have some are not loaded.
        case refuse
    }

    /// The job's name, by which its workers find each other.
    public var job: String
    /// Where the rows come from.
    public var source: Source
    /// Where they go.
    public var target: ClusterConfiguration
    /// Where the job remembers how far it is.
    public var store: Store
    /// The folder of the dead letters; each worker has a file of its own in it.
    public var deadLetterFolder: String
    /// The bounds of these files.
    public var deadLetterLimits = DeadLetters.Limits()

    /// Which tables.
    public var tables = TableSelection()
    /// Columns that the target does not have on purpose, by table: without being named here each of them is a misfit.
    public var leavingOut: [TableName: Set<String>] = [:]
    /// Nothing newer is written, in microseconds since 1970: since then dual writing has been active. Nil for no limit.
    public var ceiling: Int64?
    /// What time a column of a live source has whose time the source does not tell.
    public var untoldTime = LiveStatements.UntoldTime.newestOfRow
    /// Which rows of a live source get markers.
    public var markers = LiveStatements.Markers.always
    /// How lists are written.
    public var lists = Lists.places
    /// Whether counters of a live source are copied. Right only while nothing writes them on either side (``LiveCounters``).
    public var copiesCounters = false

    /// How a worker takes parts: how many at once, how often, for how long.
    public var runner = RunnerSettings()
    /// Statements and bytes in a second, of this worker. A row is one statement unless its cells differ in time or life.
    public var rates = RateLimits()
    /// How many writes are on the way at once, and how they give way to the target.
    public var pace = AdaptivePace.Limits()
    /// The consistency level of writes.
    public var writeConsistency = Consistency.localQuorum
    /// The bounds of what one part has on the way.
    public var writer = TargetWriter.Limits()
    /// How a live source is read: consistency and bytes of a page among them.
    public var reading = LiveReader.Options()
    /// Whether a live source that tells the times of elements one by one is asked for them, in reads of their own for each row.
    public var asksByKey = true
    /// About how many bytes of a table a part has.
    public var bytesPerPart: Int64 = 64 << 20
    /// When a part claims what is done.
    public var checkpoints = FilePart.Limits()
    /// The bounds of the session with the source.
    public var sourceSession = CQLSession.Limits()
    /// The bounds of the sessions with the target.
    public var targetSession = CQLSession.Limits()
    /// How often the progress is looked at while a worker works; speeds are reckoned from it.
    public var sampleInterval = Duration.seconds(10)

    /// Settings with the defaults of everything that is not named here.
    public init(
        job: String,
        source: Source,
        target: ClusterConfiguration,
        store: Store,
        deadLetterFolder: String
    ) {
        self.job = job
        self.source = source
        self.target = target
        self.store = store
        self.deadLetterFolder = deadLetterFolder
    }
}
