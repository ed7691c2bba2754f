import DualWriteCore
import TestSupport
import Testing

struct ReplayPaceTests {
    private static let millisecond: Int64 = 1_000_000
    private static let limits = ReplayPace.Limits(writesMin: 2, writesMax: 64, periodMilliseconds: 10_000)

    /// Answers that all come after the same time, each to a full window, one round after the other.
    private func run(_ pace: inout ReplayPace, rounds: Int, milliseconds: Int64, now: inout Int64) {
        for _ in 0..<rounds {
            now += milliseconds * Self.millisecond
            for _ in 0..<pace.window {
                pace.answered(latency: milliseconds * Self.millisecond, inFlight: pace.window, now: now)
            }
        }
    }

    @Test func `it begins with the least window and doubles with each round`() {
        var pace = ReplayPace(limits: Self.limits)
        var now: Int64 = 0
        var windows: [Int] = []
        for _ in 0..<7 {
            windows.append(pace.window)
            self.run(&pace, rounds: 1, milliseconds: 10, now: &now)
        }
        #expect(windows == [2, 4, 8, 16, 32, 64, 64])
        #expect(pace.smallestLatency == 10 * Self.millisecond)
    }

    @Test func `room is what the window leaves`() {
        let pace = ReplayPace(limits: Self.limits)
        #expect(pace.room(inFlight: 0) == 2 && pace.room(inFlight: 2) == 0 && pace.room(inFlight: 9) == 0)
        #expect(pace.smallestLatency == nil)
    }

    @Test func `a window that is not used does not grow`() {
        var pace = ReplayPace(limits: Self.limits)
        for step in 0..<100 {
            pace.answered(latency: 5 * Self.millisecond, inFlight: 1, now: Int64(step) * Self.millisecond)
        }
        #expect(pace.window == 2)
    }

    @Test func `it shrinks when the latency has doubled, and grows by one a round from then on`() {
        var pace = ReplayPace(limits: Self.limits)
        var now: Int64 = 0
        self.run(&pace, rounds: 4, milliseconds: 10, now: &now)
        #expect(pace.window == 32)
        self.run(&pace, rounds: 6, milliseconds: 40, now: &now)
        let shrunk = pace.window
        #expect(shrunk < 20)
        // The judged latency follows within two rounds; then each round is worth one.
        self.run(&pace, rounds: 2, milliseconds: 10, now: &now)
        let before = pace.window
        self.run(&pace, rounds: 5, milliseconds: 10, now: &now)
        #expect((before + 4...before + 6).contains(pace.window))
    }

    @Test func `a failure halves it once in a round, down to the least`() {
        var pace = ReplayPace(limits: Self.limits)
        var now: Int64 = 0
        self.run(&pace, rounds: 5, milliseconds: 10, now: &now)
        #expect(pace.window == 64)
        for _ in 0..<30 { pace.failed(now: now) }
        #expect(pace.window == 32, "all of them were sent under the former window")
        for _ in 0..<10 {
            now += 10 * Self.millisecond
            pace.failed(now: now)
        }
        #expect(pace.window == 2)
    }

    @Test func `a leg that is always slower than its best gets more than what comes anew`() {
        var pace = ReplayPace(limits: Self.limits)
        var now: Int64 = 0
        self.run(&pace, rounds: 1, milliseconds: 1, now: &now)
        self.run(&pace, rounds: 60, milliseconds: 6, now: &now)
        #expect(pace.window == 2, "its latency alone says that it is overloaded")
        // 3,000 a second, each 6 ms on its way: 18 at a time keep up.
        #expect((20...23).contains(pace.window(for: 3_000, now: now)))
        #expect(pace.window(for: 0, now: now) == 2)
        #expect(pace.window(for: 1_000_000_000, now: now) == 64)
    }

