import CQLProtocol
import Testing
import TokenRanges

/// A target that answers in its own time while it has no more to do than it can, and makes a queue of the rest.
struct AdaptivePaceTests {
    private func run(
        _ pace: inout AdaptivePace,
        capacity: Int,
        floor: Int64,
        rounds: Int,
        now: inout Int64,
        seed: UInt64
    ) {
        var generator = SeededGenerator(state: seed)
        for _ in 0..<rounds {
            let sent = pace.window
            let queue = max(1, Double(sent) / Double(capacity))
            for _ in 0..<sent {
                let noise = Double.random(in: 0.9...1.1, using: &generator)
                pace.answered(latency: Int64(Double(floor) * queue * noise), inFlight: sent, now: now)
            }
            now += Int64(Double(floor) * queue)
        }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `the window grows to what the target can do, and stays about there`(seed: UInt64) {
        var (pace, now) = (AdaptivePace(), Int64(0))
        self.run(&pace, capacity: 100, floor: 10_000_000, rounds: 500, now: &now, seed: seed)
        #expect(pace.window >= 100)
        #expect(pace.window <= 400)
    }

    @Test func `it gives way when the target becomes slow, and comes back`() {
        var (pace, now) = (AdaptivePace(), Int64(0))
        self.run(&pace, capacity: 200, floor: 10_000_000, rounds: 300, now: &now, seed: 7)
        let before = pace.window
        self.run(&pace, capacity: 20, floor: 10_000_000, rounds: 60, now: &now, seed: 8)
        #expect(pace.window <= 80 && pace.window < before)
        self.run(&pace, capacity: 200, floor: 10_000_000, rounds: 400, now: &now, seed: 9)
        #expect(pace.window > 100)
    }

    /// On an idle target a batch of 32 KiB takes twenty times as long as a single statement.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `large batches are not held against the floor of small ones`(seed: UInt64) {
        var pace = AdaptivePace()
        var random = SeededGenerator(state: seed)
        var now: Int64 = 0
        for _ in 0..<2_000 {
            let sent = pace.window
            let queue = max(1, Double(sent) / 100)
            for place in 0..<sent {
                let isSmall = place % 10 == 0
                let own = (isSmall ? 300_000 : 6_000_000) * Double.random(in: 0.9...1.1, using: &random)
                pace.answered(
                    latency: Int64(own * queue),
                    bytes: isSmall ? 200 : 32_000,
                    inFlight: sent,
                    now: now
                )
            }
            now += Int64(6_000_000 * queue)
        }
        #expect(pace.window >= 100)
        #expect(pace.window <= 400)
    }

    /// An application keeps the target busy: an answer takes five milliseconds, one in twenty is lucky.
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `beside others that keep the target busy it takes a share`(seed: UInt64) {
        var pace = AdaptivePace()
        var random = SeededGenerator(state: seed)
        var (now, sent): (Int64, Int) = (0, 0)
        while now < 120_000_000_000 {
            for _ in 0..<pace.window {
                let alone = Int.random(in: 0..<20, using: &random) == 0 ? 300_000.0 : 5_000_000
                let queue = max(1, Double(pace.window) / 16)
                pace.answered(latency: Int64(alone * queue), inFlight: pace.window, now: now)
                sent += 1
            }
            now += 5_000_000
        }
        // One at a time would have been 24 000.
        #expect(sent > 120_000)
        #expect(pace.window <= 64)
    }

    /// The target does one after the other: each further one in flight only waits.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `its own queue is not taken for others'`(seed: UInt64) {
        var (pace, now) = (AdaptivePace(window: 1), Int64(0))
        self.run(&pace, capacity: 1, floor: 10_000_000, rounds: 2_000, now: &now, seed: seed)
        #expect(pace.window <= 4)
    }

    @Test func `others come and go, and the window is the target's again`() {
        var (pace, now) = (AdaptivePace(), Int64(0))
        for (floor, seed) in [(4_000_000, 1), (40_000_000, 2), (4_000_000, 3)] as [(Int64, UInt64)] {
            self.run(&pace, capacity: 100, floor: floor, rounds: 1_000, now: &now, seed: seed)
            #expect(pace.window >= 50)
            #expect(pace.window <= 400)
        }
    }

    @Test func `a target that is slow at first is used to the full when it is not`() {
        var (pace, now) = (AdaptivePace(window: 16), Int64(0))
        self.run(&pace, capacity: 2, floor: 80_000_000, rounds: 40, now: &now, seed: 4)
        self.run(&pace, capacity: 100, floor: 2_000_000, rounds: 1_000, now: &now, seed: 5)
        #expect(pace.window >= 100)
    }

    @Test func `a push back halves it once a round, and never below the least`() {
        var pace = AdaptivePace(limits: .init(writesMin: 2), window: 64)
        pace.answered(latency: 10_000_000, inFlight: 1, now: 0)
        pace.pushedBack(now: 1)
        pace.pushedBack(now: 2)
        #expect(pace.window == 32)
        for round in 1...20 { pace.pushedBack(now: Int64(round) * 20_000_000) }
        #expect(pace.window == 2)
        #expect(pace.room(inFlight: 5) == 0)
    }

    @Test func `a window that is not used does not grow, and a noise is no latency`() {
        var pace = AdaptivePace(window: 8)
        for now in 0..<1_000 as Range<Int64> { pace.answered(latency: 100_000, inFlight: 2, now: now) }
        #expect(pace.window == 8)
        pace.answered(latency: 1_500_000, inFlight: 8, now: 1_001)
        #expect(pace.window == 8)
    }

    @Test func `what the target says of itself is told from what it says of a write`() {
        #expect(AdaptivePace.isPushback(.overloaded))
        #expect(AdaptivePace.isPushback(.writeTimeout))
        #expect(AdaptivePace.isPushback(.unavailable))
        #expect(!AdaptivePace.isPushback(.invalid))
        #expect(!AdaptivePace.isPushback(.unauthorized))
    }
}
