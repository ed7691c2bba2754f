public import CQLClient
public import DualWriteCore
import Logging
public import NIOCore
import Synchronization

/// What an operator can see and change while the proxy runs.
extension DualWriterService {
    /// The proxy as it is now, asked of every loop.
    ///
    /// - Parameter lookingAtTables: whether ``DualWriterStatus/Leg/tables`` is filled, which takes some of each loop's time.
    public func status(lookingAtTables: Bool = false) async -> DualWriterStatus {
        let snapshot = self.state.withLock { $0 }
        var status = DualWriterStatus(
            mode: snapshot.settings.mode,
            epoch: snapshot.epoch,
            legs: [],
            clients: 0,
            isReady: false,
            isDraining: snapshot.isDraining,
            counters: DualWriterCounters()
        )
        let modes = snapshot.settings.modes
        status.overrides = modes.overrides
        for cluster in Cluster.allCases where snapshot.isConfigured(cluster) {
            var leg = DualWriterStatus.Leg(cluster: cluster)
            if let monitor = snapshot.watches[cluster]?.monitor.status {
                leg.isConnected = monitor.isConnected
                leg.lastError = monitor.lastError?.description
                leg.clock = monitor.isConnected ? monitor.clock : nil
            }
            if let refusal = snapshot.refusals[cluster] {
                leg.isConnected = false
                leg.lastError = refusal
            }
            leg.releaseVersion = snapshot.topologies[cluster]?.releaseVersion
            leg.nodesKnown = snapshot.topologies[cluster]?.nodes.count ?? 0
            status.legs.append(leg)
        }
        let end = snapshot.settings.mode.shadow == nil ? snapshot.actsAloneUntil : snapshot.actsUntil
        status.isLapsed = end < .now()
        status.hasJournal = self.store != nil
        status.journalSyncFailures = self.store?.syncFailures ?? 0
        var connected: [Cluster: Set<NodeID>] = [:]
        var tables = PerCluster(both: OwedTables())
        for loop in snapshot.loops {
            let report = loop.eventLoop.submit { loop.value.report(lookingAtTables: lookingAtTables) }
            guard let part = try? await report.get() else { continue }
            status.clients += part.clients
            status.counters.add(part.counters)
            for index in status.legs.indices {
                let cluster = status.legs[index].cluster
                guard let leg = part.legs[cluster] else { continue }
                // What was heard of the cluster has yet to come to this loop, whose clients are told so.
                if !leg.isKnown { status.legs[index].isConnected = false }
                status.legs[index].connections += leg.connections
                status.legs[index].shadowWritesQueued += leg.queued
                status.legs[index].shadowBytesQueued += leg.bytes
                status.legs[index].shadowOldestMilliseconds = max(
                    status.legs[index].shadowOldestMilliseconds,
                    leg.oldestMilliseconds
                )
                if leg.isBehind { status.legs[index].isBehind = true }
                if leg.isHeldBack { status.legs[index].isHeldBack = true }
                if leg.isBreakerOpen { status.legs[index].isBreakerOpen = true }
                status.legs[index].waitsForLoginOf.formUnion(leg.waitsForLoginOf)
                status.legs[index].journalDiskBytes += leg.journalDiskBytes
                tables[cluster].add(leg.tables)
                connected[cluster, default: []].formUnion(leg.nodes)
            }
        }
        for index in status.legs.indices {
            let cluster = status.legs[index].cluster
            status.legs[index].nodesConnected = connected[cluster]?.count ?? 0
            status.legs[index].recordsLookedAt = tables[cluster].records
            status.legs[index].tables = tables[cluster].named(
                max: DualWriterStatus.Leg.tablesMax,
                now: LoopClock.wallMicroseconds / 1_000
            )
            guard let store = self.store else { continue }
            status.legs[index].journalBytesMax = store.bytesMax * snapshot.loops.count
            status.legs[index].deadLetters = store.deadLetters.count(of: cluster)
            status.legs[index].dirtyByReason = store.dirty.counts(on: cluster)
        }
        let primaries = modes.stages.map(\.mode.primary)
        let areConnected = primaries.allSatisfy { status.leg($0)?.isConnected == true }
        status.isReady = snapshot.boundAddress != nil && !snapshot.isDraining && areConnected
        return status
    }

