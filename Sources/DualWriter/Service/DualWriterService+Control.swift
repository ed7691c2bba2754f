import CQLClient
public import DualWriteCore
import Logging
public import NIOCore
import Synchronization

/// What an operator can see and change while the proxy runs.
extension DualWriterService {
    /// The proxy as it is now, asked of every loop.
    ///
    /// - Parameter lookingAtTables: whether ``DualWriterStatus/Leg/tables`` is filled, which takes some of each loop's time.
    public func status(lookingAtTables: Bool = false) async -> DualWriterStatus {
        let snapshot = self.state.withLock { $0 }
        var status = DualWriterStatus(
            mode: snapshot.settings.mode,
            epoch: snapshot.epoch,
            legs: [],
            clients: 0,
            isReady: false,
            isDraining: snapshot.isDraining,
            counters: DualWriterCounters()
        )
        for cluster in Cluster.allCases where snapshot.isConfigured(cluster) {
            var leg = DualWriterStatus.Leg(cluster: cluster)
            if let monitor = snapshot.watches[cluster]?.monitor.status {
                leg.isConnected = monitor.isConnected
                leg.lastError = monitor.lastError?.description
                leg.clock = monitor.isConnected ? monitor.clock : nil
            }
            if let refusal = snapshot.refusals[cluster] {
                leg.isConnected = false
                leg.lastError = refusal
            }
            leg.releaseVersion = snapshot.topologies[cluster]?.releaseVersion
            leg.nodesKnown = snapshot.topologies[cluster]?.nodes.count ?? 0
            status.legs.append(leg)
        }
        status.isLapsed = snapshot.actsUntil < .now()
        status.hasJournal = self.store != nil
        status.journalSyncFailures = self.store?.syncFailures ?? 0
        var connected: [Cluster: Set<NodeID>] = [:]
        var tables = PerCluster(both: OwedTables())
        for loop in snapshot.loops {
            let report = loop.eventLoop.submit { loop.value.report(lookingAtTables: lookingAtTables) }
            guard let part = try? await report.get() else { continue }
            status.clients += part.clients
            status.counters.add(part.counters)
            for index in status.legs.indices {
                let cluster = status.legs[index].cluster
                guard let leg = part.legs[cluster] else { continue }
                // What was heard of the cluster has yet to come to this loop, whose clients are told so.
                if !leg.isKnown { status.legs[index].isConnected = false }
                status.legs[index].connections += leg.connections
                status.legs[index].shadowWritesQueued += leg.queued
                status.legs[index].shadowBytesQueued += leg.bytes
                status.legs[index].shadowOldestMilliseconds = max(
                    status.legs[index].shadowOldestMilliseconds,
                    leg.oldestMilliseconds
                )
                if leg.isBehind { status.legs[index].isBehind = true }
                if leg.isHeldBack { status.legs[index].isHeldBack = true }
                if leg.isBreakerOpen { status.legs[index].isBreakerOpen = true }
                status.legs[index].waitsForLoginOf.formUnion(leg.waitsForLoginOf)
                status.legs[index].journalDiskBytes += leg.journalDiskBytes
                tables[cluster].add(leg.tables)
                connected[cluster, default: []].formUnion(leg.nodes)
            }
        }
        for index in status.legs.indices {
            let cluster = status.legs[index].cluster
            status.legs[index].nodesConnected = connected[cluster]?.count ?? 0
            status.legs[index].recordsLookedAt = tables[cluster].records
            status.legs[index].tables = tables[cluster].named(
                max: DualWriterStatus.Leg.tablesMax,
                now: LoopClock.wallMicroseconds / 1_000
            )
            guard let store = self.store else { continue }
            status.legs[index].journalBytesMax = store.bytesMax * snapshot.loops.count
            status.legs[index].deadLetters = store.deadLetters.count(of: cluster)
            status.legs[index].dirtyByReason = store.dirty.counts(on: cluster)
        }
        let primary = status.leg(status.mode.primary)
        status.isReady = snapshot.boundAddress != nil && !snapshot.isDraining && primary?.isConnected == true
        return status
    }

