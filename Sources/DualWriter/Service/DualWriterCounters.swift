public import CQLSyntax
public import DualWriteCore

/// Plain counters of one loop, summed over the loops when somebody looks. Monotonic since the process started.
public struct DualWriterCounters: Sendable {
    /// Upper bounds of the latency buckets, in microseconds; the last bucket has none.
    public static var latencyBoundsMicroseconds: [Int] {
        [
            250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
            10_000_000,
        ]
    }

    /// A latency histogram with ``latencyBoundsMicroseconds``.
    public struct Histogram: Sendable {
        /// Observations per bucket, not cumulative; one more than there are bounds.
        public private(set) var buckets = [UInt64](repeating: 0, count: 15)
        /// All observations.
        public private(set) var count: UInt64 = 0
        /// Their sum, in microseconds.
        public private(set) var sumMicroseconds: UInt64 = 0

        mutating func record(microseconds: Int64) {
            let value = Int(max(0, microseconds))
            // Nearly all are in one of the first few.
            var bucket = 0
            while bucket < Self.bounds.count, value > Self.bounds[bucket] { bucket += 1 }
            self.buckets[bucket] &+= 1
            self.count &+= 1
            self.sumMicroseconds &+= UInt64(value)
        }

        mutating func add(_ other: Histogram) {
            for index in self.buckets.indices { self.buckets[index] &+= other.buckets[index] }
            self.count &+= other.count
            self.sumMicroseconds &+= other.sumMicroseconds
        }

        private static let bounds = DualWriterCounters.latencyBoundsMicroseconds
    }

    /// What happened with the requests of one cluster.
    public struct Leg: Sendable {
        /// Writes that the cluster confirmed.
        public var writesSucceeded: UInt64 = 0
        /// Writes that it refused, or whose outcome is unknown.
        public var writesFailed: UInt64 = 0
        /// Reads that it answered.
        public var readsSucceeded: UInt64 = 0
        /// Reads that failed.
        public var readsFailed: UInt64 = 0
        /// The time from sending a write to its confirmation.
        public var writeLatency = Histogram()
        /// The time from sending a write to its refusal.
        public var writeFailureLatency = Histogram()
        /// The time from sending a read to its answer.
        public var readLatency = Histogram()
        /// Requests that were sent to a node that has their data.
        public var sentToReplica: UInt64 = 0
        /// Requests that were sent to another node, because none of those took them.
        public var sentElsewhere: UInt64 = 0
        /// Requests that were sent to any node, because nothing tells which ones have their data.
        public var sentAnywhere: UInt64 = 0
        /// Requests that were sent again to another node.
        public var retriedOnOtherNode: UInt64 = 0
        /// Statements that were prepared again because a node had forgotten them.
        public var reprepared: UInt64 = 0
        /// Answers that arrived after the proxy had given up on them.
        public var lateAnswers: UInt64 = 0
        /// Requests that ran into the proxy's own deadline.
        public var timeouts: UInt64 = 0
        /// Shadow writes that were accepted for this cluster.
        public var shadowQueued: UInt64 = 0
        /// Shadow writes that it confirmed.
        public var shadowDelivered: UInt64 = 0
        /// Shadow attempts that were repeated.
        public var shadowRetried: UInt64 = 0
        /// Shadow writes that were dropped because the queue was full.
        public var shadowOverflowed: UInt64 = 0
        /// How often copies were held back because the cluster failed or was silent.
        public var breakerOpened: UInt64 = 0
        /// Shadow writes that were given up: refused for good, or not repeatable after an unknown outcome.
        public var shadowDead: UInt64 = 0

        @inline(__always)
        mutating func count(_ reach: DualWriterLoop.Reach) {
            switch reach {
            case .replica: self.sentToReplica &+= 1
            case .elsewhere: self.sentElsewhere &+= 1
            case .untold: self.sentAnywhere &+= 1
            }
        }

        mutating func add(_ other: Leg) {
            self.sentToReplica &+= other.sentToReplica
            self.sentElsewhere &+= other.sentElsewhere
            self.sentAnywhere &+= other.sentAnywhere
            self.writesSucceeded &+= other.writesSucceeded
            self.writesFailed &+= other.writesFailed
            self.readsSucceeded &+= other.readsSucceeded
            self.readsFailed &+= other.readsFailed
            self.writeLatency.add(other.writeLatency)
            self.writeFailureLatency.add(other.writeFailureLatency)
            self.readLatency.add(other.readLatency)
            self.retriedOnOtherNode &+= other.retriedOnOtherNode
            self.reprepared &+= other.reprepared
            self.lateAnswers &+= other.lateAnswers
            self.timeouts &+= other.timeouts
            self.shadowQueued &+= other.shadowQueued
            self.shadowDelivered &+= other.shadowDelivered
            self.shadowRetried &+= other.shadowRetried
            self.shadowOverflowed &+= other.shadowOverflowed
            self.shadowDead &+= other.shadowDead
            self.breakerOpened &+= other.breakerOpened
        }
    }

