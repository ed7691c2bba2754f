import CQLProtocol
public import Logging
public import NIOCore
import NIOPosix

/// All pools of one cluster on one event loop. Bound to its loop.
public final class LoopCluster {
    /// How the cluster is reached.
    public let configuration: ClusterConfiguration
    let eventLoop: any EventLoop
    /// Held until ``shutdown()``.
    private var delegate: (any UpstreamDelegate)?
    private let logger: Logger
    private var pools: [SessionKey: UpstreamPool] = [:]
    private var nodes: [NodeID] = []
    private var ring: ClusterRing?
    private var isShutDown = false
    private var loginChecks = 0

    /// A cluster without connections; pools open theirs once the topology is known. ``shutdown()`` must end it, or it keeps its
    /// delegate for ever.
    public init(
        configuration: ClusterConfiguration,
        eventLoop: any EventLoop,
        delegate: any UpstreamDelegate,
        logger: Logger
    ) {
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.delegate = delegate
        self.logger = logger
    }

    /// The pool of a key, made where there is none; nil where ``ClusterConfiguration/poolsMax`` pools are in use.
    public func pool(for key: SessionKey) -> UpstreamPool? {
        // What was refused a moment ago is not asked for again and again: who wants it gets the same refusal.
        if let pool = self.pools[key], !pool.isClosed || pool.isRefused { return pool }
        guard !self.isShutDown else { return nil }
        self.pools = self.pools.filter { !$0.value.isClosed || $0.value.isRefused }
        if self.pools.count(where: { !$0.value.isClosed }) >= self.configuration.poolsMax {
            guard let idle = self.pools.first(where: { !$0.value.isClosed && $0.value.isIdle }) else { return nil }
            idle.value.close(UpstreamError(.closed, "closed in favour of another pool"))
            self.pools[idle.key] = nil
        }
        let pool = UpstreamPool(key: key, cluster: self)
        self.pools[key] = pool
        pool.update(nodes: self.nodes)
        pool.update(ring: self.ring)
        return pool
    }

    /// Calls back when the cluster has accepted a key's credentials or refused them. Nothing is opened for good, and no pool
    /// gives way, for a key that the cluster does not accept.
    public func verify(
        _ key: SessionKey,
        deadline: NIODeadline,
        _ callback: @escaping (Result<Void, UpstreamError>) -> Void
    ) {
        if let pool = self.pools[key], !pool.isClosed { return pool.verify(deadline: deadline, callback) }
        guard self.loginChecks < self.configuration.loginChecksMax else {
            return callback(.failure(UpstreamError(.timeout, "too many logins are being checked")))
        }
        self.loginChecks += 1
        self.check(key, on: self.nodes.shuffled()[...], deadline: deadline) { result in
            self.loginChecks -= 1
            callback(result)
        }
    }

    /// Asks one node after the other, until one has said yes or no.
    private func check(
        _ key: SessionKey,
        on nodes: ArraySlice<NodeID>,
        deadline: NIODeadline,
        _ callback: @escaping (Result<Void, UpstreamError>) -> Void
    ) {
        guard let node = nodes.first, !self.isShutDown else {
            return callback(.failure(UpstreamError(.unreachable, "no node of \(self.configuration.name) is known")))
        }
        self.open(node, key: key) { connection, result in
            connection?.close()
            if case .failure(let error) = result, !error.isFinal, nodes.count > 1, NIODeadline.now() < deadline {
                self.check(key, on: nodes.dropFirst(), deadline: deadline, callback)
            } else {
                callback(result)
            }
        }
    }

    /// Follows the cluster's own view of its nodes.
    public func update(topology: ClusterTopology) {
        guard !self.isShutDown else { return }
        self.nodes = topology.nodes(in: self.configuration.localDatacenter).map(\.id)
        self.ring = topology.ring
        for pool in self.pools.values {
            pool.update(nodes: self.nodes)
            pool.update(ring: self.ring)
        }
    }

    /// Closes the pools of other keys than these, where nothing is on its way in them.
    public func closePools(unless isUsed: (SessionKey) -> Bool) {
        for (key, pool) in self.pools where !isUsed(key) && pool.isIdle {
            pool.close(UpstreamError(.closed, "nobody uses it"))
            self.pools[key] = nil
        }
    }

    /// Gives the cluster up: no new requests, and each connection closes when its last answer has come. Follow it with
    /// ``shutdown()`` when ``isDrained``.
    public func retire() {
        self.isShutDown = true
        for pool in self.pools.values { pool.update(nodes: []) }
    }

