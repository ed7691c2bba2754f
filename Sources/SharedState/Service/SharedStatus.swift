public import DualWriteCore

/// What a replica knows of the others at one moment.
public struct SharedStatus: Sendable {
    /// The record that counts, as far as this replica knows.
    public var record: SharedRecord?
    /// The epoch in which it acts; nil before it has joined.
    public var applied: Int64?
    /// Its name.
    public var id: String
    /// A change that is on its way.
    public var proposal: Proposal?
    /// All replicas that the clusters know of.
    public var replicas = Replicas()
    /// The clusters that have control state.
    public var clusters: [Cluster]
    /// Why a cluster's control state could not be read in the last round.
    public var faults: [Cluster: String] = [:]
    /// Of these the clusters that have answered, and refused.
    public var refusing: Set<Cluster> = []
    /// Why this replica must not act; nil while it may.
    public var lapse: String?
    /// How often it could not, since the start.
    public var failures = PerCluster(both: 0)

    /// Replicas that live and do not act in the record's epoch yet.
    public var behind: [ReplicaEntry] { self.replicas.live.filter { $0.applied ?? -1 < self.record?.epoch ?? -1 } }

    /// Nothing is known yet.
    public init(id: String, clusters: [Cluster] = Cluster.allCases) {
        self.id = id
        self.clusters = clusters
    }
}
