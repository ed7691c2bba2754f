public import CQLProtocol
public import DualWriteCore

/// One replica's part in the agreement on the modes of all tables: a value that decides, without clock, network or disk.
///
/// Each cluster keeps one row (``RegisterRow``) that changes by compare-and-set alone, and a list of replicas. A change is
/// proposed in the row of one cluster, its decider; every replica that knows of the proposal finds out whether it could follow,
/// promises (durably) to prepare for no other one of the same epoch, and says so in the list. When all have, the proposer makes
/// it the record, in the decider's row. All others adopt it when they read it, and bring it to the cluster that lacks it.
///
/// **An epoch has one meaning.** Two proposals of one epoch in one decider: compare-and-set lets one of them become the record.
/// In two deciders: each needs the promise of everybody whom its proposer knows of, itself included, and each proposer is known
/// to the other (``mayDecideAlone(without:)``); who has promised one does not promise the other before the first one's decider
/// was read and does not have it any more. `force` overrules that, and takes an epoch that nobody was asked to promise.
///
/// **No two live replicas are more than one stage apart**, for each table. A change goes one stage at most
/// (``TableModes/distance(to:)``), and is made of what is in force: the list of overrides in a proposal follows from the record
/// that it takes the place of. A replica that has not come to an epoch does not prepare for the next one, and nobody is passed
/// over but those from whom neither cluster has heard for the time to live of their signs of life.
///
/// **What is lost is done again**: a round is a function of what is read. Writes whose fate nobody knows need no answer, because
/// a write that comes late finds another revision and changes nothing.
public struct Replica: Sendable {
    /// What must survive a restart.
    public struct Kept: Sendable, Hashable {
        /// The latest record that is known here: the one to act in. Nil before the first.
        public var record: SharedRecord?
        /// The proposal that this replica has promised to prepare for and no other of its epoch.
        public var promise: Proposal?

        /// What was kept.
        public init(record: SharedRecord? = nil, promise: Proposal? = nil) {
            self.record = record
            self.promise = promise
        }
    }

    /// How long things may take, in milliseconds of a clock that is never set.
    public struct Times: Sendable, Hashable {
        /// After how long without a sign of life in a cluster it takes a replica for dead.
        public var lifeMilliseconds: Int64 = 15_000
        /// How long a cluster remembers a replica that does not live.
        public var memoryMilliseconds: Int64 = 86_400_000
        /// How long a proposal may wait for all replicas, before it is taken back.
        public var deadlineMilliseconds: Int64 = 30_000
        /// How long a replica waits at its start until it has read all clusters, before it goes on with those that it can read.
        public var joinMilliseconds: Int64 = 10_000

        /// The defaults.
        public init() {}
    }

    /// Its name, which stays over restarts.
    public let id: String
    /// The modes to begin with where no cluster has any.
    public let initial: TableModes
    /// The epoch of ``initial``.
    public let initialEpoch: Int64
    let times: Times

    /// What must survive a restart. Changed by ``round(_:now:wall:newID:)`` and ``answered(_:refusal:)``, which ask to keep it.
    public internal(set) var kept: Kept
    /// The epoch that it acts in; nil before it has joined.
    public internal(set) var applied: Int64?
    /// What it says to the latest proposal.
    public internal(set) var answer: ReplicaEntry.Answer?
    /// Why it does not act in ``Kept/record``; nil where it does.
    public internal(set) var fault: String?
    /// The change that somebody has asked this replica for.
    public internal(set) var order: ChangeOrder?
    /// What other replicas said when they were last read.
    public internal(set) var replicas = Replicas()
    /// When this replica has last said in a cluster that it lives.
    var announced: [Cluster: Int64] = [:]
    /// Since when it is in the list of a cluster without a pause; a cluster that was asked whether it lives meanwhile said yes.
    var listed: Set<Cluster> = []
    /// When the first round was.
    private var began: Int64?
    /// When the proposal that is open now was first seen.
    var seen: (id: CQLUUID, at: Int64)?

