public import CQLProtocol

/// How many writes may be on their way to the target at once, by what its latency and its errors say: one more with each round of
/// answers while all is well, a part less when it is not.
///
/// The latency is compared with the target's own floor: about the smallest that was seen of writes of about this size in this
/// period or the one before. A batch of many statements takes longer than a single one on an idle target, too, and that is no
/// queue. At the end of a period the window is halved, so that the floors are seen without the queue that it makes itself.
///
/// A latency that stays high in the least window is not the loader's doing: then others keep the target busy, and the floors
/// rise, so that the loader takes a small share beside them instead of almost none. A value; all times are nanoseconds of one
/// clock.
public struct AdaptivePace: Sendable {
    /// The bounds and thresholds of a pace.
    public struct Limits: Sendable, Hashable {
        /// The least window; at least 1.
        public var writesMin: Int
        /// The greatest window.
        public var writesMax: Int
        /// A latency above so many times the floor lets the window grow no more.
        public var growthFactor: Double
        /// A latency above so many times the floor shrinks the window.
        public var shrinkFactor: Double
        /// What is left of the window when the latency has risen, 0…1.
        public var shareAfterLatency: Double
        /// What is left of it when the target pushes back, and at the end of a period, 0…1.
        public var shareAfterPushback: Double
        /// Latencies no more than this above the floor are noise, in microseconds.
        public var noiseMicroseconds: Int
        /// How long a floor is remembered, in milliseconds; between once and twice this.
        public var periodMilliseconds: Int

        /// Limits that suit a bulk load that shares the target with an application.
        public init(
            writesMin: Int = 1,
            writesMax: Int = 1_024,
            growthFactor: Double = 2,
            shrinkFactor: Double = 3,
            shareAfterLatency: Double = 0.85,
            shareAfterPushback: Double = 0.5,
            noiseMicroseconds: Int = 2_000,
            periodMilliseconds: Int = 60_000
        ) {
            self.writesMin = max(1, writesMin)
            self.writesMax = max(self.writesMin, writesMax)
            self.growthFactor = max(1, growthFactor)
            self.shrinkFactor = max(self.growthFactor, shrinkFactor)
            self.shareAfterLatency = min(max(0, shareAfterLatency), 1)
            self.shareAfterPushback = min(max(0, shareAfterPushback), 1)
            self.noiseMicroseconds = max(0, noiseMicroseconds)
            self.periodMilliseconds = max(1, periodMilliseconds)
        }
    }

    /// The weight of one answer in the latency that is judged.
    private static var smoothing: Double { 1.0 / 8 }
    /// The weight of an answer that is below its floor: one that was lucky is no floor.
    private static var floorSmoothing: Double { 1.0 / 32 }
    /// Rounds of answers in the least window after which a latency that has stayed high is the target's own.
    private static var roundsAlone: Int { 16 }
    /// How many times its new floor such a latency is: what is left up to `growthFactor` the loader's own queue may add.
    private static var stretchAlone: Double { 1.5 }
    /// Sizes that have a floor each: each is twice the one before, and the last one has no end.
    private static var sizes: Int { 24 }

    private let limits: Limits
    private var exact: Double
    /// How many times their floors the latencies are.
    private var stretch: Double?
    /// The latency of all sizes, in nanoseconds.
    private var smoothed: Double?
    private var floors = [Int64](repeating: .max, count: Self.sizes)
    private var formerFloors = [Int64](repeating: .max, count: Self.sizes)
    /// Answers since the window was made the least one.
    private var alone = 0
    private var periodEnd: Int64?
    /// Until then the window does not shrink again: what is on its way was sent under the former one.
    private var settledAt = Int64.min

    /// A pace that begins with some window, within the limits.
    public init(limits: Limits = Limits(), window: Int = 8) {
        self.limits = limits
        self.exact = Double(min(max(window, limits.writesMin), limits.writesMax))
    }

    /// How many writes may be on their way.
    public var window: Int { Int(self.exact) }
    /// How many more may be sent.
    public func room(inFlight: Int) -> Int { max(0, self.window - inFlight) }

