import DualWriteCore
import TestSupport
import Testing

struct ShadowBreakerTests {
    private static let millisecond: Int64 = 1_000_000
    private static let limits = ShadowBreaker.Limits(
        failuresInARowMax: 3,
        failedShareMax: 0.5,
        windowOutcomes: 10,
        windowOutcomesMin: 6,
        pauseMillisecondsMin: 100,
        pauseMillisecondsMax: 1_000,
        probeMillisecondsMax: 5_000
    )

    /// A breaker that has opened at 0 with the longest first pause.
    private func opened() -> ShadowBreaker {
        var breaker = ShadowBreaker(limits: Self.limits)
        for _ in 0..<3 { _ = breaker.ended(.silent, isProbe: false, now: 0, random: 1) }
        return breaker
    }

    /// Outcomes written as letters: `s`uccess, `r`efused, `f`ailed, `.` silent.
    private func changes(_ outcomes: String) -> [ShadowBreaker.Change] {
        var breaker = ShadowBreaker(limits: Self.limits)
        return outcomes.map { letter in
            let outcome: ShadowBreaker.Outcome =
                switch letter {
                case "s": .success
                case "r": .refused
                case "f": .failed
                default: .silent
                }
            return breaker.ended(outcome, isProbe: false, now: 0, random: 0)
        }
    }

    @Test(
        arguments: [
            ("fff", 3), ("f.f", 3), ("sf.fss", 4), ("ffsffsff", 7), ("fsfsfs", nil), ("fsfsff", 6), ("ssssssssss", nil),
            ("rrrrrrrrrr", nil), ("ffrffrss", nil), ("ffssssssff", nil), ("ssssssssssfsfsfsfsf", 19),
            // What has left the window no longer counts.
            ("ssssssfsfsfssssssfsfsfs", nil),
        ] as [(String, Int?)]
    )
    func `failures in a row or a share of the last ones open it`(outcomes: String, opensAt: Int?) {
        let changes = self.changes(outcomes)
        #expect(changes.firstIndex(of: .opened).map { $0 + 1 } == opensAt)
        #expect(!changes.contains(.closed))
    }

    @Test func `a closed breaker lets everything through and wants no probe`() {
        let breaker = ShadowBreaker(limits: Self.limits)
        #expect(breaker.state == .closed && breaker.nextProbe == nil && !breaker.mayProbe(now: .max))
    }

    @Test func `an open breaker lets one probe through after its pause`() {
        var breaker = self.opened()
        #expect(breaker.state == .open && breaker.nextProbe == 100 * Self.millisecond)
        #expect(!breaker.mayProbe(now: 99 * Self.millisecond) && breaker.mayProbe(now: 100 * Self.millisecond))
        breaker.probeBegan(now: 100 * Self.millisecond)
        #expect(breaker.state == .halfOpen && !breaker.mayProbe(now: 101 * Self.millisecond))
    }

    @Test(arguments: ShadowBreaker.Outcome.allCases)
    func `the probe's end decides`(outcome: ShadowBreaker.Outcome) {
        var breaker = self.opened()
        breaker.probeBegan(now: 100 * Self.millisecond)
        let change = breaker.ended(outcome, isProbe: true, now: 150 * Self.millisecond, random: 1)
        switch outcome {
        case .success, .refused:
            #expect(change == .closed && breaker.state == .closed)
            // It begins anew: what failed before it opened is forgotten.
            _ = breaker.ended(.failed, isProbe: false, now: 0, random: 0)
            #expect(breaker.ended(.failed, isProbe: false, now: 0, random: 0) == .none && breaker.state == .closed)
        case .failed, .silent:
            #expect(change == .none && breaker.state == .open && breaker.nextProbe == 350 * Self.millisecond)
        }
    }

    @Test(arguments: ShadowBreaker.Outcome.allCases)
    func `what was sent before it opened changes nothing`(outcome: ShadowBreaker.Outcome) {
        var breaker = self.opened()
        #expect(breaker.ended(outcome, isProbe: false, now: 50 * Self.millisecond, random: 0) == .none)
        #expect(breaker.state == .open && breaker.nextProbe == 100 * Self.millisecond)
        breaker.probeBegan(now: 100 * Self.millisecond)
        #expect(breaker.ended(outcome, isProbe: false, now: 110 * Self.millisecond, random: 0) == .none)
        #expect(breaker.state == .halfOpen)
    }

    @Test func `pauses double up to the limit and are spread over their upper half`() {
        for (random, share) in [(0.0, 0.5), (0.5, 0.75), (1, 1), (7, 1), (-7, 0.5)] {
            var breaker = ShadowBreaker(limits: Self.limits)
            for _ in 0..<3 { _ = breaker.ended(.failed, isProbe: false, now: 0, random: random) }
            var now: Int64 = 0
            for pause in [100, 200, 400, 800, 1_000, 1_000] + [Int](repeating: 1_000, count: 80) {
                let next = breaker.nextProbe ?? -1
                #expect(next - now == Int64(Double(pause) * share) * Self.millisecond)
                now = next
                breaker.probeBegan(now: now)
                _ = breaker.ended(.silent, isProbe: true, now: now, random: random)
            }
        }
    }

    @Test func `a probe that never ends does not keep it half open`() {
        var breaker = self.opened()
        breaker.probeBegan(now: 100 * Self.millisecond)
        #expect(breaker.nextProbe == 5_100 * Self.millisecond && !breaker.mayProbe(now: 5_099 * Self.millisecond))
        breaker.probeBegan(now: 5_100 * Self.millisecond)
        #expect(breaker.ended(.success, isProbe: true, now: 5_200 * Self.millisecond, random: 0) == .closed)
    }

    @Test func `limits that make no sense are brought to ones that do`() {
        var breaker = ShadowBreaker(
            limits: ShadowBreaker.Limits(
                failuresInARowMax: 0,
                windowOutcomes: 1_000,
                windowOutcomesMin: 5_000,
                pauseMillisecondsMin: -3,
                pauseMillisecondsMax: -5
            )
        )
        #expect(breaker.ended(.failed, isProbe: false, now: 7, random: 1) == .opened)
        #expect(breaker.nextProbe == 7 + Self.millisecond)
    }

    /// A leg that is up and down at random: the breaker never lets more than one probe out while it is open, and comes back.
    @Test func `it follows a leg that comes and goes`() {
        var random = SeededRandom(seed: 20_261_128)
        for _ in 0..<200 {
            var breaker = ShadowBreaker(limits: Self.limits)
            var now: Int64 = 0
            var isUp = true
            var isProbing = false
            for step in 0..<500 {
                now += Int64.random(in: 0...60, using: &random) * Self.millisecond
                if step < 400, Int.random(in: 0..<20, using: &random) == 0 { isUp.toggle() }
                if step == 400 { isUp = true }
                let outcome: ShadowBreaker.Outcome = isUp ? .success : .silent
                switch breaker.state {
                case .closed: _ = breaker.ended(outcome, isProbe: false, now: now, random: 0.5)
                case .open where breaker.mayProbe(now: now):
                    #expect(!isProbing)
                    breaker.probeBegan(now: now)
                    isProbing = true
                case .open: break
                case .halfOpen:
                    #expect(isProbing && !breaker.mayProbe(now: now))
                    isProbing = false
                    let change = breaker.ended(outcome, isProbe: true, now: now, random: 0.5)
                    #expect((change == .closed) == isUp)
                }
            }
            #expect(breaker.state == .closed, "the leg was up for the last hundred steps")
        }
    }
}
