import Synchronization
import TokenRanges

/// How long requests took, in buckets that double. A value.
public struct LatencyBuckets: Sendable, Hashable, Codable {
    /// The upper bounds of the buckets, in seconds; what is above the last one is in a bucket of its own.
    public static let bounds: [Double] = (0..<16).map { 0.000_5 * Double(1 << $0) }

    /// How many requests there were in each bucket: one more than there are bounds.
    public private(set) var counts = [Int](repeating: 0, count: LatencyBuckets.bounds.count + 1)
    /// All together, in seconds.
    public private(set) var sum = 0.0

    /// Nothing yet.
    public init() {}

    /// How many there were.
    public var count: Int { self.counts.reduce(0, +) }
    /// The mean in seconds; nil before the first one.
    public var mean: Double? { self.count > 0 ? self.sum / Double(self.count) : nil }

    /// The bound of the bucket that a share of all requests is at or below, in seconds: of the 99th part of a hundred for 0.99.
    /// Nil before the first one and above the last bound.
    public func quantile(_ share: Double) -> Double? {
        let wanted = max(1, Int((Double(self.count) * share).rounded(.up)))
        var seen = 0
        for (bound, count) in zip(Self.bounds, self.counts) {
            seen += count
            if seen >= wanted { return bound }
        }
        return nil
    }

    mutating func add(_ latency: Duration) {
        let (seconds, attoseconds) = latency.components
        let value = max(0, Double(seconds) + Double(attoseconds) / 1e18)
        self.counts[Self.bounds.firstIndex { value <= $0 } ?? Self.bounds.count] += 1
        self.sum += value
    }
}

/// What all writers of a worker share: the limits of rate, and how many requests may be on the way. Thread-safe.
final class TargetPace: WritePace {
    /// What a status tells of it.
    struct Reading: Sendable {
        var inFlight = 0
        var window = 0
        var latency = LatencyBuckets()
        var pushbacks = 0
    }

    private struct State {
        var pace: AdaptivePace
        var writers = 0
        var reading = Reading()
    }

    private let limiter: RateLimiter<ContinuousClock>
    private let start = ContinuousClock.now
    private let state: Mutex<State>

    init(_ settings: LoadSettings) {
        self.limiter = RateLimiter(settings.rates, clock: ContinuousClock())
        self.state = Mutex(State(pace: AdaptivePace(limits: settings.pace, window: 16)))
    }

    var limits: RateLimits {
        get { self.limiter.limits }
        set { self.limiter.set(newValue) }
    }

    var reading: Reading {
        self.state.withLock { state in
            var reading = state.reading
            reading.window = state.pace.window
            return reading
        }
    }

    /// Runs something during which one writer more shares the window.
    func withWriter<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        self.state.withLock { $0.writers += 1 }
        defer { self.state.withLock { $0.writers -= 1 } }
        return try await body()
    }

    /// The writer's share. Rounded up: a window that is never used to the full would not grow.
    var inFlightMax: Int {
        self.state.withLock { state in
            let writers = max(1, state.writers)
            return max(1, (state.pace.window + writers - 1) / writers)
        }
    }

    func admit(statements: Int, bytes: Int) async throws {
        try await self.limiter.take(rows: statements, bytes: bytes)
    }

    func began() { self.state.withLock { $0.reading.inFlight += 1 } }

    func ended(_ attempt: WriteAttempt) {
        let now = Self.nanoseconds(ContinuousClock.now - self.start)
        self.state.withLock { state in
            let inFlight = state.reading.inFlight
            state.reading.inFlight -= 1
            switch attempt.result {
            case .acknowledged, .refused:
                state.reading.latency.add(attempt.latency)
                state.pace.answered(
                    latency: Self.nanoseconds(attempt.latency),
                    bytes: attempt.bytes,
                    inFlight: inFlight,
                    now: now
                )
            case .timedOut, .overloaded, .connectionLost:
                state.reading.pushbacks += 1
                state.pace.pushedBack(now: now)
            case .abandoned: break
            }
        }
    }

    private static func nanoseconds(_ duration: Duration) -> Int64 {
        duration.components.seconds * 1_000_000_000 + duration.components.attoseconds / 1_000_000_000
    }
}
