/// How many writes come each second, judged over about the last second. A value of its loop; times are nanoseconds of its clock.
public struct ArrivalRate: Sendable {
    /// Shorter spans say little.
    private static var spanMin: Double { 100_000_000 }
    /// What was longer ago than this hardly counts.
    private static var memory: Double { 1_000_000_000 }

    private var total: UInt64 = 0
    private var since: Int64?
    /// Writes a second; 0 before anything is known.
    public private(set) var perSecond = 0.0

    /// Nothing has come yet.
    public init() {}

    /// Follows a counter that only grows.
    public mutating func follow(_ total: UInt64, now: Int64) {
        guard let since = self.since else {
            (self.total, self.since) = (total, now)
            return
        }
        let span = Double(now - since)
        guard span >= Self.spanMin else { return }
        let rate = Double(total &- self.total) * 1_000_000_000 / span
        self.perSecond += (rate - self.perSecond) * min(1, span / Self.memory)
        (self.total, self.since) = (total, now)
    }
}
