/// The readings of the last seconds, from which rates and quantiles are computed. It knows no clock: a reading brings its time.
struct TrafficWindow {
    /// How far it looks back.
    static var length: Duration { .seconds(10) }
    /// Readings that it holds at most.
    static var readingsMax: Int { 64 }

    private var readings: [TrafficReading] = []

    mutating func add(_ reading: TrafficReading) {
        self.readings.append(reading)
        // One reading from before the window stays: it is the one that the rates begin with.
        while self.readings.count > 2, reading.at - self.readings[1].at >= Self.length { self.readings.removeFirst() }
        if self.readings.count > Self.readingsMax { self.readings.remove(at: 1) }
    }

    mutating func clear() { self.readings = [] }

    /// What the readings tell; a rate is missing until there are two of them.
    var document: TrafficDocument {
        guard let last = self.readings.last, let first = self.readings.first else {
            return TrafficDocument(windowSeconds: 0, legs: [])
        }
        let seconds = (last.at - first.at) / .seconds(1)
        return TrafficDocument(
            windowSeconds: (seconds * 10).rounded() / 10,
            legs: last.legs.map { leg in
                let before = first.legs.first { $0.cluster == leg.cluster }
                return .init(leg, since: seconds > 0 ? before : nil, seconds: seconds)
            }
        )
    }
}

/// Rates and latencies of both clusters, over the last seconds.
public struct TrafficDocument: Codable, Sendable, Equatable {
    /// One cluster's.
    public struct Leg: Codable, Sendable, Equatable {
        /// `source` or `target`.
        public var cluster: String
        /// Writes that it confirmed, per second.
        public var writesPerSecond: Double?
        /// Writes that failed, per second.
        public var writeErrorsPerSecond: Double?
        /// Reads that it answered, per second.
        public var readsPerSecond: Double?
        /// Reads that failed, per second.
        public var readErrorsPerSecond: Double?
        /// The time that half of the writes took at most, in milliseconds; nil without a write.
        public var writeP50Ms: Double?
        /// The time that 99 of 100 writes took at most.
        public var writeP99Ms: Double?
        /// The time that half of the reads took at most.
        public var readP50Ms: Double?
        /// The time that 99 of 100 reads took at most.
        public var readP99Ms: Double?

        init(_ now: TrafficReading.Leg, since before: TrafficReading.Leg?, seconds: Double) {
            self.cluster = now.cluster
            guard let before else { return }
            func rate(_ count: KeyPath<TrafficReading.Leg, UInt64>) -> Double {
                // A counter that went back has begun anew.
                let grown = now[keyPath: count].subtractingReportingOverflow(before[keyPath: count])
                return ((grown.overflow ? 0 : Double(grown.partialValue)) / seconds * 10).rounded() / 10
            }
            self.writesPerSecond = rate(\.writes)
            self.writeErrorsPerSecond = rate(\.writeErrors)
            self.readsPerSecond = rate(\.reads)
            self.readErrorsPerSecond = rate(\.readErrors)
            let writes = now.writeLatency.since(before.writeLatency)
            self.writeP50Ms = writes.milliseconds(ofShare: 0.5)
            self.writeP99Ms = writes.milliseconds(ofShare: 0.99)
            let reads = now.readLatency.since(before.readLatency)
            self.readP50Ms = reads.milliseconds(ofShare: 0.5)
            self.readP99Ms = reads.milliseconds(ofShare: 0.99)
        }
    }

    /// The time over which it was counted.
    public var windowSeconds: Double
    /// The clusters, source before target.
    public var legs: [Leg]
}

extension HistogramSnapshot {
    /// What was observed after `earlier`.
    func since(_ earlier: HistogramSnapshot) -> HistogramSnapshot {
        guard self.bounds == earlier.bounds else { return self }
        return HistogramSnapshot(
            bounds: self.bounds,
            counts: zip(self.counts, earlier.counts).map { $0 > $1 ? $0 - $1 : 0 },
            sum: self.sum - earlier.sum
        )
    }

    /// The value that `share` of the observations do not exceed, by linear interpolation within its bucket, as Prometheus's
    /// `histogram_quantile` has it; nil where there are none. What lies beyond the last bound counts as the last bound.
    func quantile(_ share: Double) -> Double? {
        let total = self.counts.reduce(0, +)
        guard total > 0 else { return nil }
        let rank = share * Double(total)
        var below = 0.0
        for (index, count) in self.counts.enumerated() where count > 0 {
            guard below + Double(count) < rank else {
                guard index < self.bounds.count else { break }
                let lower = index == 0 ? 0 : self.bounds[index - 1]
                return lower + (self.bounds[index] - lower) * (rank - below) / Double(count)
            }
            below += Double(count)
        }
        return self.bounds.last
    }

    fileprivate func milliseconds(ofShare share: Double) -> Double? {
        self.quantile(share).map { ($0 * 100_000).rounded() / 100 }
    }
}
