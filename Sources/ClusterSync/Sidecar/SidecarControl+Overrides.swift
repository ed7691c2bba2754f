import DualWriteCore
import DualWriter
import Logging
import Operations

/// Tables with modes of their own.
extension SidecarControl: OverrideControl {
    func overrides() -> OverridesDocument {
        OverridesDocument(
            mode: self.phaseState.mode.name,
            epoch: self.phaseState.epoch,
            overrides: self.phaseState.overrides.map { self.document($0.override) },
            history: self.phaseState.tableHistory.suffix(OverridesDocument.historyMax).reversed()
        )
    }

    /// Those that documents about something else name.
    var firstOverrides: [TableOverride] {
        self.phaseState.overrides.prefix(PhaseDocument.overridesMax).map { kept in
            var override = self.document(kept.override)
            override.tenants = override.tenants?.shortened
            return override
        }
    }

    func change(_ change: OverridesChange) async throws(AdminError) -> OverridesDocument {
        let overrides = try Self.read(change.overrides)
        try self.begin()
        defer { self.end() }
        let (modes, current) = (self.modes, self.phaseState.epoch)
        if let epoch = change.epoch, epoch != current {
            throw AdminError(
                .transitionRefused,
                "A mode was changed since: epoch \(current) is in force, not \(epoch).",
                hint: "Look again: GET /v1/overrides. Nothing was changed."
            )
        }
        guard overrides != modes.overrides else { return self.overrides() }
        if let missing = Self.missing(modes.stage.mode, overrides, self.hosts) {
            throw AdminError(.clusterUnreachable, missing, hint: "POST /config can give it. Nothing was changed.")
        }
        let changes = modes.overrides.changes(to: overrides, in: modes.stage)
        let isForced = try Self.check(changes, force: change.force, reason: change.reason)
        var judgement = try await self.pass(changes, force: change.force, reason: change.reason)
        if let shared {
            guard !overrides.hasCanaries else { throw Self.noCanariesTogether }
            let wanted = TableModes(modes.stage, overrides)
            try await self.move(to: wanted, from: modes, of: current, change, judgement, with: shared)
            return self.overrides()
        }
        judgement.add(
            try await self.pass(
                modes.canaryChanges(to: TableModes(modes.stage, overrides)),
                force: change.force,
                reason: change.reason
            )
        )
        try await self.make(overrides, changes, change, forced: isForced, judgement)
        return self.overrides()
    }

    /// Replicas come to DualWriteSync one after the other: the first one's tenants would read what another one has acknowledged
    /// on the source alone.
    private static var noCanariesTogether: AdminError {
        AdminError(
            .invalidDocument,
            "Tenants cannot go ahead with control: cluster: replicas do not agree on when they begin.",
            hint: "Tables can: an override without tenants in ReadsFirst. Nothing was changed."
        )
    }

    private static func read(_ overrides: [TableOverride]) throws(AdminError) -> ModeOverrides {
        do throws(ModeOverridesError) {
            var list: [ModeOverride] = []
            for override in overrides { list.append(try ModeOverride(override)) }
            return try ModeOverrides(list)
        } catch {
            throw AdminError(.invalidDocument, "overrides: \(error)", hint: "Nothing was changed.")
        }
    }

    /// Whether the rules of transition have to be overruled; throws where they stand against it.
    private static func check(_ changes: [TableModeChange], force: Bool, reason: String) throws(AdminError) -> Bool {
        var isForced = false
        for change in changes {
            do throws(ModeTransitionError) {
                let (from, to) = (change.from.mode, change.to.mode)
                if try ModeTransition.check(from: from, to: to, force: force, reason: reason) == .forced {
                    isForced = true
                }
            } catch {
                let hint =
                    error.code == .reasonMissing ? "Send a reason beside force." : "force with a reason overrules it."
                throw AdminError(.transitionRefused, "\(change.tables): \(error)", hint: hint + " Nothing was changed.")
            }
        }
        return isForced
    }

    /// Judges each kind of step that tables take, by the gates of the sidecar's own step of that kind.
    ///
    /// - Parameter leavingOut: gates that are not asked, because whoever asks cannot know of them.
    func pass(
        _ changes: [TableModeChange],
        force: Bool,
        reason: String,
        leavingOut: Set<Gate.Name> = []
    ) async throws(AdminError) -> Judgement {
        var judgement = Judgement()
        var steps: [(step: ModeStep, tables: [TableFilter.Pattern])] = []
        for change in changes {
            guard let step = change.step else { continue }
            if let place = steps.firstIndex(where: { $0.step == step }) {
                steps[place].tables.append(change.tables)
            } else {
                steps.append((step, [change.tables]))
            }
        }
        for (step, tables) in steps {
            judgement.add(
                try await self.pass(step, about: tables, force: force, reason: reason, leavingOut: leavingOut)
            )
        }
        return judgement
    }

