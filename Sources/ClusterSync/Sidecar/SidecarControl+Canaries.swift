import DualWriteCore
import Operations

/// Tenants whose reads go ahead of their tables.
extension SidecarControl {
    /// An override as documents tell it.
    func document(_ override: ModeOverride) -> TableOverride {
        var document = TableOverride(override)
        if override.tenants != nil {
            document.state =
                TableModes(self.stage, self.phaseState.modes.overrides).canaryState(of: override.tables).rawValue
        }
        return document
    }

    /// Judges the sidecar's own step, and that of the tenants who have waited for it.
    func passOwn(
        _ step: ModeStep,
        force: Bool,
        reason: String?,
        leavingOut: Set<Gate.Name> = []
    ) async throws(AdminError) -> Judgement {
        var judgement = try await self.pass(step, force: force, reason: reason, leavingOut: leavingOut)
        let changes = self.canaryChanges(step)
        judgement.add(try await self.pass(changes, force: force, reason: reason, leavingOut: leavingOut))
        return judgement
    }

    /// Lets the target answer for tenants where the gates allow it: what is asked is what ReadsFirst of their tables asks. That
    /// they do no more needs nobody's leave.
    func pass(
        _ changes: [CanaryChange],
        force: Bool,
        reason: String?,
        leavingOut: Set<Gate.Name> = []
    ) async throws(AdminError) -> Judgement {
        var judgement = Judgement()
        for (step, tables) in Self.steps(changes) {
            do throws(AdminError) {
                judgement.add(
                    try await self.pass(step, about: tables, force: force, reason: reason, leavingOut: leavingOut)
                )
            } catch {
                let message = "Tenants cannot go ahead to the target yet. \(error.message)"
                throw AdminError(error.code, message, hint: error.hint, gates: error.gates)
            }
        }
        return judgement
    }

    /// The gates of the tenants who have waited for the sidecar's own step.
    func gatesOfCanaries(_ step: ModeStep) async -> [Gate] {
        var gates: [Gate] = []
        for (step, tables) in Self.steps(self.canaryChanges(step)) {
            gates = gates.merging(await self.judge(step, about: tables).gates)
        }
        return gates
    }

    private func canaryChanges(_ step: ModeStep) -> [CanaryChange] {
        let overrides = self.phaseState.modes.overrides
        return TableModes(self.stage, overrides).canaryChanges(to: TableModes(ModeStage(step.to), overrides))
    }

    /// Reads that go ahead to the target depend on it as they do when it is the primary.
    private static func steps(_ changes: [CanaryChange]) -> [(ModeStep, [TableFilter.Pattern])] {
        let begun = changes.filter(\.isAnsweredAnew)
        return Dictionary(grouping: begun, by: \.before.mode).sorted { $0.key.rawValue < $1.key.rawValue }.map {
            (ModeStep(from: $0.key, to: .shadowPrimary), $0.value.map(\.tables))
        }
    }
}

extension [Gate] {
    /// These, with the gates that others have besides, and those that stand against it in the place of those that do not.
    func merging(_ others: [Gate]) -> [Gate] {
        others.reduce(into: self) { gates, other in
            if let place = gates.firstIndex(where: { $0.name == other.name }) {
                if other.vetoes { gates[place] = other }
            } else {
                gates.append(other)
            }
        }
    }
}

extension KeptOverride {
    /// Whether it gives all of these tables a mode of their own.
    func covers(_ tables: TableFilter.Pattern) -> Bool {
        self.override.tenants == nil && self.override.tables.covers(tables)
    }
}

extension ModeOverride {
    /// Reads an override of a document.
    ///
    /// - Throws: ``ModeOverridesError`` that says what is wrong.
    init(_ document: TableOverride) throws(ModeOverridesError) {
        let tenants = try CanaryTenants(document.tenants)
        try self.init(tables: document.tables, mode: document.mode, tenants: tenants)
    }

    /// Whether it is about the same tables, and of these about the same tenants, whatever they have of their own.
    func isOfSamePlace(as other: ModeOverride) -> Bool {
        self.tables == other.tables && self.tenants?.column == other.tenants?.column
    }
}

extension CanaryTenants {
    /// Reads tenants of a document; nil where it names none.
    ///
    /// - Throws: ``ModeOverridesError`` that says what is wrong.
    init?(_ document: OverrideTenants?) throws(ModeOverridesError) {
        guard let document else { return nil }
        try self.init(column: document.column, values: document.values)
    }
}

extension OverrideTenants {
    init(_ tenants: CanaryTenants) { self.init(column: tenants.column, values: tenants.values) }
}

extension TableOverride {
    init(_ override: ModeOverride) {
        self.init(
            tables: override.tables.description,
            mode: override.stage.name,
            tenants: override.tenants.map { OverrideTenants($0) }
        )
    }
}

extension TableModeRecord {
    init(_ change: CanaryChange, at: String, epoch: Int, by: String, reason: String) {
        let (table, ahead) = (change.after.name, ModeStage.readsFirst.name)
        self.init(
            at: at,
            tables: change.tables.description,
            tenants: change.tenants.description,
            from: change.isAdded ? table : ahead,
            to: change.isAdded ? ahead : table,
            epoch: epoch,
            by: by,
            reason: reason
        )
    }
}
