import NIOCore

/// Where a request goes that is about one partition.
public struct Route: Sendable {
    /// The token of the partition.
    let token: Int64
    /// The table of its keyspace in the ring of the pool.
    let table: Int
}

/// What a keyspace's routes have in common, remembered until the ring is another one.
public struct KeyspaceRoutes: Sendable {
    private var epoch: UInt64 = 0
    private var table: Int?

    /// Nothing is known yet.
    public init() {}

    /// Whether requests of a keyspace are worth a token in a pool.
    @inline(__always)
    public mutating func areKnown(of keyspace: @autoclosure () -> String?, in pool: UpstreamPool) -> Bool {
        if self.epoch != pool.routing.epoch {
            self.epoch = pool.routing.epoch
            self.table = keyspace().flatMap { pool.routing.table(of: $0) }
        }
        return self.table != nil
    }

    /// The route of a token, in the pool that was asked last.
    @inline(__always)
    public func route(_ token: Int64?) -> Route? {
        guard let token, let table = self.table else { return nil }
        return Route(token: token, table: table)
    }
}

/// What a pool knows for choosing the connection of a request by its token.
struct PoolRouting {
    /// Connections that are not used, to the node that they belong to.
    typealias Held = [NodeID: [UpstreamConnection]]

    fileprivate(set) var ring: ClusterRing?
    /// Another one whenever routes that were made before may be wrong, and the same in all pools in which they are right; 0 where
    /// no request is worth a token.
    fileprivate(set) var epoch: UInt64 = 0
    fileprivate(set) var connections = NodeConnections()
    fileprivate var turn = 0
    fileprivate var searches: [NodeID: ShardSearch] = [:]
    fileprivate var held: Held = [:]

    /// The table of a keyspace; nil where each node will do, or nobody knows better.
    fileprivate func table(of keyspace: String) -> Int? {
        guard let ring, let table = ring.table(of: keyspace) else { return nil }
        return self.connections.isSharded || !ring.tables[table].isUniform ? table : nil
    }

    fileprivate mutating func arrange(_ ready: [UpstreamConnection]) {
        let wasSharded = self.connections.isSharded
        self.connections = NodeConnections(ready, ring: self.ring)
        if self.connections.isSharded != wasSharded { self.renew() }
    }

    private mutating func renew() {
        let isSharded = self.connections.isSharded
        guard let ring, ring.tables.contains(where: { isSharded || !$0.isUniform }) else {
            self.epoch = 0
            return
        }
        self.epoch = ring.number << 1 | (isSharded ? 1 : 0)
    }

    fileprivate mutating func take(_ ring: ClusterRing?, _ ready: [UpstreamConnection]) {
        self.ring = ring
        self.connections = NodeConnections(ready, ring: ring)
        self.renew()
    }
}

extension UpstreamPool {
    /// Whether a token may tell more than that any node will do.
    @inline(__always)
    public var routesByToken: Bool { self.routing.epoch != 0 }

    /// A connection with room to a node that has the partition; nil where there is none at the moment, and any other will do.
    ///
    /// Nodes of the local rack come first, and among equals each in its turn.
    public func pick(_ route: Route, avoiding avoided: NodeID?) -> UpstreamConnection? {
        guard let ring = self.routing.ring, route.table < ring.tables.count else { return nil }
        self.routing.turn = (self.routing.turn &+ 1) & .max
        let turn = self.routing.turn
        return ring.tables[route.table].withReplicas(of: route.token) { near, nodes in
            self.pick(nodes, 0..<near, route.token, turn, avoiding: avoided)
                ?? self.pick(nodes, near..<nodes.count, route.token, turn, avoiding: avoided)
        }
    }

