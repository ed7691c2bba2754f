import CQLProtocol
public import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A CQL node in memory: the protocol's versions 3 and 4 on a socket, in front of a store that other nodes may share.
///
/// It may be asked from any thread. It does not own its event loops.
public final class EmbeddedNode: Sendable {
    /// What the node says of itself.
    public let identity: NodeIdentity
    /// The port that it listens on.
    public var port: Int { Int(self.identity.endpoint.port) }

    /// The data, which other nodes may share.
    public let store: EmbeddedStore
    let configuration: EmbeddedNodeConfiguration
    private let listeners: [any Channel]
    private let state: Mutex<State>

    private struct State {
        var prepared: PreparedCache
        var authentication: EmbeddedNodeConfiguration.Authentication
        var faults = FaultRules()
        var statistics = NodeStatistics()
        var connections: [ObjectIdentifier: any Channel] = [:]
        /// Connections by shard.
        var shards: [Int: Int] = [:]
        var membership = 0
        var isStopped = false
    }

    private init(
        identity: NodeIdentity,
        store: EmbeddedStore,
        configuration: EmbeddedNodeConfiguration,
        listeners: [any Channel]
    ) {
        self.identity = identity
        self.store = store
        self.configuration = configuration
        self.listeners = listeners
        self.state = Mutex(
            State(
                prepared: PreparedCache(limit: configuration.preparedMax),
                authentication: configuration.authentication
            )
        )
    }

    /// Starts a node on an address and port; port 0 takes a free one.
    ///
    /// - Throws: The socket's error where the address cannot be bound.
    public static func start(
        on group: any EventLoopGroup,
        address: String = "127.0.0.1",
        port: Int = 0,
        store: EmbeddedStore = EmbeddedStore(),
        configuration: EmbeddedNodeConfiguration = EmbeddedNodeConfiguration()
    ) async throws -> EmbeddedNode {
        // Connections wait for the node that they belong to, which needs the port that it listens on.
        let promise = group.any().makePromise(of: EmbeddedNode.self)
        func listen(_ port: Int, _ shard: @escaping @Sendable (EmbeddedNode, any Channel) -> Int?) async throws
            -> any Channel
        {
            try await ServerBootstrap(group: group)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .serverChannelOption(.backlog, value: 1024)
                .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
                .childChannelInitializer { channel in
                    promise.futureResult.hop(to: channel.eventLoop).flatMapThrowing { node in
                        if let tls = configuration.tls {
                            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
                        }
                        let connection = NodeConnection(node: node, shard: shard(node, channel))
                        try channel.pipeline.syncOperations.addHandler(connection)
                    }
                }
                .bind(host: address, port: port).get()
        }
        do {
            let listener = try await listen(port) { node, _ in node.leastUsedShard }
            var shardAware: (any Channel)?
            if let shards = configuration.shards, shards.hasShardAwarePort {
                shardAware = try await listen(0) { node, client in
                    node.state.withLock { $0.statistics.shardAwareConnections += 1 }
                    return client.remoteAddress?.port.map { $0 % shards.count }
                }
            }
            guard let endpoint = listener.localAddress.flatMap({ InetEndpoint($0) }) else {
                throw ChannelError.unknownLocalAddress
            }
            let identity = Self.identity(endpoint, configuration)
            let node = EmbeddedNode(
                identity: identity,
                store: store,
                configuration: configuration,
                listeners: [listener] + [shardAware].compactMap { $0 }
            )
            let membership = store.join(identity) { [weak node] change in node?.tell(change) }
            node.state.withLock { $0.membership = membership }
            promise.succeed(node)
            return node
        } catch {
            promise.fail(error)
            throw error
        }
    }

    private static func identity(_ endpoint: InetEndpoint, _ configuration: EmbeddedNodeConfiguration) -> NodeIdentity {
        let name = endpoint.address.bytes.bytes + endpoint.port.bytes
        let digest = MD5.digest(name)
        let high = UInt64(bitPattern: Bytes(digest[..<8]).int64) & ~0xf000 | 0x4000
        let low = UInt64(bitPattern: Bytes(digest[8...]).int64) & ~(0b11 << 62) | 0b10 << 62
        let token = name.withUnsafeBytes { Murmur3Partitioner.token(of: $0) }
        return NodeIdentity(
            clusterName: configuration.clusterName,
            endpoint: endpoint,
            hostID: configuration.hostID ?? CQLUUID(high: high, low: low),
            dataCenter: configuration.dataCenter,
            rack: configuration.rack,
            releaseVersion: configuration.releaseVersion,
            tokens: configuration.tokens.isEmpty ? [token] : configuration.tokens
        )
    }

    // MARK: For tests and demonstrations

    /// Leaves the cluster: stops listening and closes all connections.
    public func stop() async {
        let channels = self.end { self.store.leave($0) }
        for channel in self.listeners + channels { try? await channel.close().get() }
    }

