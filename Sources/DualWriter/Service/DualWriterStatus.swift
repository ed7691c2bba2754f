public import CQLClient
public import DualWriteCore

/// What the proxy knows about itself at one moment; made by ``DualWriterService/status()``.
public struct DualWriterStatus: Sendable {
    /// One cluster as the proxy sees it.
    public struct Leg: Sendable {
        /// Which cluster this is.
        public var cluster: Cluster
        /// Whether the control connection stands.
        public var isConnected = false
        /// Why it does not, in words that hold no secret; nil while connected.
        public var lastError: String?
        /// How far the clock of the node that is asked is from this machine's; nil where that is not known.
        public var clock: ClockReading?
        /// The release version that the cluster reports.
        public var releaseVersion: String?
        /// The nodes that are known and, of these, those with at least one open connection.
        public var nodesKnown = 0
        /// Nodes with at least one ready connection on any loop.
        public var nodesConnected = 0
        /// Open connections over all loops.
        public var connections = 0
        /// Writes that still have to reach this cluster.
        public var shadowWritesQueued = 0
        /// The bytes of these writes.
        public var shadowBytesQueued = 0
        /// The age of the oldest of them, in milliseconds.
        public var shadowOldestMilliseconds = 0
        /// Whether some of them are in the journal alone, because the cluster takes less than comes, or did.
        public var isBehind = false
        /// Whether copies are held back, because the cluster is away, fails, or waits for a login.
        public var isHeldBack = false
        /// Whether it gets nothing but a probe now and then, because it fails or is silent.
        public var isBreakerOpen = false
        /// Users whose next login copies wait for.
        public var waitsForLoginOf: Set<String> = []
        /// What its journals take on disk, in bytes.
        public var journalDiskBytes = 0
        /// What they may take, in bytes; 0 without a journal.
        public var journalBytesMax = 0
        /// Writes that it has refused for good.
        public var deadLetters = 0
        /// Partitions in doubt, by reason.
        public var dirtyByReason: [DoubtReason: Int] = [:]
        /// Owed writes by table (`keyspace.table`) of the ``recordsLookedAt`` oldest: the ``tablesMax`` tables with the most, the
        /// rest under `other`, what nobody can tell under `unknown`. Empty unless asked for.
        public var tables: [String: Table] = [:]
        /// Owed writes that were looked at for ``tables``.
        public var recordsLookedAt = 0

        /// Tables that are told by name.
        public static var tablesMax: Int { 100 }

        /// What one table's share is.
        public struct Table: Sendable, Hashable {
            /// Writes that are owed.
            public var records = 0
            /// The age of the oldest of them, in milliseconds.
            public var oldestMilliseconds = 0

            /// Nothing.
            public init() {}
        }

        /// Partitions in doubt.
        public var dirtyPartitions: Int { self.dirtyByReason.values.reduce(0, +) }

        /// Of the partitions in doubt the ones that may lack an acknowledged write.
        public var dirtyWithLoss: Int {
            self.dirtyByReason.reduce(0) { $1.key.severity == .loss ? $0 + $1.value : $0 }
        }

        /// A leg about which nothing is known yet.
        public init(cluster: Cluster) { self.cluster = cluster }
    }

    /// The write mode in force.
    public var mode: WriteMode
    /// Tables that have modes of their own.
    public var overrides = ModeOverrides.none
    /// Its epoch: the number of mode changes so far.
    public var epoch: Int
    /// The configured legs, source before target.
    public var legs: [Leg]
    /// Client connections that are open.
    public var clients: Int
    /// Whether the listener accepts connections and the primary can be reached.
    public var isReady: Bool
    /// Whether a stop was asked for.
    public var isDraining: Bool
    /// The counters of all loops, summed.
    public var counters: DualWriterCounters
    /// Whether what a shadow is owed is journalled.
    public var hasJournal = false
    /// Whether requests are refused because another write mode may be in force; those for tables with a mode of their own may be
    /// while this is false, and the other way round.
    public var isLapsed = false
    /// How often the disk did not take the journal, since the start.
    public var journalSyncFailures = 0

    /// A status of a proxy about which nothing else is known yet.
    public init(mode: WriteMode, epoch: Int) {
        self.init(
            mode: mode,
            epoch: epoch,
            legs: [],
            clients: 0,
            isReady: false,
            isDraining: false,
            counters: DualWriterCounters()
        )
    }

    init(
        mode: WriteMode,
        epoch: Int,
        legs: [Leg],
        clients: Int,
        isReady: Bool,
        isDraining: Bool,
        counters: DualWriterCounters
    ) {
        self.mode = mode
        self.epoch = epoch
        self.legs = legs
        self.clients = clients
        self.isReady = isReady
        self.isDraining = isDraining
        self.counters = counters
    }

    /// The modes in force.
    public var modes: TableModes { TableModes(ModeStage(self.mode), self.overrides) }

    /// The leg of `cluster`, where it is configured.
    public func leg(_ cluster: Cluster) -> Leg? { self.legs.first { $0.cluster == cluster } }
}
