import CQLProtocol
public import DualWriteCore

/// A change that somebody has asked one replica for, which pursues it until its end.
public struct ChangeOrder: Sendable, Hashable {
    /// What is wanted of what is in force when it is proposed.
    public enum Goal: Sendable, Hashable {
        /// Another stage; tables with modes of their own keep them.
        case stage(ModeStage)
        /// Other overrides, made of those of an epoch: where another one is in force by then, somebody else was faster.
        case overrides(ModeOverrides, of: Int64)

        /// The modes that it leads to.
        func modes(after record: SharedRecord) -> TableModes {
            switch self {
            case .stage(let stage): TableModes(stage, record.modes.overrides)
            case .overrides(let overrides, _): TableModes(record.stage, overrides)
            }
        }
    }

    /// Where to.
    public var to: Goal
    /// Who, and why. Its id becomes that of the epoch.
    public var change: StageChange
    /// When it is taken back if it is not decided, in milliseconds of the replica's clock.
    public var deadline: Int64

    /// How far it has come.
    enum Step: Sendable, Hashable {
        /// It was not written anywhere yet, as far as is known.
        case asked
        /// It was written, and waits for all replicas.
        case proposed(Proposal)
        /// It is taken back for a reason, as soon as its decider can be written to.
        case withdrawn(Proposal, String)
        /// It is decided; all replicas that live come to it.
        case decided(SharedRecord)
    }

    var step = Step.asked

    /// An order that nothing was done about.
    public init(to: Goal, change: StageChange, deadline: Int64) {
        self.to = to
        self.change = change
        self.deadline = deadline
    }
}

extension Replica {
    /// Begins to pursue a change. There must be none already.
    public mutating func ask(for order: ChangeOrder) {
        precondition(self.order == nil, "one change at a time")
        self.order = order
    }

    func isMine(_ proposal: Proposal) -> Bool { self.order?.change.id == proposal.change.id }

    /// Whether this replica may take part in a decision while it cannot read a cluster: it must be in that one's list, so that
    /// whoever reads that one alone knows that there is somebody else to ask.
    func mayDecideAlone(without clusters: [Cluster]) -> Bool { self.isListed(in: clusters) }

    /// Whether the replica has been in the lists of clusters without a pause, as far as it can tell.
    public func isListed(in clusters: [Cluster]) -> Bool { clusters.allSatisfy { self.listed.contains($0) } }

    /// The next thing to do for the order.
    mutating func pursue(
        _ view: RoundView,
        _ record: SharedRecord,
        now: Int64,
        wall: Int64,
        newID: () -> CQLUUID
    ) -> [RoundAction] {
        guard let order = self.order else { return [] }
        if record.change.id == order.change.id, order.step != .decided(record) {
            self.order?.step = .decided(record)
            self.order?.deadline = max(order.deadline, now + self.times.deadlineMilliseconds / 2)
            return []
        }
        switch order.step {
        case .asked: return self.propose(order, view, record, now: now, newID: newID)
        case .proposed(let proposal): return self.decide(proposal, view, record, now: now, newID: newID)
        case .withdrawn(let proposal, let reason):
            return self.withdraw(proposal, reason, view, record, now: now, newID: newID)
        case .decided(let decided): return self.spread(decided, now: now)
        }
    }

    private mutating func end(_ outcome: ChangeOutcome) -> [RoundAction] {
        self.order = nil
        return [.end(outcome)]
    }

    // MARK: Proposing

