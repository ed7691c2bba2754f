/// A row that differed, and what its later readings say of it. Pure: time is passed in.
struct SettlingRow: Sendable {
    /// What a reading means.
    enum Verdict: Sendable, Hashable {
        /// Both clusters agree by now.
        case agrees
        /// It is read again.
        case again
        /// These differences were there each time and have not moved.
        case remains([Difference])
        /// Nobody knows.
        case undecided(String)
    }

    let place: RowPlace
    /// What the last reading found.
    private(set) var differences: [Difference]
    private(set) var reads = 0

    init(_ suspect: Suspect) {
        self.place = suspect.place
        self.differences = suspect.differences
    }

    /// Another reading has found these differences.
    ///
    /// - Parameters:
    ///   - isOwed: whether the dual writer's journal still holds something for the partition.
    ///   - elapsed: how long the row has been waiting.
    mutating func read(
        _ current: [Difference],
        isOwed: Bool,
        elapsed: Duration,
        _ limits: SettleLimits
    ) -> Verdict {
        guard !current.isEmpty else { return .agrees }
        let remaining = current.filter { now in self.differences.contains { $0.isSame(as: now) } }
        self.differences = current
        self.reads += 1
        if isOwed {
            guard elapsed < limits.owedMax else {
                return .undecided("the dual writer still owes it after \(elapsed.components.seconds) s")
            }
            // What is owed may yet change: counting begins when nothing is.
            self.reads = 0
            return .again
        }
        guard self.reads >= max(1, limits.readsMin) else { return .again }
        if !remaining.isEmpty { return .remains(remaining) }
        guard self.reads < max(limits.readsMin, limits.readsMax) else {
            return .undecided("it was another difference each of \(self.reads) times")
        }
        return .again
    }
}
