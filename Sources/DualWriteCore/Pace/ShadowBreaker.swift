/// Whether writes are sent to a leg at all: one that fails or keeps silent gets none, but for a probe now and then (DESIGN §6.5).
///
/// Closed → open when too many of the last outcomes are failures; open → half open when a probe is sent; half open → closed when
/// the probe is answered, else open again for a longer pause. A value of its loop; all times are nanoseconds of its clock.
public struct ShadowBreaker: Sendable {
    /// What opens a breaker, and how long it stays open.
    public struct Limits: Sendable, Hashable {
        /// Failures in a row that open it.
        public var failuresInARowMax: Int
        /// The share of failures among the last outcomes, 0…1, that opens it.
        public var failedShareMax: Double
        /// How many of the last outcomes count for the share, 1…64.
        public var windowOutcomes: Int
        /// The share counts only from so many outcomes on.
        public var windowOutcomesMin: Int
        /// The pause before the first probe, in milliseconds; each further one doubles.
        public var pauseMillisecondsMin: Int
        /// The longest pause, in milliseconds.
        public var pauseMillisecondsMax: Int
        /// A probe that says nothing for so long, in milliseconds, is forgotten, and another one may go.
        public var probeMillisecondsMax: Int

        /// Limits that suit a cluster across a wide network.
        public init(
            failuresInARowMax: Int = 5,
            failedShareMax: Double = 0.5,
            windowOutcomes: Int = 64,
            windowOutcomesMin: Int = 20,
            pauseMillisecondsMin: Int = 250,
            pauseMillisecondsMax: Int = 15_000,
            probeMillisecondsMax: Int = 30_000
        ) {
            self.failuresInARowMax = max(1, failuresInARowMax)
            self.failedShareMax = failedShareMax
            self.windowOutcomes = min(max(1, windowOutcomes), UInt64.bitWidth)
            self.windowOutcomesMin = min(max(1, windowOutcomesMin), self.windowOutcomes)
            self.pauseMillisecondsMin = max(1, pauseMillisecondsMin)
            self.pauseMillisecondsMax = max(self.pauseMillisecondsMin, pauseMillisecondsMax)
            self.probeMillisecondsMax = max(1, probeMillisecondsMax)
        }
    }

    /// How one write ended, as far as it says something of the leg.
    public enum Outcome: Sendable, Hashable, CaseIterable {
        /// It was applied.
        case success
        /// It was refused for what it is (invalid, unauthorized …): the leg works.
        case refused
        /// The leg could not do it now: unavailable, overloaded, a write timeout, a lost connection, no node.
        case failed
        /// No answer before the deadline.
        case silent

        /// Whether the leg did its part.
        var isAnswer: Bool {
            switch self {
            case .success, .refused: true
            case .failed, .silent: false
            }
        }
    }

    /// What a breaker lets through.
    public enum State: Sendable, Hashable {
        /// Everything.
        case closed
        /// Nothing before the next probe.
        case open
        /// Nothing until the probe that is on its way has ended.
        case halfOpen
    }

    /// What changed with an outcome.
    public enum Change: Sendable, Hashable {
        case none
        /// Writes are no longer sent from here on.
        case opened
        /// Writes may be sent again.
        case closed
    }

    private enum Phase: Sendable {
        case closed(Window)
        /// - Parameter probes: that have failed since it opened.
        case open(probes: Int, nextProbe: Int64)
        case halfOpen(probes: Int, since: Int64)
    }

    /// The last outcomes, one bit each: set for a failure, the newest last.
    private struct Window: Sendable {
        var failures: UInt64 = 0
        var count = 0
        var failuresInARow = 0

        mutating func note(isFailure: Bool, size: Int) {
            self.failures = self.failures << 1 | (isFailure ? 1 : 0)
            if size < UInt64.bitWidth { self.failures &= 1 << UInt64(size) - 1 }
            self.count = min(self.count + 1, size)
            self.failuresInARow = isFailure ? self.failuresInARow + 1 : 0
        }

        var failedShare: Double { Double(self.failures.nonzeroBitCount) / Double(max(1, self.count)) }
    }

    private let limits: Limits
    private var phase = Phase.closed(Window())

    /// A closed breaker.
    public init(limits: Limits = Limits()) { self.limits = limits }

    /// What it lets through.
    public var state: State {
        switch self.phase {
        case .closed: .closed
        case .open: .open
        case .halfOpen: .halfOpen
        }
    }

    /// When the next probe may go; nil while it is closed. While one is on its way, when that one is given up.
    public var nextProbe: Int64? {
        switch self.phase {
        case .closed: nil
        case .open(_, let nextProbe): nextProbe
        case .halfOpen(_, let since): since + Self.nanoseconds(self.limits.probeMillisecondsMax)
        }
    }

    /// Whether a probe may go.
    public func mayProbe(now: Int64) -> Bool { self.nextProbe.map { $0 <= now } ?? false }

    /// A probe goes. To be called only where ``mayProbe(now:)`` says so.
    public mutating func probeBegan(now: Int64) {
        switch self.phase {
        case .closed: preconditionFailure("a closed breaker needs no probe")
        case .open(let probes, let nextProbe):
            precondition(nextProbe <= now, "the pause is not over")
            self.phase = .halfOpen(probes: probes, since: now)
        case .halfOpen(let probes, _):
            precondition(self.mayProbe(now: now), "a probe is on its way")
            self.phase = .halfOpen(probes: probes + 1, since: now)
        }
    }

    /// A write has ended.
    ///
    /// - Parameters:
    ///   - isProbe: it was sent as a probe. While the breaker is not closed, nothing else counts: what was sent before it opened
    ///     tells of the past.
    ///   - random: a number in 0..<1 that spreads the pauses, so that many sidecars do not come back at one moment.
    public mutating func ended(_ outcome: Outcome, isProbe: Bool, now: Int64, random: Double) -> Change {
        switch self.phase {
        case .closed(var window):
            window.note(isFailure: !outcome.isAnswer, size: self.limits.windowOutcomes)
            let isTooMuch =
                window.failuresInARow >= self.limits.failuresInARowMax
                || window.count >= self.limits.windowOutcomesMin && window.failedShare >= self.limits.failedShareMax
            guard !outcome.isAnswer, isTooMuch else {
                self.phase = .closed(window)
                return .none
            }
            self.open(probes: 0, now: now, random: random)
            return .opened
        case .open: return .none
        case .halfOpen(let probes, _):
            guard isProbe else { return .none }
            guard outcome.isAnswer else {
                self.open(probes: probes + 1, now: now, random: random)
                return .none
            }
            self.phase = .closed(Window())
            return .closed
        }
    }

    private mutating func open(probes: Int, now: Int64, random: Double) {
        // Beyond 20 doublings any pause has reached its limit.
        let doubled = self.limits.pauseMillisecondsMin.multipliedReportingOverflow(by: 1 << min(probes, 20))
        let pause = doubled.overflow ? self.limits.pauseMillisecondsMax : doubled.partialValue
        let half = Self.nanoseconds(min(pause, self.limits.pauseMillisecondsMax)) / 2
        let spread = Int64(Double(half) * min(max(random, 0), 1))
        self.phase = .open(probes: probes, nextProbe: now + half + spread)
    }

    private static func nanoseconds(_ milliseconds: Int) -> Int64 { Int64(milliseconds) * 1_000_000 }
}
