/// What `GET /health` answers.
public struct HealthDocument: Codable, Sendable, Equatable {
    /// One cluster, in a few words.
    public struct Leg: Codable, Sendable, Equatable {
        /// Whether it is configured at all.
        public var configured: Bool
        /// Whether it can be reached now.
        public var connected: Bool
        /// Why not, without any secret.
        public var error: String?

        /// Creates a leg.
        public init(configured: Bool, connected: Bool, error: String? = nil) {
            self.configured = configured
            self.connected = connected
            self.error = error
        }
    }

    /// `ok`, `degraded` (applications work, a migration step would not) or `unavailable`.
    public var status: String
    /// The service's name.
    public var service: String
    /// The version of this program.
    public var version: String
    /// Seconds since the service was started.
    public var uptimeSeconds: Double
    /// Whether the source cluster can be reached. The name is the field's; the cluster may be a ScyllaDB.
    public var cassandraConnected: Bool
    /// Whether the target cluster can be reached. The name is the field's; the cluster may be a Cassandra.
    public var scyllaConnected: Bool
    /// The write mode in force.
    public var currentMode: String
    /// The share of the suitable reads that are compared between the clusters now, 0 to 1: 0 where the mode has no shadow, or
    /// where the shadow is away or behind, whatever is configured.
    public var validationRate: Double
    /// The source cluster.
    public var source: Leg
    /// The target cluster.
    public var target: Leg

    /// Creates a document.
    public init(
        status: String,
        service: String,
        version: String,
        uptimeSeconds: Double,
        currentMode: String,
        validationRate: Double,
        source: Leg,
        target: Leg
    ) {
        self.status = status
        self.service = service
        self.version = version
        self.uptimeSeconds = uptimeSeconds
        self.cassandraConnected = source.connected
        self.scyllaConnected = target.connected
        self.currentMode = currentMode
        self.validationRate = validationRate
        self.source = source
        self.target = target
    }
}

/// Whether clients should be sent here.
public enum Readiness: Sendable, Equatable {
    /// They should.
    case ready
    /// They should not, and why.
    case notReady(reason: String)
}

/// What `GET /health/readiness` answers.
public struct ReadinessDocument: Codable, Sendable, Equatable {
    /// The answer, as the status code says it too.
    public var ready: Bool
    /// Why not.
    public var reason: String?

    /// Creates a document.
    public init(_ readiness: Readiness) {
        switch readiness {
        case .ready:
            self.ready = true
            self.reason = nil
        case .notReady(let reason):
            self.ready = false
            self.reason = reason
        }
    }
}
