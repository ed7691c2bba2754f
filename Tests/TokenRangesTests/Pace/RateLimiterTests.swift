import Testing

@testable import TokenRanges

struct RateLimiterTests {
    @Test func `a rate over time is exact, whatever the sizes`() {
        var generator = SeededGenerator(state: 5)
        var budget = RateBudget(RateLimits(rowsPerSecond: 1_000, bytesPerSecond: 1e9), now: 0)
        var (now, rows): (Int64, Int) = (0, 0)
        while now < 60_000_000_000 {
            let size = Int.random(in: 1...2_000, using: &generator)
            let wait = budget.take(rows: size, bytes: size, now: now)
            if wait == 0 { rows += size } else { now += wait }
        }
        // The first burst and the last debt are all that may be above.
        #expect((59_000...62_500).contains(rows))
    }

    @Test func `no limit lets all through, and the tighter of two counts`() {
        var free = RateBudget(RateLimits(), now: 0)
        #expect((0..<1_000).allSatisfy { _ in free.take(rows: .max, bytes: .max, now: 0) == 0 })
        var bytes = RateBudget(RateLimits(rowsPerSecond: 1e9, bytesPerSecond: 1_000), now: 0)
        #expect(bytes.take(rows: 1, bytes: 2_250, now: 0) == 0)
        // A quarter of a second was full: 2 000 bytes are owed.
        #expect(bytes.take(rows: 1, bytes: 1, now: 0) == 2_000_000_001)
        #expect(bytes.take(rows: 1, bytes: 1, now: 2_000_000_001) == 0)
    }

    @Test func `a clock that goes back and a rate of nothing do no harm`() {
        var budget = RateBudget(RateLimits(rowsPerSecond: 0), now: 1_000)
        #expect(budget.take(rows: 1, bytes: 0, now: 1_000) == 0)
        #expect(budget.take(rows: 1, bytes: 0, now: 0) > 0)
    }

    @Test func `raised limits let through who waits already`() async throws {
        let clock = ManualClock()
        let limiter = RateLimiter(RateLimits(rowsPerSecond: 1), clock: clock)
        try await limiter.take(rows: 1_000_000, bytes: 0)
        try await clock.running {
            async let waiting: Void = limiter.take(rows: 1, bytes: 1)
            try await clock.sleep(for: .seconds(1))
            limiter.set(RateLimits())
            try await waiting
        }
        #expect(clock.now.offset < .seconds(5))
    }

    @Test func `who is cancelled takes nothing`() async throws {
        let limiter = RateLimiter(RateLimits(rowsPerSecond: 1), clock: ManualClock())
        try await limiter.take(rows: 10, bytes: 0)
        let waiting = Task { try await limiter.take(rows: 1, bytes: 0) }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
    }
}