    /// Changes the write mode; requests keep the way on which they began.
    ///
    /// Before another cluster becomes primary, it must have every write that it is owed; until then the change is refused.
    ///
    /// - Returns: the epoch of the mode now in force.
    /// - Throws: ``DualWriterError``; nothing is changed then.
    @discardableResult
    public func setMode(_ mode: WriteMode, force: Bool = false, reason: String? = nil) async throws(DualWriterError)
        -> Int
    {
        try await self.setStage(ModeStage(mode), force: force, reason: reason)
    }

    /// Changes the stage, as ``setMode(_:force:reason:)`` changes the mode: what answers reads must have all that it is owed.
    ///
    /// - Parameter epoch: the one that several sidecars have agreed on; nil counts on by itself.
    /// - Returns: the epoch of the stage now in force.
    /// - Throws: ``DualWriterError``; nothing is changed then.
    @discardableResult
    public func setStage(
        _ stage: ModeStage,
        epoch: Int? = nil,
        force: Bool = false,
        reason: String? = nil
    ) async throws(DualWriterError) -> Int {
        try self.beginChange()
        defer { self.endChange() }
        let (from, current) = self.state.withLock { ($0.settings.stage, $0.epoch) }
        if stage == from {
            return self.state.withLock { state in
                state.epoch = epoch ?? current
                return state.epoch
            }
        }
        try await self.check(stage, from: from, force: force, reason: reason)
        // All loops have switched before anybody is told: what is acknowledged afterwards went the new way.
        for loop in self.state.withLock({ $0.loops }) {
            _ = try? await loop.eventLoop.submit { loop.value.settings.stage = stage }.get()
        }
        let newEpoch = self.state.withLock { state in
            state.settings.stage = stage
            state.epoch = epoch ?? state.epoch + 1
            return state.epoch
        }
        // Who asked is known, and said, by the caller.
        self.logger.debug(
            "write mode changed",
            metadata: [
                "from": "\(from)", "to": "\(stage)", "epoch": "\(newEpoch)", "reason": "\(reason ?? "-")",
                "forced": "\(force)",
            ]
        )
        return newEpoch
    }

    /// Waits until a stage could be entered, for `timeouts.shadow_write_ms` at most, and changes nothing.
    ///
    /// - Throws: ``DualWriterError`` that says what stands against it.
    public func checkStage(_ stage: ModeStage, force: Bool, reason: String?) async throws(DualWriterError) {
        let from = self.stage
        guard stage != from else { return }
        try await self.check(stage, from: from, force: force, reason: reason)
    }

    /// Lets requests pass until a moment; later ones are refused, OVERLOADED, until it is told a later moment.
    ///
    /// For a proxy among several that share a stage: one that stands still, or hears nothing of the others, must not go on in a
    /// stage that the others may have left. Each loop looks at its own clock, so that what comes first after a standstill is
    /// refused, too. Never called: all pass.
    public func mayAct(until moment: NIODeadline) {
        self.state.withLock { $0.actsUntil = moment }
        let nanoseconds = Int64(clamping: moment.uptimeNanoseconds)
        self.onEveryLoop { $0.actsUntil = nanoseconds }
    }

    private func check(
        _ stage: ModeStage,
        from: ModeStage,
        force: Bool,
        reason: String?
    ) async throws(DualWriterError) {
        let mode = stage.mode
        do throws(ModeTransitionError) {
            _ = try ModeTransition.check(from: from.mode, to: mode, force: force, reason: reason)
        } catch {
            throw DualWriterError(.transition, error.description)
        }
        guard self.state.withLock({ !$0.loops.isEmpty }) else {
            throw DualWriterError(.notRunning, "the proxy is not running")
        }
        for cluster in Cluster.allCases where mode.needs(cluster) {
            guard self.state.withLock({ $0.isConfigured(cluster) }) else {
                throw DualWriterError(.clusterMissing, "\(mode) needs a \(cluster) cluster and none is configured")
            }
        }
        guard !force else { return }
        if mode.primary != from.mode.primary {
            try await self.checkReads(of: mode.primary, in: stage, from: from)
        } else if stage.reads != from.reads {
            try await self.checkReads(of: stage.reads, in: stage, from: from)
        }
    }

