public import CQLProtocol
public import NIOSSL

/// How an embedded node presents itself.
public struct EmbeddedNodeConfiguration: Sendable {
    /// How clients prove who they are.
    public enum Authentication: Sendable, Hashable {
        /// Everyone may do everything.
        case none
        /// Names with their passwords, as of Cassandra's `PasswordAuthenticator`.
        case password([String: String])
    }

    /// Shards, of which a node of ScyllaDB has as many as cores. Here they share everything; only clients see a difference.
    public struct Shards: Sendable, Hashable {
        /// How many.
        public var count: Int
        /// Leading bits of a token that do not count.
        public var ignoredBits = 12
        /// Whether there is a port on which the client's port decides about the shard.
        public var hasShardAwarePort = true

        /// So many shards.
        public init(count: Int) { self.count = count }
    }

    /// The cluster's name.
    public var clusterName = "embedded"
    /// The data center.
    public var dataCenter = "datacenter1"
    /// The rack.
    public var rack = "rack1"
    /// The version of Cassandra that the node says it is.
    public var releaseVersion = "4.1.6"
    /// The node's id; made of its address where it is `nil`.
    public var hostID: CQLUUID?
    /// Tokens of the node; made of its address where there are none.
    public var tokens: [Int64] = []
    /// The shards that the node tells of; nil: none, as on Cassandra.
    public var shards: Shards?
    /// How clients prove who they are.
    public var authentication = Authentication.none
    /// TLS toward clients; nil: plain connections.
    public var tls: NIOSSLContext?
    /// The longest frame body that is accepted, in bytes.
    public var frameLengthMax = FrameHeader.maximumBodyLength
    /// Prepared statements that are kept; beyond them the one that was used longest ago is forgotten.
    public var preparedMax = 10_000

    /// The defaults.
    public init() {}
}
