public import CQLProtocol

/// What the connections of a pool have in common.
public struct SessionKey: Hashable, Sendable {
    /// Whose name they act under; nil: the cluster's configured credentials.
    public var credentials: Credentials?
    /// The keyspace that they use.
    public var keyspace: String?
    /// The protocol version of their handshake.
    public var version: ProtocolVersion

    /// A key of known parts.
    public init(credentials: Credentials? = nil, keyspace: String? = nil, version: ProtocolVersion = .v4) {
        self.credentials = credentials
        self.keyspace = keyspace
        self.version = version
    }
}
