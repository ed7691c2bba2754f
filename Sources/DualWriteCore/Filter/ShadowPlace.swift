import CQLSyntax

/// A cluster that copies go to, and the modes by which it has what is written to a table.
public struct ShadowPlace: Sendable {
    /// What a cluster has of a write.
    enum Claim {
        /// All of it: it is the primary by now.
        case primary
        /// What the filter lets through.
        case shadow
        /// Nothing: the table has no shadow.
        case nothing
    }

    private let cluster: Cluster
    private let modes: TableModes

    /// A cluster under some modes.
    public init(_ cluster: Cluster, _ modes: TableModes) {
        self.cluster = cluster
        self.modes = modes
    }

    /// - Parameter keyspace: for names without one.
    func claim(on analysis: StatementAnalysis, keyspace: String?) -> Claim {
        let mode = self.modes.stage(keyspace: analysis.keyspace ?? keyspace, table: analysis.table).mode
        if mode.primary == self.cluster { return .primary }
        return mode.shadow == self.cluster ? .shadow : .nothing
    }
}
