import DualWriteCore
import Operations
import SharedState

/// Modes that replicas have decided on together, in the state of one of them.
extension PhaseState {
    /// Takes over what the others have decided, before this one serves anybody.
    ///
    /// A new folder does not know since when there are copies. Whatever the mode of its configuration is, they count from here
    /// on: an older load or comparison says too little, rather than too much.
    mutating func join(_ record: SharedRecord) {
        let isNew = self.epoch == 0 && self.history.isEmpty
        self.take(record, from: isNew ? .primaryOnly : ModeStage(self.mode))
    }

    /// Takes over what is decided, with a trail of what it changes here.
    ///
    /// - Parameters:
    ///   - stage: in which this replica has acted.
    ///   - overruled: gates that were overruled for it.
    /// - Returns: what becomes of the tables that overrides name.
    @discardableResult
    mutating func take(_ record: SharedRecord, from stage: ModeStage, overruled: [String] = []) -> [TableModeChange] {
        let before = TableModes(stage, self.modes.overrides)
        let changes = before.changes(to: record.modes)
        let (epoch, isNew) = (Int(record.epoch), record.epoch != Int64(self.epoch))
        (self.mode, self.epoch) = (record.stage.mode, epoch)
        self.overrides = Self.kept(record.modes.overrides, after: self.overrides, epoch: epoch)
        guard isNew else { return changes }
        let now = Timestamp.now()
        if stage != record.stage || before.overrides == record.modes.overrides {
            self.history.append(
                PhaseRecord(
                    at: now,
                    from: stage.name,
                    to: record.stage.name,
                    epoch: epoch,
                    by: record.change.by,
                    reason: record.change.reason,
                    forced: record.change.forced || !overruled.isEmpty,
                    overruled: overruled.isEmpty ? nil : overruled
                )
            )
            self.history = self.history.suffix(Self.historyMax)
        }
        self.note(changes, at: now, epoch: epoch, by: record.change.by, reason: record.change.reason ?? "-")
        return changes
    }

    /// Notes what becomes of tables, and of tenants that go ahead of theirs.
    mutating func note(
        _ changes: [TableModeChange],
        _ canaries: [CanaryChange] = [],
        at now: String,
        epoch: Int,
        by: String,
        reason: String
    ) {
        self.tableHistory += changes.map { TableModeRecord($0, at: now, epoch: epoch, by: by, reason: reason) }
        self.tableHistory += canaries.map { TableModeRecord($0, at: now, epoch: epoch, by: by, reason: reason) }
        self.tableHistory = self.tableHistory.suffix(Self.historyMax)
    }

    /// Overrides in the place of others; those of the same tables stay what they are since.
    static func kept(_ overrides: ModeOverrides, after before: [KeptOverride], epoch: Int) -> [KeptOverride] {
        overrides.list.map { override in
            let since = before.first { $0.override.isOfSamePlace(as: override) }?.since
            return KeptOverride(override: override, since: since ?? epoch)
        }
    }
}

extension TableModeRecord {
    fileprivate init(_ change: TableModeChange, at: String, epoch: Int, by: String, reason: String) {
        self.init(
            at: at,
            tables: change.tables.description,
            from: change.from.name,
            to: change.to.name,
            epoch: epoch,
            by: by,
            reason: reason
        )
    }
}
