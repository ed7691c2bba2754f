import CQLProtocol
import Logging
public import NIOCore

/// Connections to the nodes of one cluster's local data centre, under one name, in one keyspace, on one event loop.
///
/// Bound to its loop. Each node has ``ClusterConfiguration/connectionsPerNode`` connections; a node that fails is tried again
/// with growing pauses. An answer that trying again cannot change (wrong password, unknown keyspace) closes the pool, once no
/// connection is left in it.
public final class UpstreamPool {
    private struct Slot {
        var node: NodeID
        var connection: UpstreamConnection?
        var isConnecting = false
        var failures = 0
    }

    private struct Retiring {
        let connection: UpstreamConnection
        let deadline: NIODeadline
    }

    private struct Waiter {
        let deadline: NIODeadline
        let id: Int
        let callback: (Result<Void, UpstreamError>) -> Void
    }

    let key: SessionKey
    let cluster: LoopCluster
    private var slots: [Slot] = []
    /// Connections to single shards, besides those of the slots.
    private var extras: [UpstreamConnection] = []
    private(set) var ready: [UpstreamConnection] = [] {
        didSet { self.arrange() }
    }
    var routing = PoolRouting()
    /// Connections to nodes that are not wanted any more; each closes when its last answer has come.
    private var retiring: [Retiring] = []
    private var next = 0
    private var waiters: [Waiter] = []
    private var waitersSeen = 0
    private var lastError: UpstreamError?
    private var verifiedAt = NIODeadline.uptimeNanoseconds(0)
    private var verifiers: [(Result<Void, UpstreamError>) -> Void] = []
    private var refusedAt: NIODeadline?
    /// Whether the pool was given up; a new one may be asked for.
    public private(set) var isClosed = false

    init(key: SessionKey, cluster: LoopCluster) {
        self.key = key
        self.cluster = cluster
    }

    /// Whether the cluster has refused the pool so lately that asking again is too early.
    var isRefused: Bool {
        let pause = self.cluster.configuration.refusalMilliseconds
        return self.refusedAt.map { NIODeadline.now() < $0 + .milliseconds(Int64(pause)) } ?? false
    }
    /// Whether a connection is ready.
    public var isReady: Bool { !self.ready.isEmpty }
    /// Ready connections.
    public var connectionCount: Int { self.ready.count }
    /// Nodes with a ready connection.
    var connectedNodes: Set<NodeID> { Set(self.ready.map(\.node)) }
    var isIdle: Bool {
        self.waiters.isEmpty && self.retiring.isEmpty && self.ready.allSatisfy { $0.inFlight == 0 }
    }

    /// A connection with room, round robin, in the local rack where it can be; on another node than `avoided` where there is one.
    ///
    /// It is not counted: the pool keeps it until a connection ends, which no call of the caller's brings about at once.
    public func pick(avoiding avoided: NodeID?) -> Unmanaged<UpstreamConnection>? {
        var fallback: NodeConnections.Uncounted?
        let found =
            self.pick(self.routing.connections.near, avoiding: avoided, &fallback)
            ?? self.pick(self.routing.connections.all, avoiding: avoided, &fallback)
        return found ?? fallback
    }

    @inline(__always)
    private func pick(
        _ connections: [NodeConnections.Uncounted],
        avoiding avoided: NodeID?,
        _ fallback: inout NodeConnections.Uncounted?
    ) -> NodeConnections.Uncounted? {
        let count = connections.count
        for _ in 0..<count {
            self.next = self.next + 1 >= count ? 0 : self.next + 1
            let connection = connections[self.next]
            guard connection._withUnsafeGuaranteedRef({ $0.hasRoom }) else { continue }
            if let avoided, connection._withUnsafeGuaranteedRef({ $0.node == avoided }) {
                fallback = connection
                continue
            }
            return connection
        }
        return nil
    }

    /// A ready connection to one node; nil where there is none at the moment.
    public func connection(to node: NodeID) -> UpstreamConnection? { self.ready.first { $0.node == node } }

