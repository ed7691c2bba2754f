import DualWriteCore
import DualWriter
import Logging
import NIOCore
import Operations
import SharedState

/// The write modes that are decided together with other replicas.
extension SidecarControl {
    /// Modes that somebody has asked this replica for, until they are entered.
    struct Asked: Sendable {
        var modes: TableModes
        var by: String
        var judgement: Judgement
        var action: AuditRecord.Action
    }

    /// Walks all replicas to a mode, stage by stage. What each replica's own gates say is asked on the way
    /// (``refusal(of:)``); what this one's have come to is the judgement.
    func move(
        to mode: WriteMode,
        _ change: PhaseChange,
        _ judgement: Judgement,
        as action: AuditRecord.Action,
        with shared: SharedControl
    ) async throws(AdminError) {
        let force = change.force && change.reason != nil
        let by = "\(change.by) on \(shared.latest.id)"
        defer { self.asked = nil }
        while let stage = self.nextStage(toward: mode, force: force) {
            self.asked = Asked(
                modes: TableModes(stage, self.modes.overrides),
                by: by,
                judgement: judgement,
                action: action
            )
            let outcome = await shared.change(to: .stage(stage), by: by, reason: change.reason, force: force)
            try self.check(outcome, "\(stage)") { $0.stage == stage }
        }
    }

    /// Brings tables of all replicas to modes of their own; where some go from DualWriteSync to ShadowPrimary or back, all
    /// replicas come to ReadsFirst first.
    ///
    /// - Parameter epoch: that of `from`. Where others have decided something since, however short ago, this is refused.
    func move(
        to modes: TableModes,
        from: TableModes,
        of epoch: Int,
        _ change: OverridesChange,
        _ judgement: Judgement,
        with shared: SharedControl
    ) async throws(AdminError) {
        let by = "\(change.by) on \(shared.latest.id)"
        var steps = [modes]
        do {
            if let middle = try from.between(modes) { steps.insert(middle, at: 0) }
        } catch  where change.force {
            // It goes there at once, as by force any table may.
        } catch {
            throw AdminError(.transitionRefused, "\(error).", hint: "Nothing was changed.")
        }
        defer { self.asked = nil }
        var epoch = Int64(epoch)
        for modes in steps {
            self.asked = Asked(modes: modes, by: by, judgement: judgement, action: .overrides)
            let goal = ChangeOrder.Goal.overrides(modes.overrides, of: epoch)
            let outcome = await shared.change(to: goal, by: by, reason: change.reason, force: change.force)
            if case .done(let record, _) = outcome { epoch = record.epoch }
            let changes = self.modes.changes(to: modes)
            try self.check(outcome, Self.words(changes.map(\.description), modes.overrides)) {
                $0.overrides == modes.overrides
            }
        }
    }

    /// What came of one step on the way.
    private func check(
        _ outcome: ChangeOutcome,
        _ what: String,
        _ isEntered: (TableModes) -> Bool
    ) throws(AdminError) {
        switch outcome {
        case .done(let record, let laggards):
            if !laggards.isEmpty {
                self.logger.warning(
                    "replicas do not act in the write mode yet that is decided",
                    metadata: ["modes": "\(record.modes)", "replicas": "\(laggards.joined(separator: ","))"]
                )
            }
            // This one is among them where its proxy has refused: it is tried again, but nobody can go on from here.
            guard isEntered(self.modes) else {
                throw AdminError(
                    .changeFailed,
                    "\(record.modes) is decided, and this replica has not entered it yet.",
                    hint: "GET /v1/replicas says why. It is tried again by itself."
                )
            }
        case .refused(let reason):
            throw AdminError(
                .transitionRefused,
                "\(what) is not entered: \(reason)\(reason.hasSuffix(".") ? "" : ".")",
                hint: "The replicas stay in \(self.modes)."
            )
        case .unknown(let reason):
            throw AdminError(
                .changeFailed,
                "Nobody knows whether \(what) is decided: \(reason).",
                hint:
                    "GET /v1/replicas tells when the cluster is back. No replica goes back to an older mode by itself."
            )
        }
    }

