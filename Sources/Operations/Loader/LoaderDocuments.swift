/// What `GET /health` of a loader answers.
public struct LoaderHealthDocument: Codable, Sendable, Equatable {
    /// `healthy`, `degraded` (a cluster or a folder cannot be reached) or `unhealthy` (the last load failed).
    public var status: String
    /// Always `sstable-loader`.
    public var service: String
    /// The version of this program.
    public var version: String
    /// Seconds since the program was started.
    public var uptimeSeconds: Double
    /// Whether a load drops indexes and makes them again.
    public var indexManagerEnabled: Bool
    /// Indexes that are recorded for the tables of the job.
    public var indexCount: Int
    /// What is the case with the load, as in `job.state` of the status.
    public var state: String
    /// Whether the source can be reached.
    public var source: HealthDocument.Leg
    /// Whether the target can be reached.
    public var target: HealthDocument.Leg

    /// The document of `status`.
    public init(_ status: LoaderStatus, indexManagerEnabled: Bool, indexCount: Int) {
        func leg(_ place: LoaderStatus.Place) -> HealthDocument.Leg {
            .init(configured: !place.names.isEmpty, connected: place.isConnected, error: place.error)
        }
        self.service = "sstable-loader"
        self.version = status.version
        self.uptimeSeconds = status.uptimeSeconds
        self.indexManagerEnabled = indexManagerEnabled
        self.indexCount = indexCount
        self.state = status.run.state.rawValue
        self.source = leg(status.source)
        self.target = leg(status.target)
        if status.run.state == .failed {
            self.status = "unhealthy"
        } else {
            self.status = self.source.connected && self.target.connected ? "healthy" : "degraded"
        }
    }
}

/// What a successful `POST /start`, `/migrate/{keyspace}/{table}`, `/stop`, `/pause` or `/resume` answers.
public struct LoaderActionDocument: Codable, Sendable, Equatable {
    /// Always `success`.
    public var status: String
    /// What was asked for.
    public var action: String
    /// A sentence for people.
    public var message: String
    /// The job's name.
    public var job: String
    /// What is the case with the load now, as in `job.state` of the status.
    public var state: String
    /// Whether that changed anything.
    public var changed: Bool

    /// Creates a document.
    public init(action: String, message: String, job: String, state: LoaderRun.State, changed: Bool = true) {
        self.status = "success"
        self.action = action
        self.message = message
        self.job = job
        self.state = state.rawValue
        self.changed = changed
    }
}

/// What `GET /discover/{keyspace}` answers.
public struct DiscoveryDocument: Codable, Sendable, Equatable {
    /// One table of the source.
    public struct Table: Codable, Sendable, Equatable {
        /// Its name, as in the schema.
        public var name: String
        /// Whether the job loads it.
        public var loaded: Bool
        /// Why not.
        public var reason: String?
        /// About how many bytes it has; nil where the source does not tell.
        public var bytes: UInt64?
        /// About how many partitions it has; nil where the source does not tell.
        public var partitions: UInt64?
        /// Its SSTables, of a source of files.
        public var sstables: Int?

        /// Creates a table.
        public init(
            name: String,
            loaded: Bool,
            reason: String? = nil,
            bytes: UInt64? = nil,
            partitions: UInt64? = nil,
            sstables: Int? = nil
        ) {
            self.name = name
            self.loaded = loaded
            self.reason = reason
            self.bytes = bytes
            self.partitions = partitions
            self.sstables = sstables
        }
    }

    /// Always `success`.
    public var status: String
    /// The keyspace.
    public var keyspace: String
    /// How many tables it has.
    public var tableCount: Int
    /// Their names.
    public var tables: [String]
    /// What is known of each.
    public var details: [Table]

    /// Creates a document.
    public init(keyspace: String, tables: [Table]) {
        self.status = "success"
        self.keyspace = keyspace
        self.tableCount = tables.count
        self.tables = tables.map(\.name)
        self.details = tables
    }
}
