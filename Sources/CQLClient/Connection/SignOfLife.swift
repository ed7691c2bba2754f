/// What came of asking a node for a row of its own `system.local`.
public enum SignOfLife: Sendable, Hashable {
    /// It has answered after this time.
    case answered(after: Duration)
    /// It has answered that it cannot, in its words.
    case refused(String)
    /// It has not answered by the deadline, and nothing at all has come from it for so long.
    case silent(for: Duration)
    /// The connection on which it was asked has ended.
    case lost

    /// Of what two connections to a node tell, the worse: requests go on either of them.
    func worse(_ other: SignOfLife) -> SignOfLife { self.badness < other.badness ? other : self }

    private var badness: (Int, Duration) {
        switch self {
        case .answered(let time): (0, time)
        case .refused: (1, .zero)
        case .lost: (2, .zero)
        case .silent(let time): (3, time)
        }
    }
}

extension [NodeID: SignOfLife] {
    /// Adds what others have found out; of two answers about a node the worse one stays.
    public mutating func add(_ others: Self) { self.merge(others) { $0.worse($1) } }
}
