public import CQLProtocol
public import DualWriteCore

/// What a replica says of itself in a cluster.
public struct ReplicaEntry: Sendable, Hashable {
    /// What a replica says to a proposal.
    public enum Answer: Sendable, Hashable {
        /// It could go there now, and prepares for no other proposal of the epoch.
        case prepared(CQLUUID)
        /// It could not, and why.
        case refused(CQLUUID, String)
    }

    /// Its name, which stays over restarts.
    public var id: String
    /// Where its admin port is, for people.
    public var address: String
    /// The epoch in which it acts; nil while it has not joined.
    public var applied: Int64?
    /// What it says to the latest proposal that it has seen.
    public var answer: Answer?
    /// Acknowledged writes that it owes each cluster.
    public var owed: PerCluster<Int64>
    /// Why it does not act in the epoch that is decided; nil where it does.
    public var fault: String?
    /// When it has said this, in milliseconds since 1970 of its own clock: compared with its own entries alone.
    public var at: Int64
    /// Whether it has said so within the time to live of its sign of life, by the cluster's clock.
    public var isSeen: Bool

    /// An entry.
    public init(
        id: String,
        address: String,
        applied: Int64?,
        answer: Answer? = nil,
        owed: PerCluster<Int64> = PerCluster(both: 0),
        fault: String? = nil,
        at: Int64,
        isSeen: Bool = true
    ) {
        self.id = id
        self.address = address
        self.applied = applied
        self.answer = answer
        self.owed = owed
        self.fault = fault
        self.at = at
        self.isSeen = isSeen
    }

    /// Whether it has prepared for a proposal.
    public func hasPrepared(_ proposal: Proposal) -> Bool { self.answer == .prepared(proposal.change.id) }

    /// Why it has refused a proposal; nil where it has not.
    public func refusal(of proposal: Proposal) -> String? {
        guard case .refused(let id, let reason) = self.answer, id == proposal.change.id else { return nil }
        return reason
    }

    /// Whether they are the same, sign of life and moment included.
    public static func == (left: Self, right: Self) -> Bool {
        left.isSame(as: right) && left.at == right.at && left.isSeen == right.isSeen
    }

    /// By name and moment.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.id)
        hasher.combine(self.at)
    }

    /// Whether two entries say the same, whenever they say it.
    public func isSame(as other: Self) -> Bool {
        self.id == other.id && self.address == other.address && self.applied == other.applied
            && self.answer == other.answer && self.fault == other.fault
            && Cluster.allCases.allSatisfy { self.owed[$0] == other.owed[$0] }
    }
}

/// All replicas that the clusters know of, each once.
public struct Replicas: Sendable, Hashable {
    /// By name.
    public private(set) var entries: [ReplicaEntry] = []

    /// Nobody.
    public init() {}

    /// The entries of the clusters that could be read. Of several of one replica the one that it has said last counts, and it
    /// lives where any of them says so.
    public init(_ lists: [[ReplicaEntry]]) {
        var byID: [String: ReplicaEntry] = [:]
        for entry in lists.joined() {
            guard let known = byID[entry.id] else {
                byID[entry.id] = entry
                continue
            }
            var latest = known.at >= entry.at ? known : entry
            latest.isSeen = known.isSeen || entry.isSeen
            byID[entry.id] = latest
        }
        self.entries = byID.values.sorted { $0.id < $1.id }
    }

    /// What a replica knows of itself is newer than what it has read.
    mutating func note(_ applied: Int64?, of id: String) {
        guard let index = self.entries.firstIndex(where: { $0.id == id }) else { return }
        self.entries[index].applied = applied
    }

    /// Those that live.
    public var live: [ReplicaEntry] { self.entries.filter(\.isSeen) }
    /// Those of which nothing was heard for so long that they are taken for dead.
    public var silent: [ReplicaEntry] { self.entries.filter { !$0.isSeen } }
}
