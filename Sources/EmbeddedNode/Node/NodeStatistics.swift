public import CQLProtocol

/// What a node has counted since it started.
public struct NodeStatistics: Sendable, Hashable {
    /// Connections that were accepted.
    public var connections = 0
    /// Requests by opcode.
    public var requests: [Opcode: Int] = [:]
    /// Requests that were answered with an error, faults included.
    public var errors = 0
}
