/// The rules by which Cassandra and ScyllaDB choose the nodes of a partition (`SimpleStrategy` and `NetworkTopologyStrategy`,
/// `calculateNaturalReplicas`): a walk along the ring from the partition's token on. Pure.
struct ReplicaPlacement {
    /// A node on the ring.
    struct Member {
        let datacenter: String?
        let rack: String?
        let tokens: [Int64]
    }

    /// The ring of some members: tokens in order, each with its owner.
    private struct Ring {
        var tokens: [Int64] = []
        var owners: [UInt16] = []

        init(_ members: [Member], where isIncluded: (Member) -> Bool) {
            var entries: [(token: Int64, owner: UInt16)] = []
            for (index, member) in members.enumerated() where isIncluded(member) {
                entries += member.tokens.map { ($0, UInt16(index)) }
            }
            entries.sort { $0 < $1 }
            // Two nodes with one token are a moment of a replacement.
            for entry in entries where entry.token != self.tokens.last {
                self.tokens.append(entry.token)
                self.owners.append(entry.owner)
            }
        }
    }

    /// No list is longer: enough for a request to find a replica that is up, and a bound for the memory.
    static var replicasMax: Int { 16 }

    private let members: [Member]
    private let local: String?
    private let rack: String?
    /// For each member its number among those of the local data centre; nil for others.
    private let localNumbers: [UInt16?]
    /// The racks of the nodes of the local data centre, by their numbers.
    private let localRacks: [String?]

    /// - Parameters:
    ///   - members: at most 65 535.
    ///   - local: the data centre whose nodes are wanted, numbered in the order of `members`.
    ///   - rack: the rack whose nodes come first.
    init(members: [Member], local: String?, rack: String?) {
        precondition(members.count <= Int(UInt16.max), "members have numbers of two bytes")
        self.members = members
        self.local = local
        self.rack = rack
        var count: UInt16 = 0
        self.localNumbers = members.map { member in
            guard member.datacenter == local else { return nil }
            defer { count += 1 }
            return count
        }
        self.localRacks = members.filter { $0.datacenter == local }.map(\.rack)
    }

    /// The nodes of all partitions of a replication; nil where the local data centre has none, or nobody can tell them.
    func table(_ replication: Replication) -> ReplicaTable? {
        switch replication {
        case .simple(let factor):
            let ring = Ring(self.members) { _ in true }
            return self.table(ring) { self.next($0, factor) }
        case .perDatacenter(let factors):
            guard let factor = self.local.flatMap({ factors[$0] }) else { return nil }
            // Whatever other data centres have makes no difference to this one.
            let ring = Ring(self.members) { $0.datacenter == self.local }
            let owners = Set(ring.owners)
            let racks = Set(owners.map { self.members[Int($0)].rack }).count
            let wanted = min(factor, owners.count)
            return self.table(ring) { self.next($0, wanted, repeats: factor - racks) }
        case .everywhere:
            return self.uniform(self.members.indices.compactMap { self.localNumbers[$0] })
        case .tablets, .untold:
            return nil
        }
    }

    /// The first nodes of a walk.
    private func next(_ walk: [UInt16], _ factor: Int) -> ArraySlice<UInt16> { walk.prefix(factor) }

    /// The first nodes of a walk that are in different racks, and as many of a rack that was there already as are still wanting.
    private func next(_ walk: [UInt16], _ wanted: Int, repeats: Int) -> ArraySlice<UInt16> {
        var (chosen, racks, repeats): ([UInt16], [String?], Int) = ([], [], repeats)
        for node in walk {
            guard chosen.count < wanted else { break }
            let rack = self.members[Int(node)].rack
            if !racks.contains(rack) {
                racks.append(rack)
            } else if repeats > 0 {
                repeats -= 1
            } else {
                continue
            }
            chosen.append(node)
        }
        return chosen[...]
    }

    private func table(_ ring: Ring, _ choose: (_ walk: [UInt16]) -> ArraySlice<UInt16>) -> ReplicaTable? {
        guard !ring.tokens.isEmpty else { return nil }
        var replicas: [(near: Int, nodes: [UInt16])] = []
        replicas.reserveCapacity(ring.tokens.count)
        // All nodes in the order in which a walk meets them. From one token to the one before, only that token's owner moves.
        var walk: [UInt16] = []
        for owner in ring.owners.reversed() { Self.moveToFront(owner, of: &walk) }
        for owner in ring.owners.reversed() {
            Self.moveToFront(owner, of: &walk)
            replicas.append(self.nearFirst(choose(walk).compactMap { self.localNumbers[Int($0)] }))
        }
        replicas.reverse()
        guard replicas.contains(where: { !$0.nodes.isEmpty }) else { return nil }
        if replicas.allSatisfy({ $0.nodes.count == self.localRacks.count }) { return self.uniform(replicas[0].nodes) }
        return ReplicaTable(
            tokens: ring.tokens,
            replicas: replicas.map { list in
                let nodes = Array(list.nodes.prefix(Self.replicasMax))
                return (near: min(list.near, nodes.count), nodes: nodes)
            }
        )
    }

    private static func moveToFront(_ owner: UInt16, of walk: inout [UInt16]) {
        if let index = walk.firstIndex(of: owner) { walk.remove(at: index) }
        walk.insert(owner, at: 0)
    }

    private func uniform(_ nodes: [UInt16]) -> ReplicaTable? {
        nodes.isEmpty ? nil : ReplicaTable(tokens: [], replicas: [self.nearFirst(nodes)])
    }

    private func nearFirst(_ nodes: [UInt16]) -> (near: Int, nodes: [UInt16]) {
        guard let rack = self.rack else { return (0, nodes) }
        let near = nodes.filter { self.localRacks[Int($0)] == rack }
        guard !near.isEmpty, near.count < nodes.count else { return (near.count, nodes) }
        return (near.count, near + nodes.filter { self.localRacks[Int($0)] != rack })
    }
}