    @inline(__always)
    private func pick(
        _ nodes: UnsafeBufferPointer<UInt16>,
        _ equals: Range<Int>,
        _ token: Int64,
        _ turn: Int,
        avoiding avoided: NodeID?
    ) -> UpstreamConnection? {
        guard !equals.isEmpty else { return nil }
        var index = equals.lowerBound + turn % equals.count
        for _ in equals {
            let node = Int(nodes[index])
            let found = self.routing.connections.find(node: node, token: token, turn: turn)
            if let connection = found.connection, avoided == nil || connection.node != avoided {
                if let shard = found.missingShard { self.want(shard, like: connection) }
                return connection
            }
            index = index + 1 == equals.upperBound ? equals.lowerBound : index + 1
        }
        return nil
    }

    /// Follows the ring of the cluster.
    func update(ring: ClusterRing?) {
        guard !self.isClosed, self.routing.ring !== ring else { return }
        self.routing.take(ring, self.ready)
    }

    /// Follows its own ready connections.
    func arrange() { self.routing.arrange(self.ready) }

    // MARK: Shards

    /// Opens a connection to a shard that has none, where that is worth a try; requests do not wait for it.
    private func want(_ shard: Int, like sibling: UpstreamConnection) {
        guard let sharding = sibling.sharding else { return }
        let isTLS = self.cluster.configuration.tls != nil
        let port = isTLS ? sharding.portOfTLS : sharding.port
        let node = sibling.node
        let way = self.routing.searches[node, default: ShardSearch()]
            .wanted(shard, hasShardAwarePort: port != nil, now: .now())
        switch way {
        case .shardAwarePort: self.open(shard, port, like: sibling, tries: ShardSearch.portsTriedMax)
        case .usualPort: self.open(shard, nil, like: sibling, tries: 1)
        case nil: self.restSearches()
        }
    }

    /// Nothing can be opened now: requests do not ask again before something has changed, or a second is over.
    private func restSearches() {
        self.routing.connections.isSearching = false
        self.cluster.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) {
            self.routing.connections.isSearching = true
        }
    }

    private func open(_ shard: Int, _ port: Int?, like sibling: UpstreamConnection, tries: Int) {
        let node = sibling.node
        var path: ConnectionOpener.Path?
        if let port, let count = sibling.sharding?.count, let (local, remote) = sibling.addresses {
            var random = SystemRandomNumberGenerator()
            let source = ShardSearch.sourcePort(for: shard, of: count, using: &random)
            path = ConnectionOpener.Path(from: local, port: source, to: remote, port: port)
        }
        self.cluster.open(node, key: self.key, path: path) { connection, result in
            switch result {
            case .success:
                guard let connection, !self.isClosed, self.isWanted(node) else {
                    connection?.close()
                    return
                }
                self.opened(connection, for: shard)
            case .failure:
                if tries > 1, path != nil, !self.isClosed {
                    self.open(shard, port, like: sibling, tries: tries - 1)
                } else {
                    self.routing.searches[node]?.failed(for: shard, now: .now())
                }
            }
        }
    }

    private func opened(_ connection: UpstreamConnection, for shard: Int) {
        let node = connection.node
        let actual = connection.sharding?.shard
        let isNew = actual.map { !self.routing.connections.hasConnection(to: $0, of: node) } ?? false
        let count = connection.sharding?.count ?? 1
        let verdict = self.routing.searches[node]?
            .opened(for: shard, at: actual, isNew: isNew, of: count, now: .now())
        switch verdict {
        case .use:
            self.use(extra: connection)
            if self.routing.connections.missingShards(of: node) == 0 { self.letGoOfHeld(by: node) }
        case .hold:
            self.routing.held[node, default: []].append(connection)
        case .giveUp, nil:
            connection.close()
            self.letGoOfHeld(by: node)
        }
    }

    private func letGoOfHeld(by node: NodeID) {
        for connection in self.routing.held.removeValue(forKey: node) ?? [] { connection.close() }
    }

    /// Forgets the searches of nodes that are not wanted any more, and closes what was held for them.
    func endSearches(unless isWanted: (NodeID) -> Bool) {
        for node in self.routing.held.keys where !isWanted(node) { self.letGoOfHeld(by: node) }
        self.routing.searches = self.routing.searches.filter { isWanted($0.key) }
    }
}
