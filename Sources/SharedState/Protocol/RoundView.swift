public import DualWriteCore

/// What a replica has read of one cluster.
public enum ClusterView: Sendable, Hashable {
    /// There is no such cluster.
    case notConfigured
    /// It cannot be read, and why.
    case unreadable(String)
    /// Its row, where it has one, and its list of replicas.
    case read(RegisterRow?, [ReplicaEntry])

    /// The row, where there is one and it can be read.
    var row: RegisterRow? {
        if case .read(let row, _) = self { return row }
        return nil
    }

    /// The list of replicas; nil where it cannot be read.
    var entries: [ReplicaEntry]? {
        if case .read(_, let entries) = self { return entries }
        return nil
    }

    var isReadable: Bool { self.entries != nil }
}

/// What a replica has read of both clusters at one time.
public struct RoundView: Sendable {
    /// What each of them says.
    public var clusters: PerCluster<ClusterView>

    /// A view.
    public init(source: ClusterView, target: ClusterView) {
        self.clusters = PerCluster(source: source, target: target)
    }

    /// The clusters of which there is any.
    public var configured: [Cluster] { Cluster.allCases.filter { self.clusters[$0] != .notConfigured } }
    /// Those that could be read.
    public var readable: [Cluster] { Cluster.allCases.filter { self.clusters[$0].isReadable } }
    /// Those that could not.
    public var unreadable: [Cluster] { self.configured.filter { !self.clusters[$0].isReadable } }
    /// The replicas of all that could be read.
    public var replicas: Replicas { Replicas(self.readable.compactMap { self.clusters[$0].entries }) }
    /// The record that counts of all that could be read.
    public var record: SharedRecord? {
        self.readable.reduce(nil) { SharedRecord.latest($0, self.clusters[$1].row?.record) }
    }

    /// Why nothing could be read, cluster by cluster.
    public var reasons: String {
        self.configured.compactMap { cluster in
            if case .unreadable(let reason) = self.clusters[cluster] { return "\(cluster): \(reason)" }
            return nil
        }.joined(separator: "; ")
    }

    /// The proposal that replicas should prepare for, given what is decided.
    ///
    /// A copy counts only while the cluster that decides cannot be read, or says the same.
    func proposal(after record: SharedRecord) -> Proposal? {
        var found: [Proposal] = []
        for cluster in self.readable {
            guard let proposal = self.clusters[cluster].row?.proposal, proposal.epoch > record.epoch else { continue }
            if proposal.decider == cluster || !self.clusters[proposal.decider].isReadable { found.append(proposal) }
        }
        return found.first
    }
}

/// What a replica does at the end of a round, in this order. What is lost on the way is done again in a later round.
public enum RoundAction: Sendable, Hashable {
    /// Keep this where a restart finds it; where that fails, nothing that follows may be done.
    case keep(Replica.Kept)
    /// Act in the modes of a record, and say so with ``Replica/applied(_:)`` or ``Replica/notApplied(_:reason:)``.
    case apply(SharedRecord)
    /// Find out whether the modes could be entered, and say so with ``Replica/answered(_:refusal:)``.
    case prepare(Proposal)
    /// Write a row into a cluster if its revision is still the expected one; nil: if it has none. The next round sees what
    /// came of it, so no answer is needed.
    case write(Cluster, expected: RegisterRow?, RegisterRow)
    /// Tell whoever has asked for a change what came of it.
    case end(ChangeOutcome)
}

/// What came of a change that somebody has asked for.
public enum ChangeOutcome: Sendable, Hashable {
    /// It is decided; these replicas do not act in it yet.
    case done(SharedRecord, laggards: [String])
    /// It was not proposed, or was taken back. Nothing has changed.
    case refused(String)
    /// The cluster that decides does not answer: it may come to be decided or not.
    case unknown(String)
}
