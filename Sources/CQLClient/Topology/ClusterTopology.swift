public import CQLProtocol

/// What a cluster says about itself at one moment; an immutable snapshot.
public final class ClusterTopology: Sendable {
    /// One node.
    public struct Node: Sendable, Hashable {
        /// Where it speaks CQL.
        public let id: NodeID
        /// Its identity within every cluster that there is, where its table tells it.
        public let hostID: CQLUUID?
        /// Its data centre.
        public let datacenter: String?
        /// Its rack.
        public let rack: String?
        /// Its release version.
        public let releaseVersion: String?
        /// Its tokens, as text.
        public let tokens: [String]
    }

    /// All nodes, the one that told this first.
    public let nodes: [Node]
    /// The node's own row of `system.local`, all columns.
    public let local: Row
    /// The columns of `system.peers`.
    public let peersColumns: [ColumnSpec]
    /// The columns of `system.peers_v2`, where the cluster has it.
    public let peersV2Columns: [ColumnSpec]?
    /// Its tables; nil where it does not tell them, as Cassandra before 3.0.
    public let schema: ClusterSchema?
    /// The class name of the cluster's authenticator, where it asks for credentials.
    public let authenticator: String?
    /// Where partitions are.
    let ring: ClusterRing

    init(
        nodes: [Node],
        local: Row,
        peersColumns: [ColumnSpec],
        peersV2Columns: [ColumnSpec]?,
        schema: ClusterSchema?,
        authenticator: String?,
        ring: ClusterRing
    ) {
        self.nodes = nodes
        self.local = local
        self.peersColumns = peersColumns
        self.peersV2Columns = peersV2Columns
        self.schema = schema
        self.authenticator = authenticator
        self.ring = ring
    }

    /// The release version of the node that told this.
    public var releaseVersion: String? { self.nodes.first?.releaseVersion }

    /// Whether both describe one cluster, because they have a host in common; nil where one of them names no host.
    public func isSameCluster(as other: ClusterTopology) -> Bool? {
        let mine = Set(self.nodes.compactMap(\.hostID))
        let others = Set(other.nodes.compactMap(\.hostID))
        return mine.isEmpty || others.isEmpty ? nil : !mine.isDisjoint(with: others)
    }

    /// The nodes of a data centre; of the first node's where none is wanted.
    public func nodes(in datacenter: String?) -> [Node] {
        let wanted = datacenter ?? self.nodes.first?.datacenter
        return self.nodes.filter { $0.datacenter == wanted }
    }
}
