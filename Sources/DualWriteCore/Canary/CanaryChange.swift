/// What becomes of tenants whose reads go ahead of their tables.
public struct CanaryChange: Sendable, Hashable, CustomStringConvertible {
    /// The tables.
    public let tables: TableFilter.Pattern
    /// The tenants about whom it is.
    public let tenants: CanaryTenants
    /// Whether they go ahead from now on; else they do no more.
    public let isAdded: Bool
    /// The mode of the tables before.
    public let before: ModeStage
    /// The mode of the tables after.
    public let after: ModeStage

    /// Whether the target answers them from now on, and has not before.
    public var isAnsweredAnew: Bool {
        self.isAdded && self.before.reads == .source && CanaryState(of: self.after) == .ahead
    }

    /// Whether they come to go ahead together with their tables.
    public var endsWaiting: Bool { self.isAnsweredAnew && CanaryState(of: self.before) == .waiting }

    /// As it is told.
    public var description: String {
        let ahead = ModeStage.readsFirst
        let words = "\(self.tables) \(self.tenants) "
        guard self.isAdded else { return words + "\(ahead) → \(self.after)" }
        let state = CanaryState(of: self.after)
        return words + "\(self.after) → \(ahead)" + (state == .ahead ? "" : " (\(state.rawValue))")
    }
}

/// What tenants that may go ahead have of it now.
public enum CanaryState: String, Sendable, Hashable, CaseIterable {
    /// Their reads are answered by the target, everybody else's by the source.
    case ahead
    /// The tables have not come to DualWriteSync yet.
    case waiting
    /// The tables are further on: the target answers everybody.
    case passed

    /// By the mode of a table. Only DualWriteSync writes as ReadsFirst does, so that both clusters have what was acknowledged.
    public init(of stage: ModeStage) {
        self =
            switch stage {
            case .primaryOnly, .dualWriteAsync: .waiting
            case .dualWriteSync: .ahead
            case .readsFirst, .shadowPrimary, .targetOnly: .passed
            }
    }
}

extension TableModes {
    /// What tenants of some tables have of going ahead: of tables in several modes, the most that some of them have.
    public func canaryState(of tables: TableFilter.Pattern) -> CanaryState {
        let states = self.stages(of: tables).map { CanaryState(of: $0.stage) }
        return states.contains(.ahead) ? .ahead : states.contains(.waiting) ? .waiting : .passed
    }

    /// What becomes of tenants when other modes take the place of these, whether these are other modes of tables or other
    /// tenants.
    ///
    /// As in ``ModeOverrides/changes(to:in:)`` no change is missed, and where patterns cross each other one may be told that no
    /// table makes.
    public func canaryChanges(to new: TableModes) -> [CanaryChange] {
        var (changes, seen): ([CanaryChange], Set<CanaryChange>) = ([], [])
        func note(
            _ tables: TableFilter.Pattern,
            _ tenants: CanaryTenants?,
            _ isAdded: Bool,
            _ before: ModeStage,
            _ after: ModeStage
        ) {
            guard let tenants else { return }
            let change = CanaryChange(
                tables: tables,
                tenants: tenants,
                isAdded: isAdded,
                before: before,
                after: after
            )
            if seen.insert(change).inserted { changes.append(change) }
        }
        for override in new.overrides.canaries {
            for (tables, after) in new.stages(of: override.tables) {
                for (tables, before) in self.stages(of: tables) {
                    // Those who have waited begin together with who has come.
                    let begins = CanaryState(of: after) == .ahead && CanaryState(of: before) == .waiting
                    let known = begins ? [] : self.overrides.canaryValues(override.tenants, of: tables)
                    note(tables, override.tenants?.without(known), true, before, after)
                }
            }
        }
        for override in self.overrides.canaries {
            for (tables, before) in self.stages(of: override.tables) {
                for (tables, after) in new.stages(of: tables) {
                    let kept = new.overrides.canaryValues(override.tenants, of: tables)
                    note(tables, override.tenants?.without(kept), false, before, after)
                }
            }
        }
        return changes
    }

    /// The modes that tables of a pattern have, each with those that have it.
    private func stages(of tables: TableFilter.Pattern) -> [(tables: TableFilter.Pattern, stage: ModeStage)] {
        if let (keyspace, table) = tables.exactTable { return [(tables, self.stage(keyspace: keyspace, table: table))] }
        var stages: [(tables: TableFilter.Pattern, stage: ModeStage)] = []
        for override in self.overrides.ofTables where override.tables.meets(tables) {
            if override.tables.covers(tables) { return stages + [(tables, override.stage)] }
            stages.append((override.tables, override.stage))
        }
        return stages + [(tables, self.stage)]
    }
}

extension ModeOverrides {
    /// The values by which tenants of all of these tables go ahead, in the column of others.
    fileprivate func canaryValues(_ tenants: CanaryTenants?, of tables: TableFilter.Pattern) -> Set<String> {
        self.list.reduce(into: []) { values, override in
            guard let mine = override.tenants, mine.column == tenants?.column, override.tables.covers(tables) else {
                return
            }
            values.formUnion(mine.values)
        }
    }
}
