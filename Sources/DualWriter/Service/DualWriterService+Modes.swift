public import DualWriteCore
import Logging
import NIOCore
import Synchronization

/// Changes of the write mode while the proxy runs.
extension DualWriterService {
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
        let newEpoch = await self.switchLoops(epoch) { $0.stage = stage }
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
        try self.checkClusters(of: mode, "\(mode)")
        guard !force else { return }
        if mode.primary != from.mode.primary {
            try await self.checkReads(
                of: mode.primary,
                from: from,
                to: stage,
                "\(stage) makes the \(mode.primary) cluster primary"
            )
        } else if stage.reads != from.reads {
            try await self.checkReads(
                of: stage.reads,
                from: from,
                to: stage,
                "\(stage) makes the \(stage.reads) cluster answer reads"
            )
        }
    }

    /// The proxy must run, and have all clusters that a mode needs.
    func checkClusters(of mode: WriteMode, _ what: String) throws(DualWriterError) {
        guard self.state.withLock({ !$0.loops.isEmpty }) else {
            throw DualWriterError(.notRunning, "the proxy is not running")
        }
        for cluster in Cluster.allCases where mode.needs(cluster) {
            guard self.state.withLock({ $0.isConfigured(cluster) }) else {
                throw DualWriterError(.clusterMissing, "\(what) needs a \(cluster) cluster and none is configured")
            }
        }
    }

    /// The cluster that is about to answer must be there and must have all that it is owed.
    ///
    /// Where clients wait for both clusters anyway, what was owed when the question came is enough: nothing is acknowledged
    /// meanwhile that it lacks. So it is where tables have modes of their own, as others of them may write to it all the time.
    /// Where reads stay where they are (from ShadowPrimary back to reads first), what is on its way may come later: it is asked
    /// for before they move.
    func checkReads(
        of cluster: Cluster,
        from: ModeStage,
        to stage: ModeStage,
        isShared: Bool = false,
        _ what: String
    ) async throws(DualWriterError) {
        let began = ContinuousClock.now
        let deadline = began + .milliseconds(self.timeouts.shadowWriteMilliseconds)
        let waits = from.mode.isJoin && self.configuration.policy.syncFailure == .fail
        while true {
            let waited = ContinuousClock.now - began
            let status = await self.status()
            guard let leg = status.leg(cluster), leg.isConnected else {
                let reason = status.leg(cluster)?.lastError ?? "not connected yet"
                throw DualWriterError(.clusterUnreachable, "\(what) and it cannot be reached: \(reason)")
            }
            if let lost = self.lost(leg, status.counters[cluster]) {
                throw DualWriterError(.writesLost, "the \(cluster) cluster lacks acknowledged writes: \(lost)")
            }
            if leg.shadowWritesQueued == 0 || stage.reads == from.reads { return }
            let age = Duration.milliseconds(leg.shadowOldestMilliseconds)
            let earlierIsEnough = waits || isShared || !status.overrides.isEmpty
            if earlierIsEnough, age < waited - Self.clockMargin { return }
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

    /// Changes the settings of all loops, and then what is said of them: what is acknowledged afterwards went the new way.
    ///
    /// - Parameter epoch: the one that several sidecars have agreed on; nil counts on by itself.
    /// - Returns: the epoch in force now.
    func switchLoops(_ epoch: Int?, _ change: @escaping @Sendable (inout DualWriterLoop.Settings) -> Void) async -> Int
    {
        for loop in self.state.withLock({ $0.loops }) {
            _ = try? await loop.eventLoop.submit { change(&loop.value.settings) }.get()
        }
        return self.state.withLock { state in
            change(&state.settings)
            state.epoch = epoch ?? state.epoch + 1
            return state.epoch
        }
    }
}
