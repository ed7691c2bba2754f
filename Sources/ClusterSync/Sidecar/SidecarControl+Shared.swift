import DualWriteCore
import DualWriter
import Logging
import NIOCore
import Operations
import SharedState

/// The write mode that is decided together with other replicas.
extension SidecarControl {
    /// A stage that somebody has asked this replica for, until it is entered.
    struct Asked: Sendable {
        var stage: ModeStage
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
            self.asked = Asked(stage: stage, by: by, judgement: judgement, action: action)
            let outcome = await shared.change(to: stage, by: by, reason: change.reason, force: force)
            try self.check(outcome, of: stage)
        }
    }

    /// What came of one stage on the way.
    private func check(_ outcome: ChangeOutcome, of stage: ModeStage) throws(AdminError) {
        switch outcome {
        case .done(let record, let laggards):
            if !laggards.isEmpty {
                self.logger.warning(
                    "replicas do not act in the write mode yet that is decided",
                    metadata: ["stage": "\(record.stage)", "replicas": "\(laggards.joined(separator: ","))"]
                )
            }
            // This one is among them where its proxy has refused: it is tried again, but nobody can go on from here.
            guard self.stage == stage else {
                throw AdminError(
                    .changeFailed,
                    "\(stage) is decided, and this replica has not entered it yet.",
                    hint: "GET /v1/replicas says why. It is tried again by itself."
                )
            }
        case .refused(let reason):
            throw AdminError(
                .transitionRefused,
                "\(stage) is not entered: \(reason).",
                hint: "The replicas stay in \(self.stage)."
            )
        case .unknown(let reason):
            throw AdminError(
                .changeFailed,
                "Nobody knows whether \(stage) is decided: \(reason).",
                hint:
                    "GET /v1/replicas tells when the cluster is back. No replica goes back to an older mode by itself."
            )
        }
    }

    /// The stage in which this replica acts.
    var stage: ModeStage { self.readsAreAhead ? .readsFirst : ModeStage(self.phaseState.mode) }

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
            return ReplicasDocument(control: "file", epoch: Int64(self.phaseState.epoch), stage: self.stage.name)
        }
        let status = shared.latest
        var document = ReplicasDocument(
            control: "cluster",
            epoch: status.record?.epoch ?? Int64(self.phaseState.epoch),
            stage: (status.record?.stage ?? self.stage).name,
            preparing: status.proposal?.to.name,
            replicas: status.replicaDocuments,
            unreadable: status.faults.sorted { $0.key.rawValue < $1.key.rawValue }
                .map { .init(cluster: $0.key.description, reason: $0.value) }
        )
        document.lapse = status.lapse
        return document
    }
}

extension SidecarControl: StageTaker {
    func refusal(of proposal: Proposal) async -> String? {
        if let missing = Self.missing(proposal.to.mode, self.configuredHosts) { return missing }
        let change = proposal.change
        do {
            var overrulesProxy = change.forced
            // The replica that was asked has asked its gates already, those with reports among them.
            if self.asked?.by != change.by, let step = self.step(to: proposal.to) {
                let judgement = try await self.pass(
                    step,
                    force: change.forced,
                    reason: change.reason ?? "forced",
                    // Evidence is for the one that was asked; what speaks against the step, for each.
                    leavingOut: Self.gatesOfReports.union([.comparedReads])
                )
                overrulesProxy = overrulesProxy || judgement.overrulesProxy
            } else if let asked = self.asked {
                overrulesProxy = overrulesProxy || asked.judgement.overrulesProxy
            }
            try await self.proxy.check(
                proposal.to,
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

    func apply(_ record: SharedRecord) async throws {
        let from = self.stage
        let reason = record.change.reason ?? "decided by \(record.change.by)"
        try await self.proxy.enter(record.stage, epoch: Int(record.epoch), reason: reason)
        let asked = self.asked.flatMap { $0.stage == record.stage && $0.by == record.change.by ? $0 : nil }
        let overruled = asked?.judgement.overruled ?? []
        var after = self.phaseState
        let isNew = record.epoch > after.epoch
        (after.mode, after.epoch) = (record.stage.mode, Int(record.epoch))
        if isNew {
            after.history.append(
                PhaseRecord(
                    at: Timestamp.now(),
                    from: from.name,
                    to: record.stage.name,
                    epoch: Int(record.epoch),
                    by: record.change.by,
                    reason: record.change.reason,
                    forced: record.change.forced || !overruled.isEmpty,
                    overruled: overruled.isEmpty ? nil : overruled.map(\.rawValue)
                )
            )
            after.history = after.history.suffix(PhaseState.historyMax)
        }
        self.phaseState = after
        self.readsAreAhead = record.stage == .readsFirst
        do {
            // control.json has it already: a restart goes by that, this one is for people and for control: file.
            try self.store.save(after)
        } catch {
            self.logger.error("the trail of the write mode cannot be kept", metadata: ["reason": "\(error)"])
        }
        guard isNew else { return }
        self.logger.notice(
            "write mode changed",
            metadata: [
                "from": "\(from)", "to": "\(record.stage)", "epoch": "\(record.epoch)",
                "by": "\(record.change.by)", "reason": "\(record.change.reason ?? "-")",
                "forced": "\(record.change.forced)",
                "overruled": "\(overruled.map(\.rawValue).joined(separator: ","))",
            ]
        )
        self.audit(
            asked?.action ?? .phase,
            "\(from) → \(record.stage), epoch \(record.epoch)",
            by: record.change.by,
            reason: record.change.reason,
            forced: record.change.forced,
            asked?.judgement ?? Judgement()
        )
    }

    func mayAct(until moment: NIODeadline) async { self.proxy.mayAct(until: moment) }

    func owed() async -> PerCluster<Int64> {
        let status = self.proxy.status()
        func records(_ cluster: Cluster) -> Int64 { Int64(status.leg(cluster)?.shadowWritesQueued ?? 0) }
        return PerCluster(source: records(.source), target: records(.target))
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