    private mutating func propose(
        _ order: ChangeOrder,
        _ view: RoundView,
        _ record: SharedRecord,
        now: Int64,
        newID: () -> CQLUUID
    ) -> [RoundAction] {
        guard let decider = view.readable.first else {
            return self.end(.refused("no cluster's control state can be read (\(view.reasons))"))
        }
        if case .overrides(_, let epoch) = order.to, record.epoch != epoch {
            return self.end(.refused(Self.overtaken(record)))
        }
        let modes = order.to.modes(after: record)
        if record.modes == modes, self.applied == record.epoch { return self.end(.done(record, laggards: [])) }
        if let open = view.proposal(after: record), open.change.id != order.change.id {
            let text = "another change is under way, to \(open.to) (by \(open.change.by)); ask again when it has ended"
            return self.end(.refused(text))
        }
        if !order.change.forced, let objection = self.objection(to: modes, order, view, record) {
            return self.end(.refused(objection))
        }
        guard now <= order.deadline else { return self.end(.refused("it could not be proposed in time")) }
        // The cluster has the record in the next round.
        guard let row = view.clusters[decider].row, row.record == record else { return [] }
        // What others have promised may have been decided where it cannot be seen.
        let distance: Int64 = order.change.forced && !view.unreadable.isEmpty ? 2 : 1
        let epoch = max(record.epoch, self.kept.promise?.epoch ?? 0) + distance
        let proposal = Proposal(epoch: epoch, to: modes, decider: decider, change: order.change)
        if row.proposal == proposal {
            self.order?.step = .proposed(proposal)
            return self.copies(of: proposal, view, newID: newID)
        }
        return [.write(decider, expected: row, RegisterRow(revision: newID(), record: record, proposal: proposal))]
    }

    /// What stands against a change that is not forced.
    private func objection(
        to modes: TableModes,
        _ order: ChangeOrder,
        _ view: RoundView,
        _ record: SharedRecord
    ) -> String? {
        if let words = Self.tooFar(record.modes, modes) { return words }
        guard self.applied == record.epoch else {
            return "this replica does not act in \(record.modes) yet\(self.fault.map { ": \($0)" } ?? "")"
        }
        let away = view.unreadable
        if let promise = self.kept.promise, promise.change.id != order.change.id {
            return "an earlier change to \(promise.to) (by \(promise.change.by)) may have been decided in the "
                + "\(promise.decider) cluster, whose control state cannot be read (\(view.reasons))"
        }
        if !self.mayDecideAlone(without: away) {
            return
                "the control state of the \(Self.names(away)) cannot be read (\(view.reasons)), and this replica has not "
                + "been in its list of replicas since its start: others may live there that it does not know"
        }
        let silent = self.replicas.silent
        if !away.isEmpty, !silent.isEmpty {
            return "\(silent.map(\.id).joined(separator: ", ")) cannot be heard, and the control state of the "
                + "\(Self.names(away)) cannot be read (\(view.reasons)), so nobody can tell whether they live there; stop them, "
                + "or use force with a reason"
        }
        let steps = [(record.stage, modes.stage)] + record.modes.changes(to: modes).map { ($0.from, $0.to) }
        for (from, to) in steps where to.reads != from.reads || to.mode.primary != from.mode.primary {
            guard let owing = silent.first(where: { $0.owed[to.reads] > 0 }) else { continue }
            return
                "\(owing.id) is gone and owed the \(to.reads) cluster \(owing.owed[to.reads]) writes when it was last heard "
                + "of; start it again on its state folder, or use force with a reason"
        }
        return nil
    }

    /// Says that a table would go more than one stage; nil where none would.
    private static func tooFar(_ from: TableModes, _ to: TableModes) -> String? {
        if from.stage.distance(to: to.stage) > 1 {
            return "\(to.stage) is more than one step from \(from.stage), which is in force by now"
        }
        return from.changes(to: to).first { $0.from.distance(to: $0.to) > 1 }
            .map { "\($0.tables) cannot go from \($0.from) to \($0.to) in one step" }
    }

    private static func names(_ clusters: [Cluster]) -> String {
        clusters.map { "\($0)" }.joined(separator: " and ") + (clusters.count == 1 ? " cluster" : " clusters")
    }