    /// Calls of functions by function.
    public struct Calls: Sendable {
        private var counts = [UInt64](repeating: 0, count: ServerFunction.allCases.count)

        /// The calls of one function.
        public internal(set) subscript(function: ServerFunction) -> UInt64 {
            get { self.counts[Int(function.rawValue)] }
            set { self.counts[Int(function.rawValue)] = newValue }
        }

        mutating func add(_ other: Calls) {
            for index in self.counts.indices { self.counts[index] &+= other.counts[index] }
        }
    }

    /// What the filter has come to, in modes with a shadow.
    public struct Filtering: Sendable {
        /// Writes that the shadow does not get because of their table.
        public var byTable: UInt64 = 0
        /// Writes that it does not get because of their tenant.
        public var byTenant: UInt64 = 0
        /// Writes that it gets because they do not say whose rows they write.
        public var untold: UInt64 = 0

        mutating func count(_ decision: ShadowFilter.Decision) {
            self.byTable &+= UInt64(decision.byTable)
            self.byTenant &+= UInt64(decision.byTenant)
            self.untold &+= UInt64(decision.untold)
        }

        mutating func add(_ other: Filtering) {
            self.byTable &+= other.byTable
            self.byTenant &+= other.byTenant
            self.untold &+= other.untold
        }
    }

    /// Reads of tenants that go ahead of their tables.
    public struct Canaries: Sendable {
        /// Reads that the target has answered for them.
        public var answered: UInt64 = 0
        /// Reads that it has refused, or not answered.
        public var failed: UInt64 = 0

        /// A later page comes from the cluster that has begun, which may be the source.
        mutating func count(_ cluster: Cluster, _ answer: AnswerClass) {
            guard cluster == .target else { return }
            if answer == .success { self.answered &+= 1 } else { self.failed &+= 1 }
        }

        mutating func add(_ other: Canaries) {
            self.answered &+= other.answered
            self.failed &+= other.failed
        }
    }

    /// The cluster that data moves away from.
    public var source = Leg()
    /// The cluster that data moves to.
    public var target = Leg()
    /// Connections that were accepted.
    public var clientsAccepted: UInt64 = 0
    /// Connections that were refused because of ``DualWriterLimits/clientConnectionsMax``.
    public var clientsRefused: UInt64 = 0
    /// Connections that failed in the handshake of TLS.
    public var tlsFailures: UInt64 = 0
    /// Connections that were closed because the client stopped reading.
    public var slowClientsClosed: UInt64 = 0
    /// How often a client was not read from for a while, because of ``DualWriterLimits/clientBytesInFlightMax``.
    public var readPauses: UInt64 = 0
    /// Frames that broke the protocol.
    public var protocolErrors: UInt64 = 0
    /// Requests answered OVERLOADED because of a limit.
    public var overloaded: UInt64 = 0
    /// Requests that the proxy answered without a cluster.
    public var answeredByProxy: UInt64 = 0
    /// Statements whose text was not understood and that were treated as plain writes.
    public var notUnderstood: UInt64 = 0
    /// Calls of `now()`, `uuid()` and their like that were evaluated, so that both clusters get the same values.
    public var evaluatedCalls = Calls()
    /// Writes with such calls, in a text that was not understood, that each cluster evaluates by itself.
    public var notEvaluated: UInt64 = 0
    /// Requests that were refused because another write mode may be in force (``DualWriterService/mayAct(until:)``).
    public var lapsed: UInt64 = 0
    /// Partitions whose state on the shadow is in doubt after an unknown outcome.
    public var doubtful: UInt64 = 0
    /// What the filter has come to.
    public var filtering = Filtering()
    /// Reads of tenants that go ahead of their tables.
    public var canaries = Canaries()
    /// What comparing reads has come to.
    public var comparison = ComparisonCounters()

    /// The counters of `cluster`.
    public subscript(cluster: Cluster) -> Leg {
        @inline(__always) get { cluster == .source ? self.source : self.target }
        @inline(__always) _modify {
            if cluster == .source { yield &self.source } else { yield &self.target }
        }
    }

    mutating func add(_ other: DualWriterCounters) {
        self.source.add(other.source)
        self.target.add(other.target)
        self.clientsAccepted &+= other.clientsAccepted
        self.clientsRefused &+= other.clientsRefused
        self.tlsFailures &+= other.tlsFailures
        self.slowClientsClosed &+= other.slowClientsClosed
        self.readPauses &+= other.readPauses
        self.protocolErrors &+= other.protocolErrors
        self.overloaded &+= other.overloaded
        self.answeredByProxy &+= other.answeredByProxy
        self.notUnderstood &+= other.notUnderstood
        self.evaluatedCalls.add(other.evaluatedCalls)
        self.notEvaluated &+= other.notEvaluated
        self.lapsed &+= other.lapsed
        self.doubtful &+= other.doubtful
        self.filtering.add(other.filtering)
        self.canaries.add(other.canaries)
        self.comparison.add(other.comparison)
    }
}
