import DualWriteCore

/// How many of the statements that a cluster is owed keep an order, wherever they wait: the one thing of a shadow lane that every
/// write asks.
struct OwedOrder {
    /// Statements that nothing may overtake: TRUNCATE and schema changes.
    private(set) var fences = 0
    /// Writes that keep their order among themselves: list appends and their like.
    private(set) var ordered = 0

    /// The lane has taken on a statement.
    @inline(__always)
    mutating func took(_ kind: RequestKind) {
        if kind.isFence { self.fences += 1 }
        if kind.isOrdered { self.ordered += 1 }
    }

    /// A statement is not owed any more.
    @inline(__always)
    mutating func letGo(of kind: RequestKind) {
        if kind.isFence { self.fences -= 1 }
        if kind.isOrdered { self.ordered -= 1 }
    }
}
