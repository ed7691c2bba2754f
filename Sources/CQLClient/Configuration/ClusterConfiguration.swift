public import CQLProtocol

/// How to reach and use one cluster. Every limit has its unit in its name.
public struct ClusterConfiguration: Sendable, Hashable {
    /// What is built for a cluster besides what all clusters get.
    public enum Driver: String, Sendable {
        /// Nothing.
        case cassandra
        /// Connections to each shard of a node, and requests on the one that has their data.
        case scylla
    }

    /// The name in logs: `source`, `target`, or whatever a job calls it.
    public var name: String
    /// Where to look for the cluster; the other nodes are learned from it.
    public var contactPoints: [ContactPoint]
    /// The port of contact points without one.
    public var port = 9_042
    /// Only nodes of this data centre are used; nil: the one of the node that was reached first.
    public var localDatacenter: String?
    /// Nodes of this rack come first, where one of them will do; nil: all nodes of the data centre are alike.
    public var localRack: String?
    /// What the cluster is.
    public var driver = Driver.cassandra
    /// For the control connection, and for clients that bring none.
    public var credentials: RotatingCredentials?
    /// How long after a handshake its credentials count as right; after that a client that comes with them has them checked
    /// anew. Cassandra's own cache of credentials has this default (`credentials_validity`).
    public var credentialsValidMilliseconds = 2_000
    /// Logins that may be checked at a time, per event loop; one more is refused. They take no pool before they are accepted.
    public var loginChecksMax = 64
    /// How long credentials that were refused are not tried again.
    public var refusalMilliseconds = 1_000
    /// TLS toward the nodes; nil: plain connections.
    public var tls: TLSEndpoint?
    /// How bodies are packed on the way to the nodes and back, where a node can do it; nil: not at all.
    public var compression: BodyCompression?
    /// Connections to each node, per pool and event loop.
    public var connectionsPerNode = 1
    /// Requests on the way per connection; at most 32 768, the stream ids of protocol v3 and v4.
    public var inFlightPerConnectionMax = 4_096
    /// Bytes that may wait to be written on one connection; above it requests go elsewhere or are answered OVERLOADED.
    public var queuedBytesPerConnectionMax = 32 << 20
    /// The longest answer that is read, in bytes; a longer one closes the connection.
    public var frameBytesMax = 256 << 20
    /// Pools (credentials × keyspace) per event loop; one more is refused.
    public var poolsMax = 1_024
    /// How long a TCP connection may take.
    public var connectTimeoutMilliseconds = 5_000
    /// How long the handshake may take after that.
    public var handshakeTimeoutMilliseconds = 5_000
    /// A connection on which nothing has come in for so long is asked for a sign of life (OPTIONS) …
    public var heartbeatIntervalMilliseconds = 30_000
    /// … and closed when none comes within this time.
    public var heartbeatTimeoutMilliseconds = 5_000
    /// The first pause before a node is tried again; it doubles up to the maximum.
    public var reconnectMillisecondsMin = 100
    /// The longest pause before a node is tried again.
    public var reconnectMillisecondsMax = 10_000
    /// How long a connection to a node that has left may wait for its last answers before it is closed.
    public var retirementMillisecondsMax = 30_000
    /// The topology is read again this often, besides after every event.
    public var topologyIntervalMilliseconds = 60_000

    /// A configuration with the defaults of everything that is not named here.
    public init(name: String, contactPoints: [ContactPoint]) {
        self.name = name
        self.contactPoints = contactPoints
    }
}
