/// What was read of all workers' findings lately, so that whoever looks at the progress often does not read all of them each
/// time. A value without clock or lock: keep it in a `Mutex`.
struct RecentFindings {
    /// How long what was read is recent at least.
    static var pauseMin: Duration { .seconds(10) }
    /// What was read is recent for so many times as long as reading it took: a job with many findings is read less often.
    static var costFactor: Int { 20 }

    private let samplesPerClassMax: Int
    private var known: KnownFindings?
    private var isBeingRead = false
    /// When it is read again; nil before the first time.
    private var next: ContinuousClock.Instant?

    /// - Parameter samplesPerClassMax: samples of each class that are remembered of each table.
    init(samplesPerClassMax: Int) { self.samplesPerClassMax = samplesPerClassMax }

    /// What is recent; nil where whoever asks is to read, and to tell ``ended(_:after:now:)`` of it.
    mutating func begin(now: ContinuousClock.Instant) -> [Finding]? {
        if let known = self.known, self.isBeingRead || self.next.map({ now < $0 }) ?? false { return known.findings }
        self.isBeingRead = true
        return nil
    }

    /// Reading has ended; nothing was read where it has failed.
    mutating func ended(_ findings: [Finding]?, after cost: Duration, now: ContinuousClock.Instant) {
        self.isBeingRead = false
        self.next = now + max(Self.pauseMin, cost * Self.costFactor)
        guard let findings else { return }
        var known = KnownFindings(samplesPerClassMax: self.samplesPerClassMax)
        for finding in findings { known.add(finding) }
        self.known = known
    }

    /// This worker has found something.
    mutating func add(_ finding: Finding) { self.known?.add(finding) }

    /// All were forgotten.
    mutating func clear() { self = RecentFindings(samplesPerClassMax: self.samplesPerClassMax) }
}
