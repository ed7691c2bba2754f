/// What has happened in the last minutes, by counters that only grow. Bounded by its length and its resolution.
public struct GateWindow: Sendable {
    /// Counters at one moment.
    public struct Sample: Sendable, Hashable {
        /// Writes by cluster.
        public var writes: PerClusterCount = .init()
        /// Of these the ones that failed.
        public var failures: PerClusterCount = .init()
        /// Live reads of which it is known whether they are the same.
        public var comparedReads: UInt64 = 0
        /// Of these the ones that are not.
        public var mismatches: UInt64 = 0

        /// Nothing.
        public init() {}
    }

    /// A count for each cluster.
    public struct PerClusterCount: Sendable, Hashable {
        private var source: UInt64 = 0
        private var target: UInt64 = 0

        /// Nothing.
        public init() {}

        /// The count of one cluster.
        public subscript(cluster: Cluster) -> UInt64 {
            get { cluster == .source ? self.source : self.target }
            set { if cluster == .source { self.source = newValue } else { self.target = newValue } }
        }
    }

    /// Samples that a window holds, at most.
    public static var samplesMax: Int { 64 }

    private let milliseconds: Int64
    /// Counters begin at 0 with the process.
    private var samples: [(at: Int64, sample: Sample)] = [(0, Sample())]

    /// A window of some seconds that begins with the process.
    public init(seconds: Int) { self.milliseconds = Int64(seconds) * 1_000 }

    /// Adds what counters say now; the oldest sample that a look back needs is kept.
    ///
    /// - Parameter at: milliseconds since the beginning of the process, by a clock that does not go back.
    public mutating func record(_ sample: Sample, at: Int64) {
        if let last = self.samples.last, at - last.at < self.milliseconds / Int64(Self.samplesMax - 2) { return }
        self.samples.append((at, sample))
        // The newest of those before the window's beginning is what the window is measured from.
        while self.samples.count > 1, self.samples[1].at <= at - self.milliseconds { self.samples.removeFirst() }
    }

    /// What has been added to the counters since the beginning of the window, or of the process where that was later.
    public func growth(to now: Sample) -> Sample {
        guard let first = self.samples.first?.sample else { return now }
        var growth = Sample()
        for cluster in Cluster.allCases {
            growth.writes[cluster] = Self.less(now.writes[cluster], first.writes[cluster])
            growth.failures[cluster] = Self.less(now.failures[cluster], first.failures[cluster])
        }
        growth.comparedReads = Self.less(now.comparedReads, first.comparedReads)
        growth.mismatches = Self.less(now.mismatches, first.mismatches)
        return growth
    }

    private static func less(_ now: UInt64, _ before: UInt64) -> UInt64 { now > before ? now - before : 0 }
}
