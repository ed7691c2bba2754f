public import DualWriteCore
import Synchronization

/// Tables with modes of their own while the proxy runs.
extension DualWriterService {
    /// Puts other overrides in the place of those in force; requests keep the way on which they began.
    ///
    /// Each table whose mode changes by it goes one step at most. Before another cluster answers for a table, or for tenants of
    /// it that go ahead, it must have every write that it was owed when this was asked; until then the change is refused.
    ///
    /// - Parameter epoch: the one that several sidecars have agreed on; nil counts on by itself.
    /// - Returns: the epoch of the modes now in force.
    /// - Throws: ``DualWriterError``; nothing is changed then.
    @discardableResult
    public func setOverrides(
        _ overrides: ModeOverrides,
        epoch: Int? = nil,
        force: Bool = false,
        reason: String? = nil
    ) async throws(DualWriterError) -> Int {
        try self.beginChange()
        defer { self.endChange() }
        let (modes, current) = self.state.withLock { ($0.settings.modes, $0.epoch) }
        guard overrides != modes.overrides else { return current }
        try await self.check(overrides, in: modes, force: force, reason: reason)
        return try await self.enter(TableModes(modes.stage, overrides), from: modes, epoch: epoch, force, reason)
    }

    func check(
        _ overrides: ModeOverrides,
        in modes: TableModes,
        force: Bool,
        reason: String?
    ) async throws(DualWriterError) {
        let changes = modes.overrides.changes(to: overrides, in: modes.stage)
        for change in changes {
            do throws(ModeTransitionError) {
                _ = try ModeTransition.check(from: change.from.mode, to: change.to.mode, force: force, reason: reason)
            } catch {
                throw DualWriterError(.transition, "\(change.tables): \(error.description)")
            }
        }
        for override in overrides.ofTables {
            try self.checkClusters(of: override.stage.mode, "\(override.tables) in \(override.stage)")
        }
        guard !force else { return }
        for cluster in Cluster.allCases {
            guard let change = changes.first(where: { $0.isAnsweredAnew(by: cluster) }) else { continue }
            try await self.checkReads(
                of: cluster,
                from: change.from,
                to: change.to,
                isShared: true,
                "\(change.to) makes the \(cluster) cluster answer for \(change.tables)"
            )
        }
        try await self.checkCanaries(modes, to: TableModes(modes.stage, overrides))
    }

    /// The target must be there and have what it is owed, before it answers for tenants that go ahead.
    func checkCanaries(_ modes: TableModes, to new: TableModes) async throws(DualWriterError) {
        guard let change = modes.canaryChanges(to: new).first(where: \.isAnsweredAnew) else { return }
        try await self.checkReads(
            of: .target,
            from: change.before,
            to: .readsFirst,
            isShared: true,
            "going ahead makes the target cluster answer for tenants (\(change.tenants)) of \(change.tables)"
        )
    }
}