    /// Makes a change that was checked: the proxy first, then the folder.
    private func make(
        _ overrides: ModeOverrides,
        _ changes: [TableModeChange],
        _ change: OverridesChange,
        forced: Bool,
        _ judgement: Judgement
    ) async throws(AdminError) {
        let before = self.phaseState
        var after = before
        after.epoch += 1
        after.overrides = PhaseState.kept(overrides, after: before.overrides, epoch: after.epoch)
        do {
            // What was decided about the gates counts for those of the proxy, too.
            try await self.proxy.setOverrides(
                overrides,
                epoch: after.epoch,
                force: forced || judgement.overrulesProxy,
                reason: change.reason
            )
        } catch {
            throw AdminError(.clusterUnreachable, "The modes of tables are not changed: \(error)")
        }
        let canaries = before.modes.canaryChanges(to: after.modes)
        after.note(changes, canaries, at: Timestamp.now(), epoch: after.epoch, by: change.by, reason: change.reason)
        do {
            try self.store.save(after)
        } catch {
            try? await self.proxy.setOverrides(
                before.modes.overrides,
                epoch: before.epoch,
                force: true,
                reason: "the state folder cannot be written"
            )
            throw AdminError(.changeFailed, "\(error)", hint: "The modes of tables are as they were.")
        }
        self.phaseState = after
        let words = Self.words(changes.map(\.description) + canaries.map(\.description), overrides)
        self.logger.notice(
            "modes of tables changed",
            metadata: [
                "what": "\(words)", "epoch": "\(after.epoch)", "by": "\(change.by)", "reason": "\(change.reason)",
                "forced": "\(forced)", "overruled": "\(judgement.overruled.map(\.rawValue).joined(separator: ","))",
            ]
        )
        self.audit(
            .overrides,
            "\(words), epoch \(after.epoch)",
            by: change.by,
            reason: change.reason,
            forced: forced,
            judgement
        )
    }

    static func words(_ changes: [String], _ overrides: ModeOverrides) -> String {
        let shown = changes.prefix(10).joined(separator: "; ")
        let rest = changes.count > 10 ? " and \(changes.count - 10) more" : ""
        return (changes.isEmpty ? "no table's mode" : shown + rest) + ", \(overrides.list.count) overrides"
    }

    // MARK: Since when

    /// When tables began to be written to a cluster for the last time: by the sidecar's trail, and by their own.
    ///
    /// - Parameter tables: nil for those without a mode of their own.
    func completeSince(_ cluster: Cluster, about tables: [TableFilter.Pattern]?) -> Int64? {
        let without = cluster == .target ? WriteMode.primaryOnly.name : WriteMode.targetOnly.name
        let kept = self.phaseState.overrides
        // While tables have a mode of their own, the sidecar's steps are nothing to them.
        let since = (tables ?? []).map { tables in kept.first { $0.covers(tables) }?.since ?? .max }
            .max()
        let steps = self.phaseState.history.filter {
            $0.from == without && $0.to != without && $0.epoch < since ?? .max
        }
        let ownSteps = self.phaseState.tableHistory.filter { record in
            guard record.tenants == nil, record.from == without, record.to != without,
                let pattern = try? TableFilter.Pattern(parsing: record.tables)
            else { return false }
            if let tables { return tables.contains { $0.meets(pattern) } }
            return !kept.contains { $0.covers(pattern) }
        }
        return (steps.map(\.at) + ownSteps.map(\.at)).compactMap { Moment.milliseconds($0) }.max()
    }
}

extension TableModeChange {
    /// The sidecar's step by whose gates it is judged; nil where none asks for anything.
    fileprivate var step: ModeStep? {
        // Reads that go ahead to the target depend on it as they do when it is the primary.
        if self.to.reads != self.from.reads, self.to == .readsFirst {
            return ModeStep(from: self.from.mode, to: .shadowPrimary)
        }
        return self.from.mode == self.to.mode ? nil : ModeStep(from: self.from.mode, to: self.to.mode)
    }
}

extension LoadEvidence {
    /// What it says of some tables; nil where it is about others.
    func about(_ patterns: [TableFilter.Pattern]) -> LoadEvidence? {
        guard !self.tables.isEmpty else { return self }
        var evidence = self
        evidence.tables = self.tables.filter { name in
            guard let name = TableName(name) else { return true }
            return patterns.contains { $0.meets(.init(keyspace: name.keyspace, table: name.table)) }
        }
        return evidence.tables.isEmpty ? nil : evidence
    }
}
