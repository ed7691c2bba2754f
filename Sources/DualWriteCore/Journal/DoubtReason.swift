/// Why a partition may differ between the clusters, or whether it does must be looked at (the *dirty set*, DESIGN §6.8).
public enum DoubtReason: UInt8, Sendable, Hashable, CaseIterable {
    /// The primary's outcome is not known; the shadow got the write as if it had happened.
    case primaryUnknown = 1
    /// The shadow's outcome is not known, and the write must not be repeated.
    case shadowUnknown = 2
    /// The shadow has refused the write for good; it is a dead letter.
    case shadowRefused = 3
    /// The shadow has what the primary refused.
    case primaryRefused = 4
    /// A conditional statement was applied; paxos chose the primary's timestamp, the sidecar the shadow's.
    case conditional = 5
    /// There was no room in the journal (or on its disk); the shadow did not get the write.
    case journalFull = 6
    /// The process or the machine ended while the write was under way.
    case restart = 7
    /// The journal's record was damaged.
    case damaged = 8
    /// An operator has discarded the write.
    case discarded = 9
    /// A late copy with a limited life, in a text that is not understood: it lives longer than on the primary.
    case lifeUnclear = 10
    /// A batch of which only a part is wanted, in a text that is not understood: the cluster got all of it.
    case surplus = 11
    /// The same read had other rows on both clusters, again and again, while the cluster was owed nothing.
    case comparison = 12
    /// It came before, or after, something that its place was the other side of: TRUNCATE and list appends know no timestamps.
    case overtaken = 13

    /// The name in documents and labels.
    public var name: String {
        switch self {
        case .primaryUnknown: "primary_unknown"
        case .shadowUnknown: "shadow_unknown"
        case .shadowRefused: "shadow_refused"
        case .primaryRefused: "primary_refused"
        case .conditional: "conditional"
        case .journalFull: "journal_full"
        case .restart: "restart"
        case .damaged: "damaged"
        case .discarded: "discarded"
        case .lifeUnclear: "life_unclear"
        case .surplus: "surplus"
        case .comparison: "comparison"
        case .overtaken: "overtaken"
        }
    }

    /// How much is at stake.
    public enum Severity: UInt8, Sendable, Comparable {
        /// The clusters are equal, unless a plain write raced with the conditional one.
        case precaution
        /// The cluster may have what the other one lacks.
        case surplus
        /// The cluster may lack what was acknowledged: it must not become primary.
        case loss

        /// The name in documents.
        public var name: String {
            switch self {
            case .precaution: "precaution"
            case .surplus: "surplus"
            case .loss: "loss"
            }
        }

        /// By what is at stake.
        public static func < (left: Severity, right: Severity) -> Bool { left.rawValue < right.rawValue }
    }

    /// How much is at stake.
    public var severity: Severity {
        switch self {
        case .conditional: .precaution
        case .primaryUnknown, .primaryRefused, .lifeUnclear, .surplus: .surplus
        case .shadowUnknown, .shadowRefused, .journalFull, .restart, .damaged, .discarded, .comparison, .overtaken:
            .loss
        }
    }
}