    /// A replica that begins, or begins again.
    ///
    /// - Parameters:
    ///   - initial: where no cluster has a record, and nothing was kept.
    ///   - kept: what the process before has kept.
    public init(
        id: String,
        initial: TableModes,
        initialEpoch: Int64 = 0,
        kept: Kept = Kept(),
        times: Times = Times()
    ) {
        self.id = id
        self.initial = initial
        self.initialEpoch = initialEpoch
        self.kept = kept
        self.times = times
    }

    /// Whether a proposal or a change is on its way, so that the next round should come soon.
    public func isBusy(at now: Int64) -> Bool {
        // A proposal whose cluster is away may stay for hours.
        self.order != nil || self.seen.map { now - $0.at < 2 * self.times.deadlineMilliseconds } == true
    }

    // MARK: What happened outside

    /// It was said in a cluster that this replica lives.
    ///
    /// - Parameter moment: when that was begun, so that no cluster hears of a death before this replica fears it.
    public mutating func announced(in cluster: Cluster, at moment: Int64) {
        self.forgetLists(at: moment)
        self.announced[cluster] = max(moment, self.announced[cluster] ?? moment)
        self.listed.insert(cluster)
    }

    /// Whoever was silent everywhere for too long may have been passed over, and forgotten.
    mutating func forgetLists(at now: Int64) {
        let last = self.announced.values.max() ?? now
        if now - last > self.times.lifeMilliseconds * 4 / 5 { self.listed = [] }
        for (cluster, moment) in self.announced where now - moment > self.times.memoryMilliseconds * 9 / 10 {
            self.listed.remove(cluster)
        }
    }

    /// The proxy acts in the modes of a record.
    public mutating func applied(_ record: SharedRecord) {
        self.applied = record.epoch
        self.fault = nil
    }

    /// The proxy does not, and why; it is asked again.
    public mutating func notApplied(_ record: SharedRecord, reason: String) { self.fault = reason }

    /// What the proxy says to a proposal. The promise must be kept before anybody is told of it.
    ///
    /// - Returns: what to keep; nil where there is nothing new.
    public mutating func answered(_ proposal: Proposal, refusal: String?) -> Kept? {
        if let refusal {
            self.answer = .refused(proposal.change.id, refusal)
            return nil
        }
        guard proposal.epoch > self.kept.record?.epoch ?? -1 else { return nil }
        self.kept.promise = proposal
        self.answer = .prepared(proposal.change.id)
        return self.kept
    }

    // MARK: A round

    /// Looks at what was read and decides what to do.
    ///
    /// - Parameters:
    ///   - now: milliseconds of a clock that is never set.
    ///   - wall: milliseconds since 1970, for people.
    ///   - newID: makes ids that nobody else makes.
    public mutating func round(
        _ view: RoundView,
        now: Int64,
        wall: Int64,
        newID: () -> CQLUUID
    ) -> [RoundAction] {
        var actions: [RoundAction] = []
        self.forgetLists(at: now)
        if !view.readable.isEmpty { self.replicas = view.replicas }
        let began = self.began ?? now
        self.began = began
        // Of two clusters one may have been away when the other one's record was made.
        if self.applied == nil, !view.unreadable.isEmpty, now - began < self.times.joinMilliseconds { return [] }
        guard let record = SharedRecord.latest(self.kept.record, view.record) else {
            return self.found(view, wall: wall, newID: newID)
        }
        let before = self.kept
        self.kept.record = record
        self.resolvePromise(view, record)
        if self.kept != before { actions.append(.keep(self.kept)) }
        if self.applied != record.epoch || before.record != record { actions.append(.apply(record)) }
        actions += self.repairs(view, record, newID: newID)
        let proposal = view.proposal(after: record)
        self.watch(proposal, now: now)
        if let proposal, self.mayPrepare(proposal, after: record) { actions.append(.prepare(proposal)) }
        if let proposal, self.isOverdue(proposal, now: now), let row = view.clusters[proposal.decider].row {
            let freed = RegisterRow(revision: newID(), record: row.record)
            actions.append(.write(proposal.decider, expected: row, freed))
        }
        actions += self.pursue(view, record, now: now, wall: wall, newID: newID)
        return actions
    }