    /// Whether nothing is on its way any more.
    public var isDrained: Bool { self.pools.values.allSatisfy(\.isIdle) }

    /// Closes everything.
    public func shutdown() {
        self.isShutDown = true
        for pool in self.pools.values { pool.close(UpstreamError(.closed, "shutting down")) }
        self.pools = [:]
        self.delegate = nil
    }

    /// Ready connections over all pools.
    public var connectionCount: Int { self.pools.values.reduce(0) { $0 + $1.connectionCount } }

    /// Nodes with a ready connection in some pool.
    public var connectedNodes: Set<NodeID> { self.pools.values.reduce(into: []) { $0.formUnion($1.connectedNodes) } }

    /// Asks each node with a ready connection for a sign of life: of its connections the one on which nothing has come for the
    /// longest, as a path that lets no idle connection through is no use.
    public func askNodes(deadline: NIODeadline) -> EventLoopFuture<[NodeID: SignOfLife]> {
        var asked: [NodeID: UpstreamConnection] = [:]
        for connection in self.pools.values.lazy.flatMap(\.ready) {
            if let other = asked[connection.node], other.lastInbound <= connection.lastInbound { continue }
            asked[connection.node] = connection
        }
        let answers = asked.map { node, connection in
            let answer = self.eventLoop.makePromise(of: (NodeID, SignOfLife).self)
            connection.ask(deadline: deadline) { answer.succeed((node, $0)) }
            return answer.futureResult
        }
        return EventLoopFuture.whenAllSucceed(answers, on: self.eventLoop)
            .map { Dictionary($0, uniquingKeysWith: { $1 }) }
    }

    /// Opens one connection. The one place where sockets of the data path are made.
    ///
    /// - Parameter path: between which ports, where that is not indifferent.
    func open(
        _ node: NodeID,
        key: SessionKey,
        path: ConnectionOpener.Path? = nil,
        _ opened: @escaping (UpstreamConnection?, Result<Void, UpstreamError>) -> Void
    ) {
        guard let delegate else { return }
        // The connection is handed out with its result, which can only come after it was made.
        var made: UpstreamConnection?
        let connection = UpstreamConnection(
            node: node,
            version: key.version,
            credentials: key.credentials ?? self.configuration.credentials?.current,
            keyspace: key.keyspace,
            configuration: self.configuration,
            delegate: delegate,
            logger: self.logger
        ) { result in
            opened(made, result)
            made = nil
        }
        made = connection
        ConnectionOpener.open(connection, on: self.eventLoop, configuration: self.configuration, path: path)
    }
}

/// Sockets toward clusters, with all their options in one place.
enum ConnectionOpener {
    /// The addresses of both ends.
    struct Path {
        private(set) var local: SocketAddress
        private(set) var remote: SocketAddress

        /// The addresses of a connection that stands, with other ports.
        init(from local: SocketAddress, port localPort: Int, to remote: SocketAddress, port remotePort: Int) {
            (self.local, self.remote) = (local, remote)
            self.local.port = localPort
            self.remote.port = remotePort
        }
    }

    static func open(
        _ connection: UpstreamConnection,
        on eventLoop: any EventLoop,
        configuration: ClusterConfiguration,
        path: Path? = nil
    ) {
        let bound = NIOLoopBound(connection, eventLoop: eventLoop)
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(.milliseconds(Int64(configuration.connectTimeoutMilliseconds)))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.maxMessagesPerRead, value: 4)
            .channelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 1_024, initial: 16_384, maximum: 65_536)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try KeepAlive.start(on: channel)
                    try configuration.tls?.secure(channel, host: bound.value.node.host)
                    try channel.pipeline.syncOperations.addHandler(bound.value)
                }
            }
        let connected =
            if let path {
                // A port from which a connection was just closed may be taken again.
                bootstrap.channelOption(.socketOption(.so_reuseaddr), value: 1)
                    .bind(to: path.local).connect(to: path.remote)
            } else {
                bootstrap.connect(host: connection.node.host, port: connection.node.port)
            }
        connected.assumeIsolated()
            .whenComplete { result in
                switch result {
                case .success:
                    eventLoop.assumeIsolated().scheduleTask(
                        in: .milliseconds(Int64(configuration.handshakeTimeoutMilliseconds))
                    ) {
                        bound.value.handshakeDeadlinePassed()
                    }
                case .failure(let error):
                    bound.value.failedToConnect(error)
                }
            }
    }
}
