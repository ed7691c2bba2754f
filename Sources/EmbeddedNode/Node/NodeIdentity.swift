public import CQLProtocol

/// What a node says of itself in `system.local`, and of the others of its cluster in `system.peers`.
public struct NodeIdentity: Sendable, Hashable {
    /// The cluster's name.
    public var clusterName: String
    /// The address and port that clients connect to.
    public var endpoint: InetEndpoint
    /// Version 4 UUID of the node.
    public var hostID: CQLUUID
    /// The data center.
    public var dataCenter: String
    /// The rack.
    public var rack: String
    /// Cassandra's version that the node says it is.
    public var releaseVersion: String
    /// Tokens of the Murmur3 partitioner that the node owns.
    public var tokens: [Int64]

    /// The first number of its version; 0 where it does not begin with one.
    var majorVersion: Int { Int(self.releaseVersion.prefix { $0 != "." }) ?? 0 }
}