    /// Writes the first record, where there is none anywhere. It is decided in one place, whoever comes first.
    private func found(_ view: RoundView, wall: Int64, newID: () -> CQLUUID) -> [RoundAction] {
        guard let place = view.configured.first, view.clusters[place].isReadable else { return [] }
        let change = StageChange(id: newID(), by: self.id, reason: "the first record", forced: false, at: wall)
        let record = SharedRecord(epoch: self.initialEpoch, modes: self.initial, change: change)
        return [.write(place, expected: nil, RegisterRow(revision: newID(), record: record))]
    }

    /// Gives up a promise that nothing can come of any more.
    private mutating func resolvePromise(_ view: RoundView, _ record: SharedRecord) {
        guard let promise = self.kept.promise else { return }
        if promise.epoch <= record.epoch {
            self.kept.promise = nil
        } else if view.clusters[promise.decider].isReadable,
            view.clusters[promise.decider].row?.proposal?.change.id != promise.change.id
        {
            // It was taken back there. What may still be on its way there finds another revision.
            self.kept.promise = nil
        }
    }

    /// Brings the record to clusters that have an older one, and takes away copies of proposals that are not open any more.
    private func repairs(_ view: RoundView, _ record: SharedRecord, newID: () -> CQLUUID) -> [RoundAction] {
        func whole() -> RegisterRow { RegisterRow(revision: newID(), record: record) }
        return view.readable.compactMap { cluster in
            guard let row = view.clusters[cluster].row else { return .write(cluster, expected: nil, whole()) }
            if record.supersedes(row.record) { return .write(cluster, expected: row, whole()) }
            guard let copy = row.proposal, copy.decider != cluster, view.clusters[copy.decider].isReadable,
                view.clusters[copy.decider].row?.proposal != copy
            else { return nil }
            return .write(cluster, expected: row, whole())
        }
    }

    private mutating func watch(_ proposal: Proposal?, now: Int64) {
        guard let proposal else {
            self.seen = nil
            return
        }
        if self.seen?.id != proposal.change.id { self.seen = (proposal.change.id, now) }
    }

    /// Whether nobody seems to pursue a proposal any more. Its proposer takes it back earlier by itself.
    private func isOverdue(_ proposal: Proposal, now: Int64) -> Bool {
        guard let seen = self.seen, seen.id == proposal.change.id, !self.isMine(proposal) else { return false }
        return now - seen.at > self.times.deadlineMilliseconds * 3 / 2
    }

    private func mayPrepare(_ proposal: Proposal, after record: SharedRecord) -> Bool {
        // Who is behind would be two stages behind.
        guard self.applied == record.epoch else { return false }
        switch self.answer {
        case .prepared(let id) where id == proposal.change.id: return self.kept.promise?.change.id != id
        case .refused(let id, _) where id == proposal.change.id: return false
        case .prepared, .refused, nil: break
        }
        guard let promise = self.kept.promise else { return true }
        return promise.change.id == proposal.change.id || proposal.change.forced && proposal.epoch > promise.epoch
    }

    /// What this replica says of itself.
    ///
    /// - Parameter wall: milliseconds since 1970; larger than the time before.
    public func entry(address: String, owed: PerCluster<Int64>, wall: Int64) -> ReplicaEntry {
        ReplicaEntry(
            id: self.id,
            address: address,
            applied: self.applied,
            answer: self.answer,
            owed: owed,
            fault: self.fault,
            at: wall
        )
    }
}
