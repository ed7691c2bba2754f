/// Everything that gates look at, at one moment. Times are milliseconds since 1970.
public struct GateFigures: Sendable {
    /// One cluster.
    public struct Leg: Sendable {
        /// Whether it can be reached.
        public var isConnected = false
        /// Why not, in words that hold no secret.
        public var lastError: String?
        /// What its nodes said when they were asked a moment ago; nil where nobody has asked.
        public var answers: Answers?
        /// Writes that it is owed.
        public var records = 0
        /// The age of the oldest of them.
        public var oldestMilliseconds = 0
        /// Writes that it has refused for good.
        public var deadLetters = 0
        /// Partitions that may lack an acknowledged write; without a journal the writes that were given up.
        public var losses = 0
        /// Writes to it in the window.
        public var writes: UInt64 = 0
        /// Of these the ones that failed.
        public var failures: UInt64 = 0
        /// Since when it gets every write, for the last time; nil where it has always, as far as is known.
        public var completeSince: Int64?

        /// A cluster about which nothing is known.
        public init() {}
    }

    /// What the nodes of a cluster said to which connections stand.
    public struct Answers: Sendable, Hashable {
        /// Nodes that have answered.
        public var answered: Int
        /// How long the slowest of them has taken.
        public var slowestMilliseconds: Int
        /// The nodes that have not, each with what is known of it, in words that hold no secret.
        public var missing: [String]

        /// Answers.
        public init(answered: Int = 0, slowestMilliseconds: Int = 0, missing: [String] = []) {
            self.answered = answered
            self.slowestMilliseconds = slowestMilliseconds
            self.missing = missing
        }
    }

    /// Now.
    public var now: Int64
    /// The clusters.
    public var legs: PerCluster<Leg>
    /// Tables with a mode of their own.
    public var overrides: [ModeOverride] = []
    /// Live reads in the window of which it is known whether they are the same.
    public var comparedReads: UInt64 = 0
    /// Of these the ones that are not.
    public var mismatches: UInt64 = 0
    /// What loaders have reported, one for each job.
    public var loads: [LoadEvidence] = []
    /// The newest report of a comparison of whole tables.
    public var comparison: ComparisonEvidence?
    /// How far the clocks of sidecar and clusters are apart; nil where nobody has measured it.
    public var clockSkewMilliseconds: Int?

    /// Figures of a sidecar about which nothing is known.
    public init(now: Int64) {
        self.now = now
        self.legs = PerCluster(both: Leg())
    }
}
