/// What becomes of all tables when other modes take the place of these.
///
/// Two proxies, or two loops of one, may go by modes that are one stage apart for a moment, for each table: what one of them has
/// acknowledged the other one reads. With more between them it may not (``ModeStage``).
extension TableModes {
    /// What becomes of the tables that overrides name, before or after.
    public func changes(to new: TableModes) -> [TableModeChange] {
        self.overrides.changes(to: new.overrides, from: self.stage, to: new.stage)
    }

    /// How many stages the table that goes farthest goes.
    public func distance(to new: TableModes) -> Int {
        self.changes(to: new).reduce(self.stage.distance(to: new.stage)) { max($0, $1.from.distance(to: $1.to)) }
    }

    /// The modes to go by on the way to others, so that each table goes one stage at a time; nil where each does anyway, or where
    /// some table goes farther than two, which takes force.
    ///
    /// - Throws: ``ModeOverridesError`` where patterns cross each other in a way that no list of overrides stands between them.
    public func between(_ new: TableModes) throws(ModeOverridesError) -> TableModes? {
        guard self.distance(to: new) == 2 else { return nil }
        var overrides = new.overrides
        for change in self.changes(to: new) {
            guard let stage = change.from.between(change.to) else { continue }
            overrides = try overrides.setting(change.tables, stage)
        }
        let middle = TableModes(self.stage.between(new.stage) ?? new.stage, overrides)
        guard self.distance(to: middle) <= 1, middle.distance(to: new) <= 1 else {
            throw ModeOverridesError(
                "these overrides cross each other, and some tables would go more than one stage at a time: make it in several "
                    + "changes, with \(ModeStage.readsFirst) between \(ModeStage.dualWriteSync) and \(ModeStage.shadowPrimary)"
            )
        }
        return middle
    }
}

extension TableModes: CustomStringConvertible {
    /// In a few words.
    public var description: String {
        let count = self.overrides.list.count
        return count == 0 ? "\(self.stage)" : "\(self.stage) with \(count) override\(count == 1 ? "" : "s")"
    }
}

extension ModeOverrides {
    fileprivate func setting(
        _ tables: TableFilter.Pattern,
        _ stage: ModeStage
    ) throws(ModeOverridesError) -> ModeOverrides {
        try self.setting(ModeOverride(tables, stage))
    }
}
