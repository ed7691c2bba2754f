/// Tables whose mode becomes another one.
public struct TableModeChange: Sendable, Hashable, CustomStringConvertible {
    /// The tables. It may name some more, which another override keeps as they are.
    public let tables: TableFilter.Pattern
    /// Their mode before.
    public let from: ModeStage
    /// Their mode after.
    public let to: ModeStage

    /// A change of known parts.
    public init(_ tables: TableFilter.Pattern, from: ModeStage, to: ModeStage) {
        self.tables = tables
        self.from = from
        self.to = to
    }

    /// As it is told.
    public var description: String { "\(self.tables) \(self.from) → \(self.to)" }

    /// Whether a cluster answers reads or writes afterwards that it has not answered before.
    public func isAnsweredAnew(by cluster: Cluster) -> Bool { self.from.isAnsweredAnew(by: cluster, in: self.to) }
}

extension ModeOverrides {
    /// What becomes of which tables when other overrides take the place of these.
    ///
    /// Names with wildcards stand for tables that nobody knows yet, so patterns are compared, not tables. No change is missed;
    /// where patterns cross each other (`a*` and `*z`), one may be told that no table makes.
    ///
    /// - Parameter stage: the sidecar's.
    public func changes(to new: ModeOverrides, in stage: ModeStage) -> [TableModeChange] {
        self.changes(to: new, from: stage, to: stage)
    }

    /// The same where the sidecar's mode may change as well; tables that no override names before or after are left out.
    func changes(to new: ModeOverrides, from stage: ModeStage, to newStage: ModeStage) -> [TableModeChange] {
        var changes: [TableModeChange] = []
        func note(_ tables: TableFilter.Pattern, _ from: ModeStage, _ to: ModeStage) {
            let change = TableModeChange(tables, from: from, to: to)
            if from != to, !changes.contains(change) { changes.append(change) }
        }
        // Single tables can be looked up on both sides.
        for override in self.ofTables + new.ofTables {
            guard let (keyspace, table) = override.tables.exactTable else { continue }
            note(
                override.tables,
                self.stage(keyspace: keyspace, table: table) ?? stage,
                new.stage(keyspace: keyspace, table: table) ?? newStage
            )
        }
        // All others are in a meeting of two patterns, of which one may be that of all tables.
        for former in self.broadPlaces.map(Optional.some) + [nil] {
            for later in new.broadPlaces.map(Optional.some) + [nil] {
                let (from, to) = (former.map { self.list[$0] }, later.map { new.list[$0] })
                let sides = [from, to].compactMap { $0?.tables }
                guard let last = sides.last, from?.stage ?? stage != to?.stage ?? newStage,
                    sides.count < 2 || sides[0].meets(sides[1]),
                    !self.decides(sides, before: former), !new.decides(sides, before: later)
                else { continue }
                let narrower = sides.count == 2 && last.covers(sides[0]) ? sides[0] : last
                note(narrower, from?.stage ?? stage, to?.stage ?? newStage)
            }
        }
        return changes
    }

    /// Whether an override in front of a place names all tables that some patterns have in common.
    private func decides(_ sides: [TableFilter.Pattern], before place: Int?) -> Bool {
        self.broadPlaces.prefix { $0 < place ?? .max }.contains { earlier in
            sides.contains { self.list[earlier].tables.covers($0) }
        }
    }
}
