/// What `GET /v1/status` answers: everything about this sidecar at one moment.
public struct StatusDocument: Codable, Sendable, Equatable {
    /// One cluster as the sidecar sees it.
    public struct Leg: Codable, Sendable, Equatable {
        /// `source` or `target`.
        public var cluster: String
        /// `primary`, `shadow` or `unused`.
        public var role: String
        /// Its contact points.
        public var hosts: [String]
        /// Whether it can be reached.
        public var connected: Bool
        /// Why not.
        public var error: String?
        /// The release version that it reports.
        public var releaseVersion: String?
        /// The nodes that are known.
        public var nodesKnown: Int
        /// The nodes with a connection.
        public var nodesConnected: Int
        /// Open connections.
        public var connections: Int
        /// Writes that still have to reach it.
        public var shadowQueued: Int
        /// Their bytes.
        public var shadowQueuedBytes: Int
        /// The age of the oldest of them.
        public var shadowOldestMs: Int
        /// Writes that it confirmed, since the start.
        public var writesSucceeded: UInt64
        /// Writes that failed, since the start.
        public var writesFailed: UInt64
        /// Reads that it answered, since the start.
        public var readsSucceeded: UInt64
        /// Reads that failed, since the start.
        public var readsFailed: UInt64
        /// Shadow writes that were lost to a full queue, since the start.
        public var shadowOverflowed: UInt64
        /// Shadow writes that were given up, since the start.
        public var shadowDead: UInt64
        /// What the journal of what it is owed takes on the disk.
        public var journalDiskBytes: Int
        /// Whether some of the writes that it is owed are in the journal alone.
        public var behind: Bool
        /// Whether it does not take what it is owed: it is away, fails, or waits for a login.
        public var heldBack: Bool
        /// Whether it gets nothing but a probe now and then, because it fails or is silent.
        public var breakerOpen: Bool
        /// Users whose next login copies wait for, sorted; the first ``JournalDocument/Cluster/usersMax`` of them.
        public var waitsForLoginOf: [String]
        /// How many users there are.
        public var waitsForLogins: Int
        /// Writes that it has refused for good.
        public var deadLetters: Int
        /// Partitions in doubt.
        public var dirtyPartitions: Int
        /// Of these the ones that may lack an acknowledged write.
        public var dirtyWithLoss: Int

        /// A leg about which nothing is known.
        public init(cluster: String, role: String, hosts: [String]) {
            self.cluster = cluster
            self.role = role
            self.hosts = hosts
            self.connected = false
            self.nodesKnown = 0
            self.nodesConnected = 0
            self.connections = 0
            self.shadowQueued = 0
            self.shadowQueuedBytes = 0
            self.shadowOldestMs = 0
            self.writesSucceeded = 0
            self.writesFailed = 0
            self.readsSucceeded = 0
            self.readsFailed = 0
            self.shadowOverflowed = 0
            self.shadowDead = 0
            self.journalDiskBytes = 0
            self.behind = false
            self.heldBack = false
            self.breakerOpen = false
            self.waitsForLoginOf = []
            self.waitsForLogins = 0
            self.deadLetters = 0
            self.dirtyPartitions = 0
            self.dirtyWithLoss = 0
        }
    }

    /// The service's name.
    public var service: String
    /// The version of this program.
    public var version: String
    /// Seconds since the service was started.
    public var uptimeSeconds: Double
    /// Where applications connect.
    public var listen: String
    /// The write mode in force.
    public var mode: String
    /// Its epoch.
    public var epoch: Int
    /// Whether clients should be sent here.
    public var ready: Bool
    /// Why not.
    public var reason: String?
    /// Whether a stop was asked for.
    public var draining: Bool
    /// Client connections.
    public var clients: Int
    /// Whether what a shadow is owed is journalled; without that it is in memory alone.
    public var journalled: Bool
    /// The clusters, source before target.
    public var legs: [Leg]

    /// The replicas that have the same write mode; nil where this one has a mode of its own.
    public var replicas: [ReplicasDocument.Replica]?

    /// Creates a document.
    public init(
        service: String,
        version: String,
        uptimeSeconds: Double,
        listen: String,
        mode: String,
        epoch: Int,
        readiness: Readiness,
        draining: Bool,
        clients: Int,
        journalled: Bool,
        legs: [Leg]
    ) {
        self.service = service
        self.version = version
        self.uptimeSeconds = uptimeSeconds
        self.listen = listen
        self.mode = mode
        self.epoch = epoch
        let document = ReadinessDocument(readiness)
        self.ready = document.ready
        self.reason = document.reason
        self.draining = draining
        self.clients = clients
        self.journalled = journalled
        self.legs = legs
    }
}
