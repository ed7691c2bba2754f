import NIOCore

/// Which of two cells wins, and with which timestamp it is written where it does not win by itself. Pure.
struct CellChoice: Sendable, Hashable {
    /// Whose cell is right.
    let winner: Side
    /// The timestamp with which it is written on the other side; nil where writing changes nothing there.
    let timestamp: Int64?
    /// Whether it is higher than the cell's own.
    let isRaised: Bool

    /// Whether one cell wins over another by itself, as Cassandra reconciles replicas (`Cells.reconcile`): the newer one; of one
    /// time what ends over what does not, what ends later, and the greater value.
    static func wins(_ one: Difference.Content, over other: Difference.Content) -> Bool {
        let (time, otherTime) = (one.writetime ?? .min, other.writetime ?? .min)
        if time != otherTime { return time > otherTime }
        let (end, otherEnd) = (one.expiresAt ?? 0, other.expiresAt ?? 0)
        if (end == 0) != (otherEnd == 0) { return end != 0 }
        // Ends are told in seconds that were left: what is nearer than some of them is told by the value.
        if abs(end - otherEnd) > 2 { return end > otherEnd }
        guard let value = one.value, let otherValue = other.value else { return one.value != nil }
        let order = value.withUnsafeReadableBytes { one in
            otherValue.withUnsafeReadableBytes { ValueOrder.unsigned(one, $0) }
        }
        return order >= 0
    }

    /// What the source has, whatever its time.
    static func source(_ source: Difference.Content, over target: Difference.Content, isValueEqual: Bool) -> CellChoice
    {
        let (time, other) = (source.writetime ?? .min, target.writetime ?? .min)
        if Self.wins(source, over: target) { return CellChoice(winner: .source, timestamp: time, isRaised: false) }
        // Nothing that is written lowers a timestamp; where the value is the same, raising it more helps nobody.
        if isValueEqual, time < other { return CellChoice(winner: .source, timestamp: nil, isRaised: true) }
        return CellChoice(winner: .source, timestamp: max(time, other) + 1, isRaised: true)
    }

    /// What is newer.
    static func newest(_ source: Difference.Content, _ target: Difference.Content) -> CellChoice {
        let winner: Side = Self.wins(source, over: target) ? .source : .target
        let time = (winner == .source ? source : target).writetime
        return CellChoice(winner: winner, timestamp: time, isRaised: false)
    }
}
