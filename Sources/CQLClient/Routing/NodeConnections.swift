/// The ready connections of a pool, by the number that the ring's tables give their node, and by the shard that they end at.
///
/// Made anew when a connection comes or goes, so that a request only looks up.
struct NodeConnections {
    private struct Place {
        var connections = 0..<0
        /// Where the connections of its shards are, in their order; empty where it has none.
        var shards = 0..<0
        var ignoredBits = 0
    }

    /// What is found for a token at a node.
    struct Found {
        var connection: UpstreamConnection?
        /// The shard that has the token, where no connection ends there.
        var missingShard: Int?
    }

    private var places: [Place] = []
    private var connections: [UpstreamConnection] = []
    private var ofShards: [UpstreamConnection?] = []
    /// A connection that the pool keeps: a request looks at several and counts none but the one that it takes.
    typealias Uncounted = Unmanaged<UpstreamConnection>
    /// All of them, in the order in which they became ready.
    private(set) var all: [Uncounted] = []
    /// Those to nodes of the local rack, where it is told from others.
    private(set) var near: [Uncounted] = []
    /// Whether a node has told of shards.
    private(set) var isSharded = false
    /// Whether shards without a connection are told.
    var isSearching = true

    init() {}

    init(_ ready: [UpstreamConnection], ring: ClusterRing?) {
        self.isSharded = ready.contains { $0.sharding != nil }
        self.all = ready.map { .passUnretained($0) }
        guard let ring else { return }
        if !ring.nearNodes.isEmpty {
            self.near = ready.filter { ring.nearNodes.contains($0.node) }.map { .passUnretained($0) }
        }
        let byNode = Dictionary(grouping: ready, by: \.node)
        for node in ring.nodes {
            var place = Place()
            let connections = byNode[node] ?? []
            place.connections = self.connections.count..<self.connections.count + connections.count
            self.connections += connections
            // A node that has begun anew may have other shards: the connection that was made last knows.
            if let sharding = connections.last(where: { $0.sharding != nil })?.sharding {
                place.ignoredBits = sharding.ignoredBits
                place.shards = self.ofShards.count..<self.ofShards.count + sharding.count
                self.ofShards += repeatElement(nil, count: sharding.count)
                for connection in connections where connection.sharding?.count == sharding.count {
                    guard let shard = connection.sharding?.shard else { continue }
                    self.ofShards[place.shards.lowerBound + shard] = connection
                }
            }
            self.places.append(place)
        }
    }

    /// A connection with room to a node, to the shard that has the token where there is one.
    @inline(__always)
    func find(node number: Int, token: Int64, turn: Int) -> Found {
        let place = self.places[number]
        guard !place.connections.isEmpty else { return Found() }
        var missing: Int?
        if !place.shards.isEmpty {
            let shard = Sharding.shard(of: token, count: place.shards.count, ignoredBits: place.ignoredBits)
            if let connection = self.ofShards[place.shards.lowerBound + shard] {
                if connection.hasRoom { return Found(connection: connection) }
            } else if self.isSearching {
                missing = shard
            }
        }
        var index = place.connections.lowerBound + turn % place.connections.count
        for _ in place.connections {
            let connection = self.connections[index]
            if connection.hasRoom { return Found(connection: connection, missingShard: missing) }
            index = index + 1 == place.connections.upperBound ? place.connections.lowerBound : index + 1
        }
        return Found()
    }

    /// Whether a connection ends at a shard of a node.
    func hasConnection(to shard: Int, of node: NodeID) -> Bool {
        self.ofShards.contains { $0?.node == node && $0?.sharding?.shard == shard }
    }

    /// How many shards of a node have no connection.
    func missingShards(of node: NodeID) -> Int {
        guard let connection = self.connections.last(where: { $0.node == node && $0.sharding != nil }),
            let sharding = connection.sharding
        else { return 0 }
        return sharding.count - self.ofShards.count { $0?.node == node }
    }
}
