public import CQLProtocol

/// What a node has counted since it started.
public struct NodeStatistics: Sendable, Hashable {
    /// Connections that were accepted.
    public var connections = 0
    /// Requests by opcode.
    public var requests: [Opcode: Int] = [:]
    /// Of these, those on the port where the client's port decides about the shard.
    public var shardAwareConnections = 0
    /// EXECUTE requests by the shard at which their connection ends, where the node has shards.
    public var executesByShard: [Int: Int] = [:]
    /// Requests that were answered with an error, faults included.
    public var errors = 0
}
