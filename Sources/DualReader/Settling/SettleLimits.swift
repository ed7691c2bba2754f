/// How a difference is looked at again before it counts.
public struct SettleLimits: Sendable, Hashable {
    /// How long after it was found a row is read again for the first time.
    public var settle = Duration.seconds(2)
    /// The longest pause between two readings; each is twice the one before.
    public var pauseMax = Duration.seconds(30)
    /// How often a row is read again; at least 1. What differs each time, and each time in the same way, counts.
    public var readsMin = 3
    /// How often a row is read again that differs in another way each time; then it is undecided.
    public var readsMax = 10
    /// How long a row may be owed by the dual writer; then it is undecided.
    public var owedMax = Duration.seconds(600)
    /// Rows of one part that wait to be read again, at most; the scan of the part goes on when they are decided.
    public var pendingMax = 1_000
    /// Rows of one part that are read again at the same time.
    public var inFlightMax = 16
    /// How often a reading is tried before the row is undecided.
    public var triesMax = 4

    /// The defaults.
    public init() {}
}
