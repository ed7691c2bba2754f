import Synchronization

/// Lets the workers of a process through as fast as its limits allow. Thread-safe.
///
/// Who waits at the same time is let through in no particular order.
public final class RateLimiter<Time: Clock>: Sendable where Time.Duration == Duration {
    /// The longest sleep: so soon a waiting task notices that the limits were raised.
    static var sleepMax: Duration { .milliseconds(100) }

    private let clock: Time
    private let start: Time.Instant
    private let budget: Mutex<RateBudget>

    /// A limiter with full buckets.
    public init(_ limits: RateLimits = RateLimits(), clock: Time) {
        self.clock = clock
        self.start = clock.now
        self.budget = Mutex(RateBudget(limits, now: 0))
    }

    /// The limits.
    public var limits: RateLimits { self.budget.withLock { $0.limits } }

    /// Changes the limits, for those who wait already, too.
    public func set(_ limits: RateLimits) {
        let now = self.now
        self.budget.withLock { $0.set(limits, now: now) }
    }

    /// Waits until rows and bytes may be written.
    ///
    /// - Throws: `CancellationError` where the task is cancelled; nothing was taken then.
    public func take(rows: Int, bytes: Int) async throws {
        try Task.checkCancellation()
        while true {
            let now = self.now
            let wait = self.budget.withLock { $0.take(rows: rows, bytes: bytes, now: now) }
            if wait == 0 { return }
            try await self.clock.sleep(for: min(.nanoseconds(wait), Self.sleepMax))
        }
    }

    private var now: Int64 { self.start.duration(to: self.clock.now).wholeNanoseconds }
}

extension Duration {
    /// Nanoseconds; the greatest number where there are more (292 years).
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = self.components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : product + attoseconds / 1_000_000_000
    }

    /// Seconds, rounded up.
    var secondsRoundedUp: Int64 { self.components.seconds + (self.components.attoseconds > 0 ? 1 : 0) }
    /// Milliseconds, rounded up.
    var millisecondsRoundedUp: Int64 {
        let (seconds, attoseconds) = self.components
        return seconds * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    }
    /// Seconds, as near as a Double is.
    var seconds: Double { Double(self.components.seconds) + Double(self.components.attoseconds) / 1e18 }
}
