import CQLClient
import CQLProtocol
import DualWriteCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// The life of the proxy: loops, listener, control connections, and an orderly end.
extension DualWriterService {
    /// Serves until a graceful shutdown is asked for or the task is cancelled.
    ///
    /// - Throws: ``DualWriterError`` when the listen address cannot be bound, or when the time for an orderly end was over and
    ///   a cluster still lacked writes.
    public func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, self.configuration.loops))
        let result: Result<Void, any Error>
        do {
            result = .success(try await self.serve(on: group))
        } catch {
            result = .failure(error)
        }
        await self.shutDownLoops()
        // What is planned on an event loop refers to its loop object until the thread has ended.
        let loops = self.state.withLock { state in
            defer { state.loops = [] }
            return state.loops
        }
        try? await group.shutdownGracefully()
        withExtendedLifetime(loops) {}
        self.store?.close()
        try result.get()
    }

    private func serve(on group: MultiThreadedEventLoopGroup) async throws {
        let gate = ClientGate(self.configuration.limits)
        let eventLoops = Array(group.makeIterator())
        for (index, eventLoop) in eventLoops.enumerated() {
            let bound = try await eventLoop.submit { try self.makeLoop(eventLoop, index, gate) }.get()
            self.state.withLock { $0.loops.append(bound) }
        }
        try await self.recover()
        for loop in self.state.withLock({ $0.loops }) {
            try await loop.eventLoop.submit { loop.value.allLoopsHaveChanged() }.get()
        }
        let listener = try await self.listen(on: group)
        self.state.withLock { $0.boundAddress = listener.localAddress }
        self.logger.info(
            "dual-writer listens",
            metadata: [
                "address": "\(listener.localAddress.map { "\($0)" } ?? "?")", "mode": "\(self.mode.mode)",
                "loops": "\(eventLoops.count)",
            ]
        )
        for cluster in Cluster.allCases where self.state.withLock({ $0.isConfigured(cluster) }) {
            let configuration = self.state.withLock { $0[cluster] }
            self.follow(ClusterWatch(configuration, on: eventLoops[0], logger: self.logger), cluster)
        }
        try? await gracefulShutdown()
        let left = await self.drain(listener)
        let watches = self.state.withLock { state in
            defer { state.watches = [:] }
            return state.watches.values
        }
        for watch in watches { await watch.stop() }
        guard left == 0 else {
            let advice =
                self.store == nil
                ? "compare and repair before the next step" : "what is owed is in the journal, for the next start"
            throw DualWriterError(
                .writesOwed,
                "stopped after \(self.timeouts.drainMilliseconds) ms (timeouts.drain_ms) with \(left) requests that have no "
                    + "answer or that a cluster is still owed; \(advice)"
            )
        }
    }

    /// Ends what the loops own. Nothing comes after it.
    private func shutDownLoops() async {
        for loop in self.state.withLock({ $0.loops }) {
            try? await loop.eventLoop.submit { loop.value.shutdown() }.get()
        }
    }

    private func makeLoop(
        _ eventLoop: any EventLoop,
        _ index: Int,
        _ gate: ClientGate
    ) throws -> NIOLoopBound<DualWriterLoop> {
        let (settings, source, target) = self.state.withLock { ($0.settings, $0.source, $0.target) }
        let loop = DualWriterLoop(
            eventLoop: eventLoop,
            index: index,
            loops: self.configuration.loops,
            limits: self.configuration.limits,
            settings: settings,
            advertisedAddress: self.configuration.advertisedAddress,
            ring: SidecarRing(self.configuration.sidecars),
            registry: self.registry,
            gate: gate,
            store: self.store,
            logs: PerCluster(
                source: try self.store?.openLog(of: .source, loop: index),
                target: try self.store?.openLog(of: .target, loop: index)
            ),
            logger: self.logger
        )
        loop.comparisons.progress = self.progress
        for (cluster, configuration) in [(Cluster.source, source), (.target, target)] {
            if !configuration.contactPoints.isEmpty { loop.setCluster(cluster, to: configuration) }
        }
        loop.start()
        return NIOLoopBound(loop, eventLoop: eventLoop)
    }

    private func listen(on group: MultiThreadedEventLoopGroup) async throws -> any Channel {
        let loops = self.state.withLock { $0.loops }
        let tls = self.configuration.tls
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1_024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 4)
            .childChannelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(minimum: 1_024, initial: 16_384, maximum: 65_536)
            )
            .childChannelOption(
                .writeBufferWaterMark,
                value: .init(low: 1 << 18, high: self.configuration.limits.clientQueuedBytesHigh)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let loop = loops.first(where: { $0.eventLoop === channel.eventLoop }) else {
                        preconditionFailure("a channel on a foreign event loop")
                    }
                    guard let client = loop.value.makeClient() else { throw ChannelError.ioOnClosedChannel }
                    try KeepAlive.start(on: channel)
                    try tls?.secure(channel, host: nil)
                    try channel.pipeline.syncOperations.addHandler(client)
                }
            }
        do {
            return try await bootstrap.bind(to: self.configuration.listenAddress).get()
        } catch {
            let address = self.configuration.listenAddress
            let place = "\(address.ipAddress ?? "?"):\(address.port ?? 0)"
            throw DualWriterError(.cannotListen, "\(place) cannot be listened on: \(error)")
        }
    }

    /// Makes a watch the one that counts for its cluster.
    func follow(_ watch: ClusterWatch, _ cluster: Cluster) {
        self.state.withLock { $0.watches[cluster] = watch }
        watch.follow { [weak self, weak watch] notice in
            // What a watch still says after it was replaced is of no interest.
            guard let self, let watch, self.state.withLock({ $0.watches[cluster] === watch }) else { return }
            self.noticed(notice, cluster)
        }
    }

    private func noticed(_ notice: ClusterMonitor.Notice, _ cluster: Cluster) {
        switch notice {
        case .topology(let topology):
            switch self.state.withLock({ $0.admit(topology, as: cluster) }) {
            case .refused(let reason, let isNews):
                if isNews { self.logUnused(cluster, reason) }
                return
            case .admitted(let isNews, let displaced):
                if let displaced { self.putAside(displaced) }
                // Before the line: who connects because of it is served.
                self.onEveryLoop { $0.setTopology(topology, of: cluster) }
                guard isNews else { return }
                self.logger.info(
                    "cluster connected",
                    metadata: [
                        "cluster": "\(cluster)", "nodes": "\(topology.nodes.count)",
                        "version": "\(topology.releaseVersion ?? "?")",
                    ]
                )
            }
        case .schemaChange(let change):
            self.onEveryLoop { $0.forward(change, from: cluster) }
        case .lost(let error):
            self.state.withLock { _ = $0.lost.insert(cluster) }
            self.logger.warning(
                "cluster not connected",
                metadata: ["cluster": "\(cluster)", "reason": "\(error.description)"]
            )
        }
    }

    /// Closes the connections to a leg that was taken for a cluster of its own and is not.
    private func putAside(_ cluster: Cluster) {
        let (configuration, reason) = self.state.withLock { ($0[cluster], $0.refusals[cluster] ?? "") }
        self.logUnused(cluster, reason)
        self.onEveryLoop { $0.setCluster(cluster, to: configuration) }
    }

    private func logUnused(_ cluster: Cluster, _ reason: String) {
        self.logger.error("cluster not used", metadata: ["cluster": "\(cluster)", "reason": "\(reason)"])
    }

    func onEveryLoop(_ body: @escaping @Sendable (DualWriterLoop) -> Void) {
        for loop in self.state.withLock({ $0.loops }) {
            loop.eventLoop.execute { body(loop.value) }
        }
    }

    /// Takes no new requests, waits until those in flight are answered and the shadows have all they are owed; tells how many
    /// are left when the time for it is over.
    private func drain(_ listener: any Channel) async -> Int {
        self.state.withLock { $0.isDraining = true }
        self.logger.info("draining")
        try? await listener.close()
        let deadline = ContinuousClock.now + .milliseconds(self.timeouts.drainMilliseconds)
        self.onEveryLoop { $0.beginDraining() }
        var left = await self.left()
        while ContinuousClock.now < deadline {
            // What the journal holds is not waited for where its cluster does not take it: the next start delivers it.
            let isDone = left.unanswered == 0 && (left.owed == 0 || self.store != nil && left.isHeldBack)
            if isDone { break }
            try? await Task.sleep(for: .milliseconds(20))
            left = await self.left()
        }
        if left.unanswered > 0 || left.owed > 0, self.store == nil || left.unanswered > 0 {
            self.logger.error(
                "stopping with requests under way",
                metadata: ["unanswered": "\(left.unanswered)", "owed": "\(left.owed)"]
            )
            return left.unanswered + (self.store == nil ? left.owed : 0)
        }
        if left.owed > 0 {
            self.logger.notice(
                "drained: every request is answered; the next start delivers the shadow writes that wait in the journal",
                metadata: ["owed": "\(left.owed)"]
            )
        } else {
            await self.logDrained()
        }
        return 0
    }

    /// What a stop waits for.
    private struct Left {
        /// Requests whose client has no answer.
        var unanswered = 0
        /// Writes that a shadow is owed.
        var owed = 0
        /// Whether one of the shadows that are owed something does not take it.
        var isHeldBack = false
    }

    private func left() async -> Left {
        var left = Left()
        for loop in self.state.withLock({ $0.loops }) {
            let part = try? await loop.eventLoop.submit {
                let loop = loop.value
                var left = Left()
                left.unanswered = loop.requests.count { $0.stage == .client }
                for cluster in Cluster.allCases where loop.lane(cluster).count > 0 {
                    left.owed += loop.lane(cluster).count
                    if loop.lane(cluster).isHeldBack { left.isHeldBack = true }
                }
                return left
            }.get()
            left.unanswered += part?.unanswered ?? 0
            left.owed += part?.owed ?? 0
            if part?.isHeldBack == true { left.isHeldBack = true }
        }
        return left
    }

    private func logDrained() async {
        let counters = await self.status().counters
        let lost = Cluster.allCases.reduce(0) { $0 + counters[$1].shadowDead + counters[$1].shadowOverflowed }
        guard lost > 0 else {
            self.logger.info("drained: every request is answered, every shadow write is delivered")
            return
        }
        self.logger.warning(
            "drained: every request is answered, but shadow writes were given up since the start; compare and repair",
            metadata: ["given-up": "\(lost)"]
        )
    }
}
