/// What the comparison says of a table.
public enum Verdict: Sendable, Hashable {
    /// Everything that was to be compared is equal.
    case inSync
    /// There are differences that remained.
    case differs(reason: String)
    /// Not everything is known: ranges are missing, rows are undecided, or the table cannot be compared. No difference was found
    /// so far.
    case incomplete(reason: String)

    /// The word for machines.
    public var word: String {
        switch self {
        case .inSync: "in_sync"
        case .differs: "differs"
        case .incomplete: "incomplete"
        }
    }

    /// Why it is not in sync; nil where it is.
    public var reason: String? {
        switch self {
        case .inSync: nil
        case .differs(let reason), .incomplete(let reason): reason
        }
    }
}
