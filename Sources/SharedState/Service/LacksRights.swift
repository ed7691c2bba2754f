public import DualWriteCore

/// A cluster does not let a replica keep the shared state in it.
public struct LacksRights: Error, Sendable, CustomStringConvertible {
    /// Which one.
    public let cluster: Cluster
    /// What it has said.
    public let reason: String

    /// What is the case.
    public var description: String {
        "the role of the \(self.cluster) cluster may not use or make keyspace cluster_sync there: \(self.reason)"
    }

    /// What an administrator can run there instead, a statement a line.
    ///
    /// - Parameter replication: of the keyspace, as a CQL map; nil: to be filled in.
    public static func instructions(replication: String?) -> [String] {
        ControlTables.instructions(replication: replication)
    }
}