    /// Ends as a process that is killed: no connection is told, and the other nodes count it among their peers. One that starts
    /// with its address and port takes its place.
    public func kill() async {
        let channels = self.end { self.store.wentDown($0) }
        for channel in channels {
            // Lingering for no time makes the kernel reset the connection.
            try? await (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        }
        for channel in self.listeners + channels { try? await channel.close().get() }
    }

    /// Takes no more connections, tells the store, and returns the connections that stand.
    private func end(_ tell: (_ member: Int) -> Void) -> [any Channel] {
        let (channels, membership, wasRunning) = self.state.withLock { state in
            defer { state.isStopped = true }
            return (Array(state.connections.values), state.membership, !state.isStopped)
        }
        if wasRunning { tell(membership) }
        return channels
    }

    /// Closes all connections of clients; the node goes on listening.
    public func disconnectClients() async {
        for channel in self.state.withLock({ Array($0.connections.values) }) { try? await channel.close().get() }
    }

    /// Forgets all prepared statements, as a node that was restarted.
    public func forgetPrepared() { self.state.withLock { $0.prepared.removeAll() } }

    /// Changes who may connect from now on; connections that stand go on, as Cassandra's do.
    public func setAuthentication(_ authentication: EmbeddedNodeConfiguration.Authentication) {
        self.state.withLock { $0.authentication = authentication }
    }

    var authentication: EmbeddedNodeConfiguration.Authentication { self.state.withLock { $0.authentication } }

    /// Replaces the fault rules; `seed` makes the random ones repeatable.
    public func setFaults(_ rules: [FaultRule], seed: UInt64 = 1) {
        self.state.withLock { $0.faults = FaultRules(rules, seed: seed) }
    }

    /// What was counted so far.
    public var statistics: NodeStatistics { self.state.withLock { $0.statistics } }

    // MARK: For connections

    /// Takes a connection on; false where the node has stopped.
    func opened(_ channel: any Channel, shard: Int?) -> Bool {
        self.state.withLock { state in
            guard !state.isStopped else { return false }
            state.connections[ObjectIdentifier(channel)] = channel
            state.statistics.connections += 1
            if let shard { state.shards[shard, default: 0] += 1 }
            return true
        }
    }

    func closed(_ channel: any Channel, shard: Int?) {
        self.state.withLock { state in
            guard state.connections.removeValue(forKey: ObjectIdentifier(channel)) != nil, let shard else { return }
            state.shards[shard, default: 0] -= 1
        }
    }

    /// The shard that gets the next connection on the usual port; nil where there are none.
    private var leastUsedShard: Int? {
        guard let shards = self.configuration.shards else { return nil }
        return self.state.withLock { state in
            (0..<shards.count).min { state.shards[$0, default: 0] < state.shards[$1, default: 0] }
        }
    }

    /// What SUPPORTED says on a connection that ends at a shard (ScyllaDB's protocol extension "intranode sharding").
    func options(ofShard shard: Int) -> WireMap<[String]> {
        guard let shards = self.configuration.shards else { return [:] }
        var options: WireMap<[String]> = [
            "SCYLLA_SHARD": ["\(shard)"], "SCYLLA_NR_SHARDS": ["\(shards.count)"],
            "SCYLLA_PARTITIONER": [Murmur3Partitioner.className],
            "SCYLLA_SHARDING_ALGORITHM": ["biased-token-round-robin"],
            "SCYLLA_SHARDING_IGNORE_MSB": ["\(shards.ignoredBits)"],
        ]
        if shards.hasShardAwarePort, let port = self.listeners.last?.localAddress?.port {
            let key = self.configuration.tls == nil ? "SCYLLA_SHARD_AWARE_PORT" : "SCYLLA_SHARD_AWARE_PORT_SSL"
            options[key] = ["\(port)"]
        }
        return options
    }

    /// Counts a request and tells which fault it meets.
    func received(_ opcode: Opcode, text: String?, shard: Int?) -> FaultRule.Reaction? {
        self.state.withLock { state in
            state.statistics.requests[opcode, default: 0] += 1
            if let shard, opcode == .execute { state.statistics.executesByShard[shard, default: 0] += 1 }
            return state.faults.reaction(to: opcode, text: text)
        }
    }

    func refused() { self.state.withLock { $0.statistics.errors += 1 } }
    func keep(_ query: PreparedQuery, id: ByteBuffer) { self.state.withLock { $0.prepared.insert(query, id: id) } }
    func prepared(_ id: ByteBuffer) -> PreparedQuery? { self.state.withLock { $0.prepared.find(id) } }

    private func tell(_ change: SchemaChange) {
        self.state.withLock { $0.prepared.removeAffected(by: change) }
        for channel in self.state.withLock({ Array($0.connections.values) }) {
            channel.pipeline.fireUserInboundEventTriggered(change)
        }
    }
}

extension InetEndpoint {
    init?(_ address: SocketAddress) {
        guard let bytes = address.ipAddress.flatMap({ ValueType.inet($0) }), let inet = InetAddress(bytes.buffer),
            let port = address.port
        else { return nil }
        self.init(address: inet, port: Int32(port))
    }
}