    /// Asks each node of a cluster to which a connection stands whether it answers, on each loop: a node that is frozen, or a
    /// path that was cut without a word, looks connected until somebody asks. Empty where nothing stands.
    ///
    /// - Parameter time: how long a node may take; one that says nothing takes all of it.
    public func askNodes(of cluster: Cluster, within time: Duration) async -> [NodeID: SignOfLife] {
        let (loops, watch) = self.state.withLock { ($0.loops, $0.watches[cluster]) }
        let deadline = NIODeadline.now() + .nanoseconds(Int64(time / .nanoseconds(1)))
        async let heard = watch?.monitor.askNode(deadline: deadline)
        var answers: [NodeID: SignOfLife] = [:]
        // All are asked before the first one is waited for.
        let questions = loops.map { loop in
            loop.eventLoop.flatSubmit {
                loop.value.cluster(cluster)?.askNodes(deadline: deadline) ?? loop.eventLoop.makeSucceededFuture([:])
            }
        }
        for question in questions { answers.add((try? await question.get()) ?? [:]) }
        answers.add(await heard ?? [:])
        return answers
    }

    /// Lets requests pass until a moment; later ones are refused, OVERLOADED, until it is told a later moment.
    ///
    /// For a proxy among several that share a stage: one that stands still, or hears nothing of the others, must not go on in a
    /// stage that the others may have left. Each loop looks at its own clock, so that what comes first after a standstill is
    /// refused, too. Never called: all pass.
    ///
    /// - Parameter inPart: only those for tables that are written to both clusters; what was said of the others before still
    ///   counts.
    public func mayAct(until moment: NIODeadline, inPart: Bool = false) {
        self.state.withLock { state in
            state.actsUntil = moment
            if !inPart { state.actsAloneUntil = moment }
        }
        let nanoseconds = Int64(clamping: moment.uptimeNanoseconds)
        self.onEveryLoop { loop in
            loop.actsUntil = nanoseconds
            if !inPart { loop.actsAloneUntil = nanoseconds }
        }
    }

    /// Changes timeouts; they apply to requests that arrive later.
    public func setTimeouts(_ timeouts: DualWriterTimeouts) {
        self.state.withLock { $0.settings.timeouts = timeouts }
        self.onEveryLoop { $0.settings.timeouts = timeouts }
    }

    /// Changes the share of the reads that are compared, 0 to 100 per cent; comparisons under way go on.
    public func setComparisonPercentage(_ percentage: Double) {
        let settings = self.state.withLock { state in
            state.settings.comparison.percentage = percentage
            return state.settings.comparison
        }
        self.onEveryLoop { $0.settings.comparison = settings }
    }

    /// Changes what is wanted on the shadow; writes that arrive later go by it.
    public func setFilter(_ filter: ShadowFilter) {
        self.state.withLock { $0.settings.filter = filter }
        self.onEveryLoop { $0.settings.filter = filter }
    }

    /// Changes which requests are logged. When it returns, those that arrive go by it; of several calls the last one counts.
    public func setRequestLog(_ settings: RequestLogSettings) async {
        let loops = self.state.withLock { state in
            state.settings.requestLog = settings
            return state.loops
        }
        let changes = loops.map { loop in loop.eventLoop.submit { loop.value.settings.requestLog = settings } }
        for change in changes { try? await change.get() }
    }

    func beginChange() throws(DualWriterError) {
        let isBusy = self.state.withLock { state in
            defer { state.isChanging = true }
            return state.isChanging
        }
        if isBusy { throw DualWriterError(.notRunning, "another change is under way; try again in a moment") }
    }

    func endChange() { self.state.withLock { $0.isChanging = false } }
}
