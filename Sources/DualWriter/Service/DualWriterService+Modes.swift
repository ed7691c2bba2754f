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
        let modes = self.modes
        return try await self.enter(TableModes(stage, modes.overrides), from: modes, epoch: epoch, force, reason)
    }

    /// Changes the modes of all tables at once, where several sidecars have agreed on them: nothing stands against it.
    ///
    /// - Throws: ``DualWriterError`` where the proxy does not run, or lacks a cluster; nothing is changed then.
    public func enter(_ modes: TableModes, epoch: Int, reason: String) async throws(DualWriterError) {
        try self.beginChange()
        defer { self.endChange() }
        let from = self.modes
        if modes == from {
            self.state.withLock { $0.epoch = epoch }
            return
        }
        try await self.check(modes, from: from, force: true, reason: reason)
        _ = try await self.enter(modes, from: from, epoch: epoch, true, reason)
    }

    /// Waits until modes could be entered, for `timeouts.shadow_write_ms` at most, and changes nothing.
    ///
    /// - Throws: ``DualWriterError`` that says what stands against them.
    public func check(_ modes: TableModes, force: Bool, reason: String?) async throws(DualWriterError) {
        try await self.check(modes, from: self.modes, force: force, reason: reason)
    }

    private func check(
        _ modes: TableModes,
        from: TableModes,
        force: Bool,
        reason: String?
    ) async throws(DualWriterError) {
        if modes.stage != from.stage {
            try await self.check(modes.stage, from: from.stage, force: force, reason: reason)
        }
        if modes.overrides != from.overrides {
            try await self.check(modes.overrides, in: from, force: force, reason: reason)
        }
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
                // It is asked again before reads move, when all loops write to both clusters.
                isShared: from.between(stage)?.reads == from.reads,
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
        let overrides = self.state.withLock { $0.settings.overrides }
        try await self.checkCanaries(TableModes(from, overrides), to: TableModes(stage, overrides))
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
            let earlierIsEnough = waits || isShared || status.overrides.hasTables
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
}