    /// The stage in which this replica acts.
    var stage: ModeStage { self.readsAreAhead ? .readsFirst : ModeStage(self.phaseState.mode) }

    /// The modes in which it acts.
    var modes: TableModes { TableModes(self.stage, self.phaseState.modes.overrides) }

    private func nextStage(toward mode: WriteMode, force: Bool) -> ModeStage? {
        guard let next = self.stage.next(toward: mode) else { return nil }
        // By force it goes there at once, unless it is the next mode anyway.
        let isFar = abs(Int(self.phaseState.mode.rawValue) - Int(mode.rawValue)) > 1
        return isFar && force ? ModeStage(mode) : next
    }

    /// The step of the write mode whose gates count for a stage; nil where the proxy's own questions are enough.
    private func step(to stage: ModeStage) -> ModeStep? {
        switch (self.stage, stage) {
        case (.dualWriteSync, .readsFirst): ModeStep(from: .dualWriteSync, to: .shadowPrimary)
        case (.shadowPrimary, .readsFirst): ModeStep(from: .shadowPrimary, to: .dualWriteSync)
        case (.readsFirst, _): nil
        default: ModeStep(from: self.phaseState.mode, to: stage.mode)
        }
    }

    func replicas() async -> ReplicasDocument {
        guard let shared else {
            var document = ReplicasDocument(
                control: "file",
                epoch: Int64(self.phaseState.epoch),
                stage: self.stage.name
            )
            document.name(self.modes.overrides)
            return document
        }
        let status = shared.latest
        var document = ReplicasDocument(
            control: "cluster",
            epoch: status.record?.epoch ?? Int64(self.phaseState.epoch),
            stage: (status.record?.stage ?? self.stage).name,
            preparing: status.proposal.map { "\($0.to)" },
            replicas: status.replicaDocuments,
            unreadable: status.faults.sorted { $0.key.rawValue < $1.key.rawValue }
                .map { .init(cluster: $0.key.description, reason: $0.value) }
        )
        document.lapse = status.lapse
        document.name((status.record?.modes ?? self.modes).overrides)
        return document
    }
}

extension SidecarControl: StageTaker {
    func refusal(of proposal: Proposal) async -> String? {
        let (to, change) = (proposal.to, proposal.change)
        if let missing = Self.missing(to.stage.mode, to.overrides, self.configuredHosts) { return missing }
        do {
            var overrulesProxy = change.forced
            // The replica that was asked has asked its gates already, those with reports among them.
            if let asked = self.asked, asked.by == change.by {
                overrulesProxy = overrulesProxy || asked.judgement.overrulesProxy
            } else {
                let judgement = try await self.passAsOneOfMany(to, forced: change.forced, change.reason ?? "forced")
                overrulesProxy = overrulesProxy || judgement.overrulesProxy
            }
            try await self.proxy.check(
                to,
                force: overrulesProxy,
                reason: change.reason ?? "the configuration of the gates"
            )
            return nil
        } catch let error as AdminError {
            return error.message
        } catch {
            return "\(error)"
        }
    }

    /// Asks the gates of a change that another replica was asked for. Evidence is for that one; what speaks against the change,
    /// for each.
    private func passAsOneOfMany(
        _ to: TableModes,
        forced: Bool,
        _ reason: String
    ) async throws(AdminError) -> Judgement {
        let leavingOut = Self.gatesOfReports.union([.comparedReads])
        var judgement = Judgement()
        if self.stage != to.stage, let step = self.step(to: to.stage) {
            judgement = try await self.pass(step, force: forced, reason: reason, leavingOut: leavingOut)
        }
        // Where reads are ahead, the proxy's own questions are enough, as they are for all tables at once.
        let changes = self.modes.changes(to: to).filter { $0.from != .readsFirst }
        let ofTables = try await self.pass(changes, force: forced, reason: reason, leavingOut: leavingOut)
        judgement.overrulesProxy = judgement.overrulesProxy || ofTables.overrulesProxy
        return judgement
    }