    /// Tells replicas that cannot read the decider.
    private func copies(of proposal: Proposal, _ view: RoundView, newID: () -> CQLUUID) -> [RoundAction] {
        view.readable.filter { $0 != proposal.decider }.compactMap { cluster in
            guard let row = view.clusters[cluster].row, row.proposal?.change.id != proposal.change.id,
                row.record.epoch < proposal.epoch
            else { return nil }
            return .write(
                cluster,
                expected: row,
                RegisterRow(revision: newID(), record: row.record, proposal: proposal)
            )
        }
    }

    // MARK: Deciding

    private mutating func decide(
        _ proposal: Proposal,
        _ view: RoundView,
        _ record: SharedRecord,
        now: Int64,
        newID: () -> CQLUUID
    ) -> [RoundAction] {
        if record.epoch >= proposal.epoch { return self.end(.refused(Self.overtaken(record))) }
        guard view.clusters[proposal.decider].isReadable else {
            // Its row alone says what has become of the proposal.
            guard now > order?.deadline ?? now else { return [] }
            return self.end(
                .unknown("the \(proposal.decider) cluster, where it is decided, cannot be read (\(view.reasons))")
            )
        }
        guard let row = view.clusters[proposal.decider].row, row.proposal == proposal else {
            return self.end(.refused("it was taken back by another replica"))
        }
        let live = self.replicas.live
        if let refusing = live.first(where: { $0.refusal(of: proposal) != nil }) {
            let reason = "\(refusing.id) cannot go there: \(refusing.refusal(of: proposal) ?? "")"
            return self.withdraw(proposal, reason, view, record, now: now, newID: newID)
        }
        // A cluster that cannot be read may hear signs of life that are not heard here.
        let asked = view.unreadable.isEmpty || proposal.change.forced ? live : self.replicas.entries
        let missing = asked.filter { !$0.hasPrepared(proposal) }.map(\.id)
        if missing.isEmpty, live.contains(where: { $0.id == self.id }), self.kept.promise == proposal,
            proposal.change.forced || self.mayDecideAlone(without: view.unreadable)
        {
            return [.write(proposal.decider, expected: row, RegisterRow(revision: newID(), record: proposal.decided))]
        }
        guard now > order?.deadline ?? now else { return self.copies(of: proposal, view, newID: newID) }
        let reason =
            missing.isEmpty
            ? "this replica was not heard of in time" : "not prepared in time: \(missing.joined(separator: ", "))"
        return self.withdraw(proposal, reason, view, record, now: now, newID: newID)
    }

    private static func overtaken(_ record: SharedRecord) -> String {
        "another change was decided first, to \(record.modes) (by \(record.change.by))"
    }

    /// Takes a proposal back. It may have been decided meanwhile: then its decider has another revision, and the next round sees
    /// it.
    private mutating func withdraw(
        _ proposal: Proposal,
        _ reason: String,
        _ view: RoundView,
        _ record: SharedRecord,
        now: Int64,
        newID: () -> CQLUUID
    ) -> [RoundAction] {
        self.order?.step = .withdrawn(proposal, reason)
        if record.epoch >= proposal.epoch { return self.end(.refused(Self.overtaken(record))) }
        guard case .read(let found, _) = view.clusters[proposal.decider] else {
            guard now > (self.order?.deadline ?? now) + self.times.deadlineMilliseconds else { return [] }
            return self.end(.unknown("the \(proposal.decider) cluster, where it is taken back, cannot be read"))
        }
        guard let row = found, row.proposal == proposal else { return self.end(.refused(reason)) }
        return [.write(proposal.decider, expected: row, RegisterRow(revision: newID(), record: row.record))]
    }

    /// Waits until all that live act in the record.
    private mutating func spread(_ decided: SharedRecord, now: Int64) -> [RoundAction] {
        let laggards = self.replicas.live.filter { $0.applied ?? 0 < decided.epoch }.map(\.id)
        guard laggards.isEmpty || now > self.order?.deadline ?? now else { return [] }
        return self.end(.done(decided, laggards: laggards))
    }
}
