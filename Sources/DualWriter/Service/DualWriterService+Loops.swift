import DualWriteCore
import Logging
import NIOCore
import Synchronization

/// How all loops come to other modes.
extension DualWriterService {
    /// Brings all loops to modes that were checked, by those that lie between where a table would go two stages.
    ///
    /// One loop after the other changes, so that two of them go by neighbouring modes for a moment. Where tables leave
    /// ShadowPrimary, the source gets what it was owed while all loops write to both clusters already, before any reads from it.
    ///
    /// - Returns: the epoch in force now.
    /// - Throws: ``DualWriterError`` where that does not come in time; all loops are where they were then.
    func enter(
        _ modes: TableModes,
        from: TableModes,
        epoch: Int?,
        _ force: Bool,
        _ reason: String?
    ) async throws(DualWriterError) -> Int {
        var last = from
        if let middle = try Self.between(from, modes, force: force) {
            await self.bringLoops(from: from, to: middle)
            do throws(DualWriterError) {
                if !force { try await self.checkReads(from: middle, to: modes) }
            } catch {
                await self.bringLoops(from: middle, to: from)
                throw error
            }
            last = middle
        }
        await self.bringLoops(from: last, to: modes)
        let newEpoch = self.state.withLock { state in
            state.settings.stage = modes.stage
            state.settings.overrides = modes.overrides
            state.epoch = epoch ?? state.epoch + 1
            return state.epoch
        }
        // Who asked is known, and said, by the caller.
        self.logger.debug(
            "modes changed",
            metadata: [
                "from": "\(from)", "to": "\(modes)", "epoch": "\(newEpoch)", "reason": "\(reason ?? "-")",
                "forced": "\(force)",
            ]
        )
        return newEpoch
    }

    private static func between(
        _ from: TableModes,
        _ modes: TableModes,
        force: Bool
    ) throws(DualWriterError) -> TableModes? {
        do throws(ModeOverridesError) {
            return try from.between(modes)
        } catch {
            if force { return nil }
            throw DualWriterError(.transition, error.description)
        }
    }

    /// Whether what is about to be read from another cluster has come there while clients waited for both.
    private func checkReads(from middle: TableModes, to modes: TableModes) async throws(DualWriterError) {
        let steps = [(middle.stage, modes.stage)] + middle.changes(to: modes).map { ($0.from, $0.to) }
        // What the cluster is owed is asked of all tables at once.
        guard let (from, to) = steps.first(where: { $0.reads != $1.reads }) else { return }
        try await self.checkReads(
            of: to.reads,
            from: from,
            to: to,
            isShared: true,
            "\(to) makes the \(to.reads) cluster answer reads"
        )
    }

    /// Changes the modes of all loops, and then tells them that all have changed: what is acknowledged afterwards went the new
    /// way.
    private func bringLoops(from former: TableModes, to modes: TableModes) async {
        let bringsCanaries = former.canaryChanges(to: modes).contains(where: \.endsWaiting)
        let stopsCanaries = modes.canaryChanges(to: former).contains(where: \.endsWaiting)
        let loops = self.state.withLock { $0.loops }
        if stopsCanaries {
            // What the first loop acknowledges on the source alone, the last one's tenants must not look for on the target.
            for loop in loops { try? await loop.eventLoop.submit { loop.value.canaryWait = .allLoops }.get() }
        }
        for loop in loops {
            let change = loop.eventLoop.submit {
                if bringsCanaries { loop.value.canaryWait = .allLoops }
                var settings = loop.value.settings
                (settings.stage, settings.overrides) = (modes.stage, modes.overrides)
                loop.value.settings = settings
            }
            try? await change.get()
        }
        for loop in loops { try? await loop.eventLoop.submit { loop.value.allLoopsHaveChanged() }.get() }
    }
}