    func apply(_ record: SharedRecord) async throws {
        let (from, epoch) = (self.modes, self.phaseState.epoch)
        let reason = record.change.reason ?? "decided by \(record.change.by)"
        try await self.proxy.enter(record.modes, epoch: Int(record.epoch), reason: reason)
        let asked = self.asked.flatMap { $0.modes == record.modes && $0.by == record.change.by ? $0 : nil }
        let overruled = asked?.judgement.overruled ?? []
        var after = self.phaseState
        let changes = after.take(record, from: from.stage, overruled: overruled.map(\.rawValue))
        self.phaseState = after
        self.readsAreAhead = record.stage == .readsFirst
        do {
            // control.json has it already: a restart goes by that, this one is for people and for control: file.
            try self.store.save(after)
        } catch {
            self.logger.error("the trail of the write mode cannot be kept", metadata: ["reason": "\(error)"])
        }
        guard record.epoch > epoch else { return }
        self.tell(record, from, changes, asked?.judgement ?? Judgement(), as: asked?.action)
    }

    /// Says in the log and in the audit what was decided.
    private func tell(
        _ record: SharedRecord,
        _ from: TableModes,
        _ changes: [TableModeChange],
        _ judgement: Judgement,
        as action: AuditRecord.Action?
    ) {
        let change = record.change
        let isAboutTables = from.stage == record.stage && from.overrides != record.modes.overrides
        let words =
            isAboutTables
            ? Self.words(changes.map(\.description), record.modes.overrides) : "\(from.stage) → \(record.stage)"
        self.logger.notice(
            isAboutTables ? "modes of tables changed" : "write mode changed",
            metadata: [
                "what": "\(words)", "epoch": "\(record.epoch)", "by": "\(change.by)",
                "reason": "\(change.reason ?? "-")", "forced": "\(change.forced)",
                "overruled": "\(judgement.overruled.map(\.rawValue).joined(separator: ","))",
            ]
        )
        self.audit(
            action ?? (isAboutTables ? .overrides : .phase),
            "\(words), epoch \(record.epoch)",
            by: change.by,
            reason: change.reason,
            forced: change.forced,
            judgement
        )
    }

    func mayAct(until moment: NIODeadline, inPart: Bool) async { self.proxy.mayAct(until: moment, inPart: inPart) }

    func owed() async -> PerCluster<Int64> {
        let status = self.proxy.status()
        func records(_ cluster: Cluster) -> Int64 { Int64(status.leg(cluster)?.shadowWritesQueued ?? 0) }
        return PerCluster(source: records(.source), target: records(.target))
    }
}

extension ReplicasDocument {
    /// Names the overrides that all replicas have which act in the epoch.
    fileprivate mutating func name(_ overrides: ModeOverrides) {
        guard !overrides.isEmpty else { return }
        self.overrides = overrides.list.prefix(PhaseDocument.overridesMax).map { TableOverride($0) }
        self.overridesLeftOut = Swift.max(0, overrides.list.count - PhaseDocument.overridesMax)
    }
}

extension SharedStatus {
    var replicaDocuments: [ReplicasDocument.Replica] {
        let behind = Set(self.behind.map(\.id))
        return self.replicas.entries.map { entry in
            ReplicasDocument.Replica(
                id: entry.id,
                address: entry.address,
                appliedEpoch: entry.applied,
                state: !entry.isSeen ? "silent" : behind.contains(entry.id) ? "behind" : "live",
                isThisOne: entry.id == self.id,
                fault: entry.fault,
                owedSource: entry.owed[.source],
                owedTarget: entry.owed[.target]
            )
        }
    }
}