    @Test func `a leg that fails gets no more than the window for a second`() {
        var pace = ReplayPace(limits: Self.limits)
        #expect(pace.window(for: 3_000, now: 0) == 2, "nothing is known yet")
        var now: Int64 = 0
        self.run(&pace, rounds: 10, milliseconds: 6, now: &now)
        pace.failed(now: now)
        let shrunk = pace.window
        #expect(pace.window(for: 1_000_000, now: now + 999 * Self.millisecond) == shrunk)
        #expect(pace.window(for: 1_000_000, now: now + 1_000 * Self.millisecond) == 64)
    }

    @Test func `what is slower by less than the noise is not slower`() {
        var pace = ReplayPace(limits: Self.limits)
        var now: Int64 = 0
        for step in 0..<200 {
            now += Self.millisecond
            let microseconds: Int64 = step == 0 ? 50 : 900
            pace.answered(latency: microseconds * 1000, inFlight: pace.window, now: now)
        }
        #expect(pace.window == 64)
    }

    @Test func `one slow answer among many is no congestion`() {
        var pace = ReplayPace(limits: Self.limits)
        var now: Int64 = 0
        self.run(&pace, rounds: 5, milliseconds: 10, now: &now)
        now += 10 * Self.millisecond
        pace.answered(latency: 60 * Self.millisecond, inFlight: 64, now: now)
        #expect(pace.window == 64)
    }

    @Test func `each period it makes room to see the smallest latency anew`() {
        var pace = ReplayPace(limits: Self.limits)
        var now: Int64 = 0
        self.run(&pace, rounds: 5, milliseconds: 10, now: &now)
        #expect(pace.window == 64)
        now = 10_010 * Self.millisecond
        pace.answered(latency: 10 * Self.millisecond, inFlight: 64, now: now)
        #expect(pace.window == 32)
        // A leg that is further away for good is soon measured by its new distance.
        self.run(&pace, rounds: 500, milliseconds: 60, now: &now)
        #expect(pace.smallestLatency == 60 * Self.millisecond)
        #expect(pace.window > 32)
    }

    @Test func `limits that make no sense are brought to ones that do`() {
        var pace = ReplayPace(limits: ReplayPace.Limits(writesMin: -1, writesMax: -7))
        #expect(pace.window == 1)
        pace.answered(latency: -5, inFlight: 1, now: 0)
        #expect(pace.window == 1 && pace.smallestLatency == 0)
    }

    /// A leg that serves `capacity` writes at once, each in 10 ms; more of them wait in its queue.
    @Test(arguments: [1, 4, 16, 60])
    func `it finds what a leg can do at once`(capacity: Int) {
        var pace = ReplayPace(limits: ReplayPace.Limits(writesMax: 64, periodMilliseconds: 10_000))
        var now: Int64 = 0
        var windows: [Int] = []
        for _ in 0..<2_000 {
            let window = pace.window
            let latency = 10 * Self.millisecond * Int64((window + capacity - 1) / capacity)
            now += latency
            for _ in 0..<window { pace.answered(latency: latency, inFlight: window, now: now) }
            windows.append(window)
        }
        let settled = windows.suffix(1_000)
        let mean = Double(settled.reduce(0, +)) / 1_000
        #expect(mean >= Double(min(capacity, 64)) * 0.6, "the leg is used")
        #expect(mean <= max(2, Double(capacity) * 1.5), "and does not drown")
    }

    @Test func `whatever happens, the window stays within its bounds`() {
        var random = SeededRandom(seed: 20_261_129)
        for _ in 0..<100 {
            var pace = ReplayPace(limits: Self.limits)
            var now: Int64 = 0
            for _ in 0..<1_000 {
                now += Int64.random(in: 0...50, using: &random) * Self.millisecond
                if Int.random(in: 0..<10, using: &random) == 0 {
                    pace.failed(now: now)
                } else {
                    let latency = Int64.random(
                        in: 0...Int64(1) << Int64.random(in: 1...40, using: &random),
                        using: &random
                    )
                    pace.answered(latency: latency, inFlight: Int.random(in: 0...80, using: &random), now: now)
                }
                #expect((2...64).contains(pace.window))
            }
        }
    }
}