    /// The cluster that is about to answer reads must be there and must have all that it is owed.
    ///
    /// Where clients wait for both clusters anyway, what was owed when the question came is enough: nothing is acknowledged
    /// meanwhile that it lacks. Where reads stay where they are (from ShadowPrimary back to reads first), what is on its way may
    /// come later: it is asked for before they move.
    private func checkReads(
        of cluster: Cluster,
        in stage: ModeStage,
        from: ModeStage
    ) async throws(DualWriterError) {
        let role = stage.mode.primary == cluster ? "primary" : "answer reads"
        let began = ContinuousClock.now
        let deadline = began + .milliseconds(self.timeouts.shadowWriteMilliseconds)
        let waits = from.mode.isJoin && self.configuration.policy.syncFailure == .fail
        while true {
            let status = await self.status()
            guard let leg = status.leg(cluster), leg.isConnected else {
                let reason = status.leg(cluster)?.lastError ?? "not connected yet"
                throw DualWriterError(
                    .clusterUnreachable,
                    "\(stage) makes the \(cluster) cluster \(role) and it cannot be reached: \(reason)"
                )
            }
            if let lost = self.lost(leg, status.counters[cluster]) {
                throw DualWriterError(.writesLost, "the \(cluster) cluster lacks acknowledged writes: \(lost)")
            }
            if leg.shadowWritesQueued == 0 || stage.reads == from.reads { return }
            let age = Duration.milliseconds(leg.shadowOldestMilliseconds)
            if waits, age < ContinuousClock.now - began - Self.clockMargin { return }
            guard ContinuousClock.now < deadline else {
                throw DualWriterError(
                    .writesOwed,
                    "\(leg.shadowWritesQueued) writes have not reached the \(cluster) cluster yet; try again when "
                        + "they have, or use force with a reason"
                )
            }
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    /// How far the age of what is owed, which goes by the wall clock, may be off.
    private static var clockMargin: Duration { .milliseconds(20) }

    /// What a cluster is known to lack, and what to do about it; nil where it lacks nothing.
    private func lost(_ leg: DualWriterStatus.Leg, _ counters: DualWriterCounters.Leg) -> String? {
        guard self.store != nil else {
            let lost = counters.shadowDead + counters.shadowOverflowed
            return lost == 0
                ? nil
                : "\(counters.shadowDead) were given up, \(counters.shadowOverflowed) dropped because the queue was full; "
                    + "compare and repair, then use force with a reason"
        }
        guard leg.deadLetters + leg.dirtyWithLoss > 0 else { return nil }
        return "\(leg.deadLetters) dead letters (retry or discard them: cluster-sync journal dead-letters) and "
            + "\(leg.dirtyWithLoss) partitions in doubt (compare and repair them, then cluster-sync journal dirty clear); "
            + "or use force with a reason"
    }

    /// Changes timeouts; they apply to requests that arrive later.
    public func setTimeouts(_ timeouts: DualWriterTimeouts) {
        self.state.withLock { $0.settings.timeouts = timeouts }
        self.onEveryLoop { $0.settings.timeouts = timeouts }
    }

    /// Changes the share of the reads that are compared, 0 to 100 per cent; comparisons under way go on.
    public func setComparisonPercentage(_ percentage: Double) {
        let settings = self.state.withLock { state in
            state.settings.comparison.percentage = percentage
            return state.settings.comparison
        }
        self.onEveryLoop { $0.settings.comparison = settings }
    }

    /// Changes what is wanted on the shadow; writes that arrive later go by it.
    public func setFilter(_ filter: ShadowFilter) {
        self.state.withLock { $0.settings.filter = filter }
        self.onEveryLoop { $0.settings.filter = filter }
    }

    /// Changes which requests are logged. When it returns, those that arrive go by it; of several calls the last one counts.
    public func setRequestLog(_ settings: RequestLogSettings) async {
        let loops = self.state.withLock { state in
            state.settings.requestLog = settings
            return state.loops
        }
        let changes = loops.map { loop in loop.eventLoop.submit { loop.value.settings.requestLog = settings } }
        for change in changes { try? await change.get() }
    }

    func beginChange() throws(DualWriterError) {
        let isBusy = self.state.withLock { state in
            defer { state.isChanging = true }
            return state.isChanging
        }
        if isBusy { throw DualWriterError(.notRunning, "another change is under way; try again in a moment") }
    }

    func endChange() { self.state.withLock { $0.isChanging = false } }
}
