public import CQLProtocol
public import Logging
public import NIOCore
import Synchronization

/// Watches one cluster over a control connection: who its nodes are, what its `system.local` says, which schema changes it
/// announces. One per cluster and process.
///
/// Thread-safe. It never gives up: when its node goes away it goes to the next one, with growing pauses when none answers.
/// It stays with the cluster that it has reached first: a contact point that belongs to another one is as good as lost.
public final class ClusterMonitor: Sendable {
    /// What the monitor tells.
    public enum Notice: Sendable {
        /// The cluster as it is now; told at every (re)connect and whenever something may have changed.
        case topology(ClusterTopology)
        /// A schema change that the cluster announced.
        case schemaChange(SchemaChange)
        /// The connection is lost, or could not be made.
        case lost(UpstreamError)
    }

    private enum Signal: Sendable {
        case event(EventMessage)
        case refresh
        case closed
    }

    private struct State {
        var isConnected = false
        var lastError: UpstreamError?
        /// The connection, while it stands.
        var control: NIOLoopBound<ControlConnection>?
        var known: [NodeID] = []
        var topology: ClusterTopology?
        /// How far the clock of the connection's node is from this machine's; nil where it does not tell.
        var clock: ClockReading?
        /// Schema changes that were told and that the topology's schema may not show yet.
        var toldSinceSchema: [SchemaChange] = []
        /// What was said of the ring already.
        var complaints: Set<ClusterRing.Complaint> = []
    }

    private let configuration: ClusterConfiguration
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let notify: @Sendable (Notice) -> Void
    private let state = Mutex(State())

    /// A monitor that does nothing until ``run()``.
    public init(
        configuration: ClusterConfiguration,
        eventLoop: any EventLoop,
        logger: Logger,
        notify: @escaping @Sendable (Notice) -> Void
    ) {
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.logger = logger
        self.notify = notify
    }

    /// Whether the control connection stands, and why not; and how far the clock of its node is from this machine's.
    public var status: (isConnected: Bool, lastError: UpstreamError?, clock: ClockReading?) {
        self.state.withLock { ($0.isConnected, $0.lastError, $0.clock) }
    }

    /// Asks the node of the control connection for a sign of life; empty while there is none.
    public func askNode(deadline: NIODeadline) async -> [NodeID: SignOfLife] {
        guard let control = self.state.withLock({ $0.control }) else { return [:] }
        return (try? await self.eventLoop.flatSubmit { control.value.askNode(deadline: deadline) }.get()) ?? [:]
    }

    /// Watches until the task is cancelled.
    public func run() async {
        var failures = 0
        while !Task.isCancelled {
            let contacts = self.configuration.contactPoints.map {
                NodeID(host: $0.host, port: $0.port ?? self.configuration.port)
            }
            let known = self.state.withLock { $0.known }
            for node in contacts + known.filter({ !contacts.contains($0) }) {
                guard !Task.isCancelled else { return }
                do {
                    try await self.watch(node) { failures = 0 }
                } catch {
                    let error = error as? UpstreamError ?? UpstreamError(.unreachable, "\(error)")
                    self.state.withLock {
                        $0.isConnected = false
                        $0.control = nil
                        $0.lastError = error
                    }
                    self.notify(.lost(error))
                    self.logger.debug("control connection: \(error.description)", metadata: ["node": "\(node)"])
                }
            }
            failures += 1
            let pause = min(
                self.configuration.reconnectMillisecondsMax,
                self.configuration.reconnectMillisecondsMin << min(failures - 1, 16)
            )
            try? await Task.sleep(for: .milliseconds(pause))
        }
    }

    private func watch(_ node: NodeID, connected: () -> Void) async throws {
        let (signals, feed) = AsyncStream.makeStream(of: Signal.self, bufferingPolicy: .bufferingNewest(1_024))
        let control = try await self.eventLoop.flatSubmit { [configuration, eventLoop, logger] in
            ControlConnection.open(
                node,
                configuration: configuration,
                eventLoop: eventLoop,
                logger: logger,
                onEvent: { feed.yield(.event($0)) },
                onClose: { feed.yield(.closed) }
            )
        }.get()
        let eventLoop = self.eventLoop
        // A node that hangs keeps no question open: closing the connection answers it.
        try await withTaskCancellationHandler {
            try await self.watch(control, node, signals, feed, connected)
        } onCancel: {
            eventLoop.execute { control.value.close() }
        }
    }