    /// The smallest latency that is remembered, in nanoseconds; nil before the first answer.
    public var latencyFloor: Int64? {
        let floor = min(self.floors.min() ?? .max, self.formerFloors.min() ?? .max)
        return floor == .max ? nil : floor
    }

    /// Whether an ERROR says that the target has more to do than it can, or fewer nodes than it needs; others are the write's
    /// own.
    public static func isPushback(_ code: ErrorCode) -> Bool {
        [.overloaded, .writeTimeout, .unavailable, .writeFailure, .isBootstrapping].contains(code)
    }

    /// A write was answered, whether with success or with a refusal that is its own fault.
    ///
    /// - Parameters:
    ///   - latency: since it was sent, in nanoseconds.
    ///   - bytes: its length; 0 where all are about as long.
    ///   - inFlight: writes on their way when the answer came, this one included. A window that is not used does not grow.
    public mutating func answered(latency: Int64, bytes: Int = 0, inFlight: Int, now: Int64) {
        let latency = max(0, latency)
        self.turnPeriod(now)
        let size = min(Int.bitWidth - max(0, bytes).leadingZeroBitCount, Self.sizes - 1)
        self.lowerFloor(size, latency)
        self.smoothed = Self.smooth(self.smoothed, Double(latency))
        let floor = Double(min(self.floors[size], self.formerFloors[size]))
        let isNoise = Double(latency) <= floor + Double(self.limits.noiseMicroseconds) * 1_000
        let stretch = Self.smooth(self.stretch, isNoise ? 1 : Double(latency) / max(floor, 1))
        self.stretch = stretch
        self.alone = self.window == self.limits.writesMin ? self.alone + 1 : 0
        if stretch > self.limits.shrinkFactor, self.alone > Self.roundsAlone * self.limits.writesMin {
            self.raiseFloors(by: stretch / Self.stretchAlone)
        } else if stretch > self.limits.shrinkFactor {
            self.shrink(to: self.limits.shareAfterLatency, now)
        } else if stretch <= self.limits.growthFactor, inFlight >= self.window {
            self.set(self.exact + 1 / self.exact)
        }
    }

    /// The first of a size in a period is its floor as it is.
    private mutating func lowerFloor(_ size: Int, _ latency: Int64) {
        let known = min(self.floors[size], self.formerFloors[size])
        guard known != .max else { return self.floors[size] = latency }
        self.floors[size] = min(self.floors[size], max(latency, known))
        guard latency < known else { return }
        self.floors[size] = known - Int64(Double(known - latency) * Self.floorSmoothing)
    }

    /// The target has become slower for all sizes alike.
    private mutating func raiseFloors(by factor: Double) {
        func raised(_ floor: Int64) -> Int64 { floor == .max ? .max : Int64(min(Double(floor) * factor, 1e18)) }
        self.floors = self.floors.map(raised)
        self.formerFloors = self.formerFloors.map(raised)
        self.stretch = Self.stretchAlone
        self.alone = 0
    }

    private static func smooth(_ former: Double?, _ value: Double) -> Double {
        former.map { $0 + (value - $0) * Self.smoothing } ?? value
    }

    /// The target pushed back (``isPushback(_:)``), gave no answer in time, or its connection was lost.
    public mutating func pushedBack(now: Int64) {
        self.turnPeriod(now)
        self.shrink(to: self.limits.shareAfterPushback, now)
    }

    private mutating func turnPeriod(_ now: Int64) {
        let period = Int64(self.limits.periodMilliseconds) * 1_000_000
        guard let end = self.periodEnd else {
            self.periodEnd = now + period
            return
        }
        guard now >= end else { return }
        self.periodEnd = now + period
        self.formerFloors = self.floors
        self.floors = [Int64](repeating: .max, count: Self.sizes)
        self.shrink(to: self.limits.shareAfterPushback, now)
    }

    /// Once in a round: the answers to what was sent under the former window say nothing of the new one.
    private mutating func shrink(to share: Double, _ now: Int64) {
        guard now >= self.settledAt else { return }
        self.set(self.exact * share)
        self.settledAt = now + Int64(self.smoothed ?? 0)
    }

    private mutating func set(_ window: Double) {
        self.exact = min(max(window, Double(self.limits.writesMin)), Double(self.limits.writesMax))
    }
}
