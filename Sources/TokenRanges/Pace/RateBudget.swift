/// How fast a job may go.
public struct RateLimits: Sendable, Hashable {
    /// Rows in a second; nil for as many as there are. Zero and below count as the smallest limit, not as a stop: that is what
    /// the command `pause` is for.
    public var rowsPerSecond: Double?
    /// Bytes in a second; nil for as many as there are.
    public var bytesPerSecond: Double?

    /// Limits; none where nothing is said.
    public init(rowsPerSecond: Double? = nil, bytesPerSecond: Double? = nil) {
        self.rowsPerSecond = rowsPerSecond
        self.bytesPerSecond = bytesPerSecond
    }
}

/// What may still be spent of some limits: two token buckets that may go into debt. A value; all times are nanoseconds of one
/// clock.
///
/// Something is let through while nothing is owed, whatever its size, and the next must wait until its debt is paid. So what is
/// larger than a bucket passes too, and the rate over time is exact.
public struct RateBudget: Sendable {
    /// How long a bucket fills that nobody empties, in seconds: the burst that follows a pause.
    static var burstSeconds: Double { 0.25 }
    /// The smallest rate, per second.
    static var rateMin: Double { 0.001 }

    private struct Bucket: Sendable {
        var rate: Double
        var level: Double
        var time: Int64

        init(rate: Double, now: Int64) {
            self.rate = max(rate, RateBudget.rateMin)
            self.level = max(1, self.rate * RateBudget.burstSeconds)
            self.time = now
        }

        mutating func fill(_ now: Int64) {
            guard now > self.time else { return }
            let gained = self.rate * Double(now - self.time) / 1e9
            self.level = min(max(1, self.rate * RateBudget.burstSeconds), self.level + gained)
            self.time = now
        }

        /// How long it owes something, in nanoseconds; 0 where it does not.
        var wait: Int64 {
            guard self.level <= 0 else { return 0 }
            // Some more, so that rounding does not end a moment too early.
            return Int64(min((-self.level / self.rate * 1e9).rounded(.up) + 1, 1e18))
        }
    }

    /// The limits.
    public private(set) var limits: RateLimits
    private var rows: Bucket?
    private var bytes: Bucket?

    /// A budget with full buckets.
    public init(_ limits: RateLimits, now: Int64) {
        self.limits = limits
        self.rows = limits.rowsPerSecond.map { Bucket(rate: $0, now: now) }
        self.bytes = limits.bytesPerSecond.map { Bucket(rate: $0, now: now) }
    }

    /// Takes rows and bytes, if nothing is owed.
    ///
    /// - Returns: 0 where they were taken; else how long to wait before asking again, in nanoseconds.
    public mutating func take(rows: Int, bytes: Int, now: Int64) -> Int64 {
        self.rows?.fill(now)
        self.bytes?.fill(now)
        let wait = max(self.rows?.wait ?? 0, self.bytes?.wait ?? 0)
        guard wait == 0 else { return wait }
        self.rows?.level -= Double(max(0, rows))
        self.bytes?.level -= Double(max(0, bytes))
        return 0
    }

    /// Changes the limits. What is owed is owed at the new rate.
    public mutating func set(_ limits: RateLimits, now: Int64) {
        self.limits = limits
        self.rows = Self.changed(self.rows, to: limits.rowsPerSecond, now)
        self.bytes = Self.changed(self.bytes, to: limits.bytesPerSecond, now)
    }

    private static func changed(_ bucket: Bucket?, to rate: Double?, _ now: Int64) -> Bucket? {
        guard let rate else { return nil }
        var new = Bucket(rate: rate, now: now)
        guard var old = bucket else { return new }
        old.fill(now)
        new.level = min(new.level, old.level)
        return new
    }
}
