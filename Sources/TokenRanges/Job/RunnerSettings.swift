/// How a worker works.
public struct RunnerSettings: Sendable, Hashable {
    /// Parts at once; at least 1.
    public var concurrency: Int
    /// How long a lease lasts that is not renewed: so long a dead worker's parts stay untouched. It is renewed three times as
    /// often.
    public var leaseDuration: Duration
    /// How often the operator's command is looked at, and a job of which others have all parts.
    public var pollInterval: Duration
    /// How often a part is begun without any progress before it is given up; at least 1.
    public var attemptsMax: Int
    /// How long a part rests after its first failure; each further one doubles it.
    public var pauseMin: Duration
    /// The longest rest.
    public var pauseMax: Duration

    /// The defaults.
    public init(
        concurrency: Int = 4,
        leaseDuration: Duration = .seconds(60),
        pollInterval: Duration = .seconds(2),
        attemptsMax: Int = 8,
        pauseMin: Duration = .seconds(1),
        pauseMax: Duration = .seconds(60)
    ) {
        self.concurrency = max(1, concurrency)
        self.leaseDuration = max(.seconds(1), leaseDuration)
        self.pollInterval = max(.milliseconds(1), pollInterval)
        self.attemptsMax = max(1, attemptsMax)
        self.pauseMin = max(.zero, pauseMin)
        self.pauseMax = max(self.pauseMin, pauseMax)
    }

    /// How long to rest after so many failures, 1 and more.
    ///
    /// - Parameter random: 0..<1; it spreads the second half of the pause, so that not all parts come back at one moment.
    func pause(afterFailures failures: Int, random: Double) -> Duration {
        // Beyond 20 doublings any pause has reached its limit.
        let doubled = self.pauseMin * (1 << min(max(0, failures - 1), 20))
        let half = min(doubled, self.pauseMax) / 2
        return half + half * min(max(random, 0), 1)
    }
}
