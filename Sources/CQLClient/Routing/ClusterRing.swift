import CQLProtocol

/// Which nodes of the local data centre have which partitions, for all keyspaces of a cluster at one moment.
///
/// Immutable and shared by all event loops. Keyspaces that place their partitions in the same way share a table, so that its
/// size grows with the tokens (20 to 50 bytes for each) and not with the keyspaces.
public final class ClusterRing: Sendable {
    /// All that a ring is made from; another ring is needed only where this is another one.
    struct Source: Equatable {
        var nodes: [ClusterTopology.Node]
        /// The class of the partitioner.
        var partitioner: String?
        /// By keyspace.
        var replications: [String: Replication]
        /// The data centre whose nodes are used.
        var datacenter: String?
        /// The rack whose nodes come first.
        var rack: String?
    }

    /// Why requests are not, or not all, sent to the nodes that have their data.
    struct Complaint: Hashable, CustomStringConvertible {
        let description: String
    }

    /// Tokens of all nodes; 4 000 nodes with 256 each.
    static var tokensMax: Int { 1 << 20 }
    /// Different ways to place partitions; keyspaces beyond have their requests spread over all nodes.
    static var tablesMax: Int { 32 }

    /// Nobody else in the process has it; never 0.
    let number = RingNumber.next()
    let source: Source
    /// The nodes of the local data centre, by the numbers that tables give them.
    let nodes: [NodeID]
    /// Those of the local rack, where some are in it and some are not; else none.
    let nearNodes: Set<NodeID>
    let tables: [ReplicaTable]
    private let tableOfKeyspace: [String: Int]

    /// The table of a keyspace; nil where nobody can tell where its partitions are.
    func table(of keyspace: String) -> Int? { self.tableOfKeyspace[keyspace] }

    /// A ring, and what an operator should know about it.
    init(_ source: Source, complain: (Complaint) -> Void) {
        self.source = source
        var seen: Set<NodeID> = []
        let nodes = source.nodes.filter { seen.insert($0.id).inserted }
        let local = nodes.filter { $0.datacenter == source.datacenter }
        self.nodes = local.map(\.id)
        let near = source.rack.map { rack in local.filter { $0.rack == rack } } ?? []
        if let rack = source.rack, near.isEmpty {
            complain(Complaint(description: "no node of the local data centre is in the local rack \(rack)"))
        }
        self.nearNodes = near.count < local.count ? Set(near.map(\.id)) : []
        guard let placement = Self.placement(source, nodes, complain) else {
            (self.tables, self.tableOfKeyspace) = ([], [:])
            return
        }
        if source.replications.values.contains(.tablets) {
            complain(Complaint(description: "there are keyspaces with tablets, whose places the ring does not tell"))
        }
        var made: [Replication: Int?] = [:]
        var tables: [ReplicaTable] = []
        var tableOfKeyspace: [String: Int] = [:]
        for (keyspace, replication) in source.replications.sorted(by: { $0.key < $1.key }) {
            let effective = replication.seen(from: source.datacenter)
            if made[effective] == nil {
                if tables.count < Self.tablesMax, let table = placement.table(effective) {
                    tables.append(table)
                    made[effective] = .some(tables.count - 1)
                } else {
                    if tables.count == Self.tablesMax {
                        complain(Complaint(description: "too many kinds of replication"))
                    }
                    made[effective] = .some(nil)
                }
            }
            if let table = made[effective] ?? nil { tableOfKeyspace[keyspace] = table }
        }
        self.tables = tables
        self.tableOfKeyspace = tableOfKeyspace
    }

    private static func placement(
        _ source: Source,
        _ nodes: [ClusterTopology.Node],
        _ complain: (Complaint) -> Void
    ) -> ReplicaPlacement? {
        let partitioner = source.partitioner ?? "unknown"
        guard partitioner == Murmur3Partitioner.className else {
            complain(Complaint(description: "the partitioner is \(partitioner)"))
            return nil
        }
        guard nodes.count < Int(UInt16.max), nodes.reduce(0, { $0 + $1.tokens.count }) <= Self.tokensMax else {
            complain(Complaint(description: "the ring has too many nodes or tokens"))
            return nil
        }
        let members = nodes.map { node in
            ReplicaPlacement.Member(
                datacenter: node.datacenter,
                rack: node.rack,
                tokens: node.tokens.compactMap { Int64($0) }
            )
        }
        guard zip(members, nodes).allSatisfy({ $0.tokens.count == $1.tokens.count }) else {
            complain(Complaint(description: "a node has tokens that are none of \(Murmur3Partitioner.className)"))
            return nil
        }
        return ReplicaPlacement(members: members, local: source.datacenter, rack: source.rack)
    }
}

extension Replication {
    /// Without what makes no difference to a data centre, so that keyspaces which differ elsewhere share a table.
    fileprivate func seen(from datacenter: String?) -> Replication {
        guard case .perDatacenter(let factors) = self else { return self }
        return .perDatacenter(factors.filter { $0.key == datacenter })
    }
}