    private func watch(
        _ control: NIOLoopBound<ControlConnection>,
        _ node: NodeID,
        _ signals: AsyncStream<Signal>,
        _ feed: AsyncStream<Signal>.Continuation,
        _ connected: () -> Void
    ) async throws {
        defer { self.eventLoop.execute { control.value.close() } }
        _ = try await self.ask(control, .register([.topologyChange, .statusChange, .schemaChange]))
        let known = self.state.withLock { $0.topology?.schema }
        try await self.refresh(control, node)
        connected()
        var missed = self.tellMissed(since: known)
        self.state.withLock {
            $0.isConnected = true
            $0.control = control
            $0.lastError = nil
        }
        let interval = TimeAmount.milliseconds(Int64(self.configuration.topologyIntervalMilliseconds))
        let ticks = self.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            feed.yield(.refresh)
        }
        defer { ticks.cancel() }
        for await signal in signals {
            switch signal {
            case .event(.schemaChange(let change)):
                // What has happened while the connection was made may come as an event as well. Nothing is made or dropped
                // twice; that something was changed again is seen by the schema, which is not the one that was compared.
                if missed.take(change) {
                    guard change.change == "UPDATED" else { continue }
                    let compared = self.state.withLock { $0.topology?.schema }
                    try await self.refresh(control, node)
                    if self.state.withLock({ $0.topology?.schema === compared }) { continue }
                }
                self.state.withLock { $0.toldSinceSchema.append(change) }
                self.notify(.schemaChange(change))
                // The schema's version is a column of system.local, which clients read through the proxy.
                try await self.refresh(control, node)
                self.state.withLock { $0.toldSinceSchema = [] }
            case .event, .refresh:
                try await self.refresh(control, node)
            case .closed:
                throw UpstreamError(.unreachable, "node \(node) closed the control connection")
            }
        }
    }

    /// Changes of the schema that nobody could hear while there was no connection, told in place of their events.
    private func tellMissed(since known: ClusterSchema?) -> MissedChanges {
        guard let known, let schema = self.state.withLock({ $0.topology?.schema }), schema !== known else {
            return MissedChanges([])
        }
        let told = self.state.withLock { state in
            defer { state.toldSinceSchema = [] }
            return state.toldSinceSchema
        }
        let changes = schema.changes(since: known).filter { !told.contains($0) }
        for change in changes { self.notify(.schemaChange(change)) }
        return MissedChanges(changes)
    }

    private func ask(_ control: NIOLoopBound<ControlConnection>, _ request: Request) async throws -> Response {
        let response = try await self.eventLoop.flatSubmit { control.value.ask(request) }.get()
        if case .error(let error) = response {
            throw UpstreamError(.refused, "\(error.code): \(error.message)", serverError: error)
        }
        return response
    }

    private func rows(_ control: NIOLoopBound<ControlConnection>, _ text: String) async throws -> Rows {
        guard case .result(.rows(let rows)) = try await self.ask(control, .query(Query(text))) else {
            throw UpstreamError(.protocolViolation, "no rows for \(text)")
        }
        return rows
    }

    private func refresh(_ control: NIOLoopBound<ControlConnection>, _ node: NodeID) async throws {
        guard let local = try await self.rows(control, "SELECT * FROM system.local WHERE key='local'").first else {
            throw UpstreamError(.protocolViolation, "system.local is empty")
        }
        let peers = try await self.rows(control, "SELECT * FROM system.peers")
        // Before 4.0, and on ScyllaDB, there is no such table: that is not an error.
        let peersV2: Rows?
        do {
            peersV2 = try await self.rows(control, "SELECT * FROM system.peers_v2")
        } catch let error as UpstreamError where error.serverError != nil {
            peersV2 = nil
        }
        let authenticator = try await self.eventLoop.submit { control.value.authenticator }.get()
        var nodes = [TopologyReader.node(id: node, row: local)]
        for row in peersV2 ?? peers {
            if let peer = TopologyReader.peer(row, portOfSiblings: node.port) { nodes.append(peer) }
        }
        let schema = try await self.schema(control, version: local["schema_version"])
        let clock = try await self.clock(control)
        let topology = ClusterTopology(
            nodes: nodes,
            local: local,
            peersColumns: peers.metadata.columns,
            peersV2Columns: peersV2?.metadata.columns,
            schema: schema,
            authenticator: authenticator,
            ring: self.ring(nodes, local, schema)
        )
        try self.state.withLock { state in
            if let known = state.topology, topology.isSameCluster(as: known) == false {
                throw UpstreamError(
                    .refused,
                    "node \(node) belongs to another cluster than the one reached before (no host_id in common); if the "
                        + "cluster was made anew, restart the sidecar"
                )
            }
            state.topology = topology
            state.clock = clock
            state.known = nodes.map(\.id)
        }
        self.notify(.topology(topology))
    }

    /// How far the node's clock is from this machine's; nil where it does not tell the time.
    private func clock(_ control: NIOLoopBound<ControlConnection>) async throws -> ClockReading? {
        let asked = ClockReading.milliseconds
        do {
            let rows = try await self.rows(control, ClockReading.statement)
            guard case .timestamp(let server)? = try? rows.first?.value(at: 0) else { return nil }
            return ClockReading(asked: asked, server: server, answered: ClockReading.milliseconds)
        } catch let error as UpstreamError where error.serverError != nil {
            return nil
        }
    }

    /// Where partitions are, found out again only where something has changed.
    private func ring(_ nodes: [ClusterTopology.Node], _ local: Row, _ schema: ClusterSchema?) -> ClusterRing {
        let source = ClusterRing.Source(
            nodes: nodes,
            partitioner: TopologyReader.text(local["partitioner"]),
            replications: schema?.replications ?? [:],
            datacenter: self.configuration.localDatacenter ?? nodes.first?.datacenter,
            rack: self.configuration.localRack
        )
        if let known = self.state.withLock({ $0.topology?.ring }), known.source == source { return known }
        return ClusterRing(source) { complaint in
            guard self.state.withLock({ $0.complaints.insert(complaint).inserted }) else { return }
            self.logger.notice(
                "requests are not all sent to the nodes that have their data",
                metadata: ["cluster": "\(self.configuration.name)", "reason": "\(complaint)"]
            )
        }
    }

    /// The schema, read again only where its version is another one.
    private func schema(_ control: NIOLoopBound<ControlConnection>, version: ByteBuffer?) async throws -> ClusterSchema?
    {
        let known = self.state.withLock { $0.topology?.schema }
        if let known, let version, known.version == version { return known }
        do {
            let keyspaces = try await self.rows(control, ClusterSchema.keyspacesStatement)
            let tables = try await self.rows(control, ClusterSchema.tablesStatement)
            let columns = try await self.rows(control, ClusterSchema.columnsStatement)
            // A server that describes not even its own tables describes none.
            guard !columns.isEmpty else { return nil }
            let tablets = try await self.tablets(control)
            return ClusterSchema(
                version: version,
                keyspaces: keyspaces,
                tablets: tablets,
                tables: tables,
                columns: columns
            )
        } catch let error as UpstreamError where error.serverError != nil {
            return nil
        }
    }

    /// The keyspaces of ScyllaDB that have tablets.
    private func tablets(_ control: NIOLoopBound<ControlConnection>) async throws -> ClusterSchema.Tablets {
        do {
            return .told(try await self.rows(control, ClusterSchema.tabletsStatement))
        } catch let error as UpstreamError where error.serverError != nil {
            return error.serverError?.code == .invalid ? .absent : .refused
        }
    }
}