    /// Calls back as soon as a connection is ready, at once where one is; or with the reason when the deadline has passed or
    /// waiting is pointless.
    public func whenReady(deadline: NIODeadline, _ callback: @escaping (Result<Void, UpstreamError>) -> Void) {
        if self.isReady { return callback(.success(())) }
        if self.isClosed { return callback(.failure(self.lastError ?? UpstreamError(.closed, "the pool is closed"))) }
        self.waitersSeen += 1
        let id = self.waitersSeen
        self.waiters.append(Waiter(deadline: deadline, id: id, callback: callback))
        if self.waiters.count == 1 { self.scheduleExpiry() }
    }

    /// Calls back when the cluster has accepted the pool's credentials lately: at once after a handshake of the last moments
    /// (``ClusterConfiguration/credentialsValidMilliseconds``), else after one more. What stands in the pool goes on, whatever
    /// the answer is, as connections to a cluster outlive a change of the password.
    public func verify(deadline: NIODeadline, _ callback: @escaping (Result<Void, UpstreamError>) -> Void) {
        let validity = TimeAmount.milliseconds(Int64(self.cluster.configuration.credentialsValidMilliseconds))
        guard let node = self.ready.first?.node, self.key.credentials != nil,
            NIODeadline.now() > self.verifiedAt + validity
        else { return self.whenReady(deadline: deadline, callback) }
        self.verifiers.append(callback)
        guard self.verifiers.count == 1 else { return }
        self.cluster.open(node, key: self.key) { connection, result in
            connection?.close()
            if case .success = result { self.verifiedAt = .now() }
            let verifiers = self.verifiers
            self.verifiers = []
            for verifier in verifiers { verifier(result) }
        }
    }

    private func scheduleExpiry() {
        guard let earliest = self.waiters.map(\.deadline).min() else { return }
        self.cluster.eventLoop.assumeIsolated().scheduleTask(deadline: earliest) { self.expireWaiters() }
    }

    private func expireWaiters() {
        let now = NIODeadline.now()
        let expired = self.waiters.filter { $0.deadline <= now }
        self.waiters.removeAll { $0.deadline <= now }
        let error = self.lastError ?? UpstreamError(.timeout, "no connection to \(self.cluster.configuration.name) yet")
        for waiter in expired { waiter.callback(.failure(error)) }
        self.scheduleExpiry()
    }

    private func tellWaiters(_ result: Result<Void, UpstreamError>) {
        let waiters = self.waiters
        self.waiters = []
        for waiter in waiters { waiter.callback(result) }
    }

    // MARK: Nodes

    /// Sets the nodes to be connected to. What is on its way to a node that is left out still gets its answer.
    func update(nodes: [NodeID]) {
        guard !self.isClosed else { return }
        let leaving =
            self.slots.filter { !nodes.contains($0.node) }.compactMap(\.connection)
            + self.extras.filter { !nodes.contains($0.node) }
        self.slots.removeAll { !nodes.contains($0.node) }
        self.extras.removeAll { !nodes.contains($0.node) }
        self.endSearches { nodes.contains($0) }
        self.retire(leaving)
        for node in nodes where !self.slots.contains(where: { $0.node == node }) {
            for _ in 0..<max(1, self.cluster.configuration.connectionsPerNode) { self.slots.append(Slot(node: node)) }
        }
        for index in self.slots.indices { self.connect(index) }
    }

    private func retire(_ connections: [UpstreamConnection]) {
        guard !connections.isEmpty else { return }
        let limit = self.cluster.configuration.retirementMillisecondsMax
        let deadline = NIODeadline.now() + .milliseconds(Int64(limit))
        self.retiring += connections.map { Retiring(connection: $0, deadline: deadline) }
        self.takeNoMoreFromRetiring()
        if self.retiring.count == connections.count { self.closeRetired() }
    }

    /// New requests go to the nodes that stay; while none of them is connected yet, to those that leave.
    private func takeNoMoreFromRetiring() {
        let staying = self.ready.filter { connection in !self.retiring.contains { $0.connection === connection } }
        guard !staying.isEmpty || self.slots.isEmpty else { return }
        self.ready = staying
        self.next = 0
    }

