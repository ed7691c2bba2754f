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
