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
    /// The clusters, source before target.
    public var legs: [Leg]

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
        self.legs = legs
    }
}