    private func closeRetired() {
        let now = NIODeadline.now()
        let done = self.retiring.filter { retired in
            retired.deadline <= now
                || retired.connection.inFlight == 0 && !self.ready.contains { $0 === retired.connection }
        }
        for retired in done { retired.connection.close() }
        guard !self.retiring.isEmpty else { return }
        self.cluster.eventLoop.assumeIsolated().scheduleTask(in: Self.retirementInterval) { self.closeRetired() }
    }

    /// A refusal is as good as so many failures: it does not pass by itself.
    private static var failuresOfRefused: Int { 17 }

    /// Connections that retire are looked at this often.
    private static var retirementInterval: TimeAmount { .milliseconds(50) }

    private func connect(_ index: Int) {
        guard !self.isClosed, self.slots[index].connection == nil, !self.slots[index].isConnecting else { return }
        self.slots[index].isConnecting = true
        let node = self.slots[index].node
        self.cluster.open(node, key: self.key) { connection, result in
            self.opened(node, connection, result)
        }
    }

    private func opened(_ node: NodeID, _ connection: UpstreamConnection?, _ result: Result<Void, UpstreamError>) {
        let index = self.slots.firstIndex { $0.node == node && $0.isConnecting }
        switch result {
        case .success:
            guard let index, let connection, !self.isClosed else {
                connection?.close()
                return
            }
            self.slots[index].isConnecting = false
            self.slots[index].failures = 0
            self.slots[index].connection = connection
            self.verifiedAt = .now()
            self.use(connection)
            self.lastError = nil
            self.tellWaiters(.success(()))
        case .failure(let error):
            self.lastError = error
            guard let index, !self.isClosed else { return }
            self.slots[index].isConnecting = false
            self.slots[index].failures += 1
            if error.isFinal, self.ready.isEmpty {
                self.refusedAt = .now()
                self.close(error)
            } else {
                // What stands goes on with what it was let in with, as long as one connection does.
                self.retry(node, failures: error.isFinal ? Self.failuresOfRefused : self.slots[index].failures)
            }
        }
    }

    private func use(_ connection: UpstreamConnection) {
        self.ready.append(connection)
        self.takeNoMoreFromRetiring()
        connection.closed = { self.lost($0) }
    }

    /// Takes a connection to a single shard. When it is lost, a request that wants the shard has another one made.
    func use(extra connection: UpstreamConnection) {
        self.extras.append(connection)
        self.use(connection)
    }

    /// Whether connections to a node are kept.
    func isWanted(_ node: NodeID) -> Bool { self.slots.contains { $0.node == node } }

    private func lost(_ connection: UpstreamConnection) {
        self.ready.removeAll { $0 === connection }
        self.extras.removeAll { $0 === connection }
        self.retiring.removeAll { $0.connection === connection }
        self.next = 0
        guard let index = self.slots.firstIndex(where: { $0.connection === connection }) else { return }
        self.slots[index].connection = nil
        self.slots[index].failures = 1
        self.retry(connection.node, failures: 1)
    }

    private func retry(_ node: NodeID, failures: Int) {
        let configuration = self.cluster.configuration
        let pause = min(
            configuration.reconnectMillisecondsMax,
            configuration.reconnectMillisecondsMin << min(failures - 1, 16)
        )
        // Spread, so that all loops and pools of a sidecar do not come at once.
        let spread = pause / 2 + Int.random(in: 0...max(1, pause / 2))
        self.cluster.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(spread))) {
            for index in self.slots.indices where self.slots[index].node == node { self.connect(index) }
        }
    }

    /// Closes all connections; who waits gets the reason.
    func close(_ reason: UpstreamError) {
        guard !self.isClosed else { return }
        self.isClosed = true
        self.lastError = reason
        let connections = self.slots.compactMap(\.connection) + self.extras + self.retiring.map(\.connection)
        self.endSearches { _ in false }
        self.slots = []
        self.extras = []
        self.ready = []
        self.retiring = []
        self.tellWaiters(.failure(reason))
        for connection in connections { connection.close() }
    }
}
