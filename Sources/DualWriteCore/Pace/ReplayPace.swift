/// How many owed writes may be on their way to a leg at once, by what its latency says (DESIGN §6.5).
///
/// The window doubles with each round of answers until the latency first rises, then grows by one a round; it shrinks a little
/// when the latency has doubled, and to the half when a write fails. What the latency is compared with is the smallest that was
/// seen lately; to see it without the queue that this window itself makes, the window is halved once in each period.
///
/// Whatever the latency is, the leg gets what it would get without a backlog, and a little more: else one whose usual latency
/// is far above its smallest would never catch up. A value of its loop; all times are nanoseconds of its clock.
public struct ReplayPace: Sendable {
    /// The bounds and thresholds of a pace.
    public struct Limits: Sendable, Hashable {
        /// The least window; at least 1.
        public var writesMin: Int
        /// The greatest window.
        public var writesMax: Int
        /// How many times the smallest latency still lets the window grow.
        public var growthFactor: Double
        /// How many times the smallest latency shrinks the window.
        public var shrinkFactor: Double
        /// Latencies no more than this above the smallest are noise, in microseconds.
        public var noiseMicroseconds: Int
        /// How long a smallest latency is remembered, in milliseconds; between once and twice this.
        public var periodMilliseconds: Int

        /// Limits that suit a cluster across a wide network.
        public init(
            writesMin: Int = 1,
            writesMax: Int = 256,
            growthFactor: Double = 1.5,
            shrinkFactor: Double = 2,
            noiseMicroseconds: Int = 1_000,
            periodMilliseconds: Int = 30_000
        ) {
            self.writesMin = max(1, writesMin)
            self.writesMax = max(self.writesMin, writesMax)
            self.growthFactor = growthFactor
            self.shrinkFactor = max(growthFactor, shrinkFactor)
            self.noiseMicroseconds = max(0, noiseMicroseconds)
            self.periodMilliseconds = max(1, periodMilliseconds)
        }
    }

    /// The weight of one answer in the latency that is judged.
    private static var smoothing: Double { 1.0 / 8 }
    /// What is left of the window when the latency has risen.
    private static var gentle: Double { 0.8 }
    /// What is left of it when a write has failed, and at the begin of a period.
    private static var sharp: Double { 0.5 }
    /// How much more than what comes anew goes out, so that a backlog ends.
    private static var surplus: Double { 1.25 }
    /// How long after a failure the leg gets no more than the window, in nanoseconds.
    private static var respite: Int64 { 1_000_000_000 }

    private let limits: Limits
    private var exact: Double
    private var isDoubling = true
    /// The judged latency; nil before the first answer.
    private var smoothed: Double?
    /// The smallest latencies of this period and of the one before.
    private var smallest = Int64.max
    private var formerSmallest = Int64.max
    private var periodEnd: Int64?
    /// Until then the window does not shrink again: what is on its way was sent under the former one.
    private var settledAt = Int64.min
    private var respiteEnd = Int64.min
    private var arrivals = ArrivalRate()

    /// A pace that begins with the least window.
    public init(limits: Limits = Limits()) {
        self.limits = limits
        self.exact = Double(limits.writesMin)
    }

    /// How many writes may be on their way.
    public var window: Int { Int(self.exact) }

    /// How many writes may be on their way while others come, so many since the beginning.
    public mutating func window(besides arrivals: UInt64, now: Int64) -> Int {
        self.arrivals.follow(arrivals, now: now)
        return self.window(for: self.arrivals.perSecond, now: now)
    }

    /// How many writes may be on their way while so many come anew each second.
    ///
    /// By Little's law, that many times the latency are on their way wherever a leg keeps up. After a failure the window alone
    /// counts for a second: what the leg does not take it need not be sent.
    public func window(for arrivalsPerSecond: Double, now: Int64) -> Int {
        guard let smoothed = self.smoothed, now >= self.respiteEnd else { return self.window }
        let needed = (arrivalsPerSecond * smoothed / 1_000_000_000 * Self.surplus).rounded(.up)
        return max(self.window, Int(min(needed, Double(self.limits.writesMax))))
    }

    /// How many more may be sent.
    public func room(inFlight: Int) -> Int { max(0, self.window - inFlight) }

    /// The smallest latency that is remembered, in nanoseconds; nil before the first answer.
    public var smallestLatency: Int64? {
        let smallest = min(self.smallest, self.formerSmallest)
        return smallest == .max ? nil : smallest
    }

    /// A write was answered, whether with success or with a refusal that is its own fault.
    ///
    /// - Parameters:
    ///   - latency: since it was sent, in nanoseconds.
    ///   - inFlight: writes on their way when the answer came, this one included. A window that is not used does not grow.
    public mutating func answered(latency: Int64, inFlight: Int, now: Int64) {
        let latency = max(0, latency)
        self.turnPeriod(now)
        self.smallest = min(self.smallest, latency)
        let smoothed = self.smoothed.map { $0 + (Double(latency) - $0) * Self.smoothing } ?? Double(latency)
        self.smoothed = smoothed
        let smallest = Double(self.smallestLatency ?? latency)
        let noise = smallest + Double(self.limits.noiseMicroseconds) * 1000
        if smoothed >= smallest * self.limits.shrinkFactor, smoothed > noise {
            self.isDoubling = false
            self.shrink(to: Self.gentle, now)
        } else if smoothed <= max(smallest * self.limits.growthFactor, noise), inFlight >= self.window {
            self.set(self.exact + (self.isDoubling ? 1 : 1 / self.exact))
        }
    }

    /// A write failed because of the leg: overloaded, unavailable, a timeout, a lost connection.
    public mutating func failed(now: Int64) {
        self.turnPeriod(now)
        self.respiteEnd = now + Self.respite
        self.isDoubling = false
        self.shrink(to: Self.sharp, now)
    }

    private mutating func turnPeriod(_ now: Int64) {
        let period = Int64(self.limits.periodMilliseconds) * 1_000_000
        guard let end = self.periodEnd else {
            self.periodEnd = now + period
            return
        }
        guard now >= end else { return }
        self.periodEnd = now + period
        self.formerSmallest = self.smallest
        self.smallest = .max
        self.isDoubling = false
        self.shrink(to: Self.sharp, now)
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
