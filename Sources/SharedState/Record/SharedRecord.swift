public import CQLProtocol
public import DualWriteCore

/// Who has changed a mode, and why; the id tells one change from all others.
public struct StageChange: Sendable, Hashable {
    /// Made by who has proposed it, at random.
    public var id: CQLUUID
    /// The interface and the peer's address, as far as they are known.
    public var by: String
    /// The reason that was given.
    public var reason: String?
    /// Whether rules were overruled.
    public var forced: Bool
    /// When it was proposed, in milliseconds since 1970, by the proposer's clock. For people alone: nothing goes by it.
    public var at: Int64

    /// A change.
    public init(id: CQLUUID, by: String, reason: String?, forced: Bool, at: Int64) {
        self.id = id
        self.by = by
        self.reason = reason
        self.forced = forced
        self.at = at
    }
}

/// What all replicas have in common: the modes of all tables, with the number of changes that led to them.
public struct SharedRecord: Sendable, Hashable {
    /// How often a mode has been changed.
    public var epoch: Int64
    /// The modes in force: that of the sidecars, and those that tables have of their own.
    public var modes: TableModes
    /// What began the epoch.
    public var change: StageChange

    /// A record.
    public init(epoch: Int64, modes: TableModes, change: StageChange) {
        self.epoch = epoch
        self.modes = modes
        self.change = change
    }

    /// A record in which no table has a mode of its own.
    public init(epoch: Int64, stage: ModeStage, change: StageChange) {
        self.init(epoch: epoch, modes: TableModes(stage, .none), change: change)
    }

    /// The stage of all tables that have none of their own.
    public var stage: ModeStage { self.modes.stage }

    /// Whether this one counts and the other does not: the higher epoch does.
    ///
    /// Without force an epoch has one record (``Replica``). Where force was used on both sides of a partition it may have two;
    /// then all replicas choose the same one, by its id.
    public func supersedes(_ other: Self) -> Bool {
        guard self.epoch == other.epoch else { return self.epoch > other.epoch }
        let (mine, its) = (self.change.id, other.change.id)
        return mine.high == its.high ? mine.low > its.low : mine.high > its.high
    }

    /// The one that counts of two, either of which may be missing.
    public static func latest(_ one: Self?, _ other: Self?) -> Self? {
        guard let one else { return other }
        guard let other else { return one }
        return other.supersedes(one) ? other : one
    }
}

/// A change of modes that is not decided yet: replicas prepare for it, and promise to prepare for no other of its epoch.
public struct Proposal: Sendable, Hashable {
    /// The epoch that it would begin.
    public var epoch: Int64
    /// The modes that it leads to.
    public var to: TableModes
    /// The cluster in which it is decided: there it becomes the record, or is taken away. Elsewhere it is a copy, for replicas
    /// that cannot reach that cluster.
    public var decider: Cluster
    /// Who proposes, and why.
    public var change: StageChange

    /// A proposal.
    public init(epoch: Int64, to: TableModes, decider: Cluster, change: StageChange) {
        self.epoch = epoch
        self.to = to
        self.decider = decider
        self.change = change
    }

    /// A proposal in which no table has a mode of its own.
    public init(epoch: Int64, to: ModeStage, decider: Cluster, change: StageChange) {
        self.init(epoch: epoch, to: TableModes(to, .none), decider: decider, change: change)
    }

    /// What it is if it is accepted.
    public var decided: SharedRecord { SharedRecord(epoch: self.epoch, modes: self.to, change: self.change) }
}

/// What a cluster keeps. Each write of it is conditional on the revision before, so that none is made on an old view.
public struct RegisterRow: Sendable, Hashable {
    /// Another one with each write.
    public var revision: CQLUUID
    /// What is decided, as far as this cluster knows.
    public var record: SharedRecord
    /// What is proposed.
    public var proposal: Proposal?

    /// A row.
    public init(revision: CQLUUID, record: SharedRecord, proposal: Proposal? = nil) {
        self.revision = revision
        self.record = record
        self.proposal = proposal
    }
}
