import CQLClient
import CQLProtocol
import CQLSyntax
import DualWriteCore
import Logging
import NIOCore
import ShadowJournal

/// Everything that one event loop of the proxy owns: its clients, its connections to both clusters, its statements, its
/// requests and its shadow lanes. A request never leaves the loop that accepted it (DESIGN §4).
///
/// Not `Sendable`: all of it is touched on ``eventLoop`` only. What changes at run time arrives as a ``Settings`` value.
final class DualWriterLoop {
    /// Requests in flight are looked through for expired ones this often; a deadline is met to within this time.
    static var sweepInterval: TimeAmount { .milliseconds(25) }

    let eventLoop: any EventLoop
    let index: Int
    let limits: DualWriterLimits
    let advertisedAddress: SocketAddress?
    let ring: SidecarRing
    let registry: PreparedRegistry
    let gate: ClientGate
    /// What is kept beyond the life of the process; nil where nothing is.
    let store: ShadowStore?
    let logger: Logger

    var settings: Settings {
        didSet {
            self.comparisons.settingsChanged()
            self.judgeAnew(after: oldValue)
            if oldValue.requestLog != self.settings.requestLog { self.requestLog.settings = self.settings.requestLog }
        }
    }
    /// Whether there are tables with modes of their own: all that requests look at where there are none.
    private(set) var hasOverrides: Bool
    /// Tenants whose reads go ahead of their tables; nil where there are none, and nothing of it is asked then.
    private(set) var canaries: CanaryRules?
    /// For what they wait before they do.
    var canaryWait: CanaryWait
    /// When a table may have got another primary for the last time, in milliseconds since 1970: what a lane owes from before that
    /// may be overtaken.
    private(set) var primariesChangedAt: Int64
    var requestLog: RequestLog
    /// When requests begin to be refused, in nanoseconds of ``now``, because another stage may be in force by then.
    var actsUntil = Int64.max
    /// The same for tables in a mode of one cluster; never later.
    var actsAloneUntil = Int64.max
    var clock = LoopClock()
    var counters = DualWriterCounters()
    var requests: RequestTable
    var analyses: AnalysisCache
    var valueMaker = ServerValueMaker(clockSequence: .random(in: 0...0x3fff), node: .random(in: 0...UInt64.max))
    var statements: [StatementID: PreparedStatement] = [:]
    let recentStatements = RecentStatements()
    var schemaNews = SchemaNews()
    var isDraining = false
    /// Bytes of frames of which the rest has not come yet.
    var unfinishedFrameBytes = 0

    private var schemas = PerCluster<SchemaShapes?>(both: nil)
    /// What the tables have in them, each as its primary has it.
    private(set) var schema: SchemaShapes?
    /// How often a schema or the filter has become another one; statements are judged anew then.
    private(set) var judgementChanges = 1

    /// Logins that a cluster has accepted, for moments in which it cannot be asked.
    var acceptedLogins: Set<Credentials> = []
    /// Of these the last one of each user name.
    var latestLogins: [String: Credentials] = [:]

    private(set) var clients: [ObjectIdentifier: ClientConnection] = [:]
    private var identities: [ClientIdentity.Key: ClientIdentity] = [:]
    private var sourceCluster: LoopCluster?
    private var targetCluster: LoopCluster?
    /// Clusters that were replaced and still have answers to come.
    private var retired: [LoopCluster] = []
    private(set) var sourceTopology: ClusterTopology?
    private(set) var targetTopology: ClusterTopology?
    /// What the loop owes to each cluster; nil where nothing is journalled.
    let logs: PerCluster<JournalLog?>
    /// Where the header of a journal's entry is made.
    let entryHeader = UnsafeMutableRawPointer.allocate(byteCount: JournalEntry.headerBytes, alignment: 8)
    var order = PerCluster(both: OwedOrder())
    /// Nil after ``shutdown()``.
    private var sourceLane: ShadowLane?
    private var targetLane: ShadowLane?
    private(set) lazy var comparisons = ReadComparisons(loop: self)

    var dirtyClients: [ClientConnection] = []
    var dirtyUpstreams: [UpstreamConnection] = []
    var patientUpstreams: [UpstreamConnection] = []
    var tickIsScheduled = false
    var pressure: ClientPressure
    var pausedClients: [ClientConnection] = []
    private var clientsSeen = 0
    private var lastTimestamp: Int64 = 0
    private var lastTLSComplaint: Int64 = 0
    private var lastIdleSweep: Int64 = 0

    init(
        eventLoop: any EventLoop,
        index: Int,
        loops: Int = 1,
        limits: DualWriterLimits,
        settings: Settings,
        advertisedAddress: SocketAddress?,
        ring: SidecarRing,
        registry: PreparedRegistry,
        gate: ClientGate,
        store: ShadowStore? = nil,
        logs: PerCluster<JournalLog?> = PerCluster(both: nil),
        logger: Logger
    ) {
        self.eventLoop = eventLoop
        self.index = index
        self.requestLog = RequestLog(settings.requestLog, loops: loops, index: index)
        self.limits = limits
        self.settings = settings
        self.hasOverrides = settings.overrides.hasTables
        self.canaries = CanaryRules(settings.overrides, filter: settings.filter)
        self.canaryWait = settings.overrides.hasCanaries ? .allLoops : .over
        self.primariesChangedAt = LoopClock.wallMicroseconds / 1_000
        self.advertisedAddress = advertisedAddress
        self.ring = ring
        self.registry = registry
        self.gate = gate
        self.store = store
        // A clock that was set back meanwhile must not put new writes below those of an earlier process.
        self.lastTimestamp = store?.timestamps.highestAtStart ?? 0
        self.logs = logs
        self.logger = logger
        self.requests = RequestTable(limit: limits.requestsPerLoopMax, bytesMax: limits.requestBytesPerLoopMax)
        self.pressure = ClientPressure(bytesMax: limits.clientBytesInFlightMax)
        self.analyses = AnalysisCache(
            entriesMax: limits.analysisCacheEntriesMax,
            textBytesMax: limits.analysedTextBytesMax
        )
        self.sourceLane = ShadowLane(cluster: .source, loop: self, log: logs[.source])
        self.targetLane = ShadowLane(cluster: .target, loop: self, log: logs[.target])
    }

    deinit { self.entryHeader.deallocate() }

    /// The moment in nanoseconds of the loop's clock.
    var now: Int64 { self.clock.nanoseconds }

    // MARK: Clusters

    func cluster(_ cluster: Cluster) -> LoopCluster? { cluster == .source ? self.sourceCluster : self.targetCluster }

    func topology(_ cluster: Cluster) -> ClusterTopology? {
        cluster == .source ? self.sourceTopology : self.targetTopology
    }

    /// Whether anything has been heard of a cluster.
    func isKnown(_ cluster: Cluster) -> Bool {
        cluster == .source ? self.sourceTopology != nil : self.targetTopology != nil
    }

    /// What a cluster is owed; after ``shutdown()`` a lane that owes nothing and that nobody keeps.
    func lane(_ cluster: Cluster) -> ShadowLane {
        (cluster == .source ? self.sourceLane : self.targetLane) ?? ShadowLane(cluster: cluster, loop: self, log: nil)
    }

    /// The same, for the path that every write takes.
    @inline(__always)
    func withLane(_ cluster: Cluster, _ body: (ShadowLane) -> Void) {
        if let lane = Uncounted(cluster == .source ? self.sourceLane : self.targetLane) {
            lane(body)
        } else {
            body(self.lane(cluster))
        }
    }

    /// Puts a cluster in the place of another one, or takes it away. Requests take their pools from it from now on; those
    /// that are on their way still get their answers.
    func setCluster(_ cluster: Cluster, to configuration: ClusterConfiguration?) {
        if let old = self.cluster(cluster) {
            old.retire()
            self.retired.append(old)
        }
        let new = configuration.map {
            LoopCluster(configuration: $0, eventLoop: self.eventLoop, delegate: self, logger: self.logger)
        }
        if cluster == .source {
            (self.sourceCluster, self.sourceTopology) = (new, nil)
        } else {
            (self.targetCluster, self.targetTopology) = (new, nil)
        }
        for identity in self.identities.values { identity.forget(cluster) }
    }

    private func shutDownRetired() {
        guard !self.retired.isEmpty else { return }
        for cluster in self.retired where cluster.isDrained { cluster.shutdown() }
        self.retired.removeAll(where: \.isDrained)
    }

    private func noteSchema(_ topology: ClusterTopology, of cluster: Cluster) {
        guard topology.schema !== self.topology(cluster)?.schema else { return }
        self.schemas[cluster] = topology.schema.map { SchemaShapes($0) }
        self.chooseSchema()
    }

    private func chooseSchema() {
        self.judgementChanges += 1
        let modes = self.settings.modes
        self.schema =
            self.hasOverrides
            ? SchemaShapes(self.schemas) { modes.stage(keyspace: $0, table: $1).mode.primary }
            : self.schemas[modes.stage.mode.primary]
    }

    /// Statements go by the modes of their tables, by the filter, and by the tables of the primary.
    private func judgeAnew(after old: Settings) {
        let modesAreOthers = old.stage != self.settings.stage || old.overrides != self.settings.overrides
        if modesAreOthers {
            self.hasOverrides = self.settings.overrides.hasTables
            if !old.modes.agreesOnTables(with: self.settings.modes) { self.primariesChangedAt = self.wallMilliseconds }
        }
        guard modesAreOthers || old.filter != self.settings.filter else { return }
        self.canaries = CanaryRules(self.settings.overrides, filter: self.settings.filter)
        self.chooseSchema()
    }

    func setTopology(_ topology: ClusterTopology, of cluster: Cluster) {
        self.noteSchema(topology, of: cluster)
        if cluster == .source { self.sourceTopology = topology } else { self.targetTopology = topology }
        guard let loopCluster = self.cluster(cluster) else { return }
        loopCluster.update(topology: topology)
        // What was owed before the cluster was known.
        defer { self.lane(cluster).pump() }
        // The pool that most clients use is opened before the first of them comes.
        if topology.authenticator == nil || loopCluster.configuration.credentials != nil {
            _ = self.anonymousIdentity.pool(cluster)
        }
    }

    // MARK: Identities

    var anonymousIdentity: ClientIdentity {
        self.identity(ClientIdentity.Key(credentials: nil, keyspace: nil, version: .v4))
    }

    func identity(_ key: ClientIdentity.Key) -> ClientIdentity {
        if let identity = self.identities[key] { return identity }
        let identity = ClientIdentity(key: key, loop: self)
        identity.usedAt = self.now
        self.identities[key] = identity
        return identity
    }

    /// Whether a client acts under an identity.
    func isInUse(_ identity: ClientIdentity) -> Bool { self.clients.values.contains { $0.identity === identity } }

    /// Forgets an identity that a cluster does not accept.
    func forget(_ identity: ClientIdentity) { self.identities[identity.key] = nil }

    func makePool(for key: ClientIdentity.Key, _ cluster: Cluster) -> UpstreamPool? {
        self.cluster(cluster)?.pool(for: self.sessionKey(for: key, cluster))
    }

    func sessionKey(for key: ClientIdentity.Key, _ cluster: Cluster) -> SessionKey {
        let credentials = self.settings.actingAsConfigured.contains(cluster) ? nil : key.credentials
        return SessionKey(credentials: credentials, keyspace: key.keyspace, version: key.version)
    }

    // MARK: Clients

    /// A new client; nil where the process has too many to take even the words of a refusal.
    func makeClient() -> ClientConnection? {
        guard self.gate.enter() else {
            self.counters.clientsRefused &+= 1
            return nil
        }
        self.clientsSeen += 1
        let client = ClientConnection(loop: self, id: self.clientsSeen)
        self.clients[ObjectIdentifier(client)] = client
        self.counters.clientsAccepted &+= 1
        return client
    }

    /// Closes a client that is not through its handshake in time. The timer knows it by its number alone, so that it holds
    /// nothing of those that have gone meanwhile.
    func limitHandshake(of client: ClientConnection) {
        let (key, id) = (ObjectIdentifier(client), client.id)
        let limit = TimeAmount.milliseconds(Int64(self.limits.clientHandshakeMillisecondsMax))
        self.eventLoop.assumeIsolated().scheduleTask(in: limit) {
            guard let client = self.clients[key], client.id == id, client.isOpen else { return }
            if case .ready = client.phase { return }
            client.close()
        }
    }

    /// A client is gone. What it asked for goes on: a write that was sent may have happened and is still shipped.
    func clientClosed(_ client: ClientConnection) {
        guard self.clients.removeValue(forKey: ObjectIdentifier(client)) != nil else { return }
        self.gate.leave()
    }

    func clientIsTooSlow(_ client: ClientConnection) {
        self.counters.slowClientsClosed &+= 1
        self.logger.info(
            "closing a client that does not read its answers",
            metadata: ["client": "\(client.id)", "limit-bytes": "\(self.limits.clientQueuedBytesMax)"]
        )
        client.close()
    }

    /// A client is not read from before the loop has less to do.
    func pause(_ client: ClientConnection) {
        self.counters.readPauses &+= 1
        self.pausedClients.append(client)
    }

    /// A client and the proxy do not agree on TLS. Logged at most once a second, because whoever cannot connect tries again.
    func tlsFailed(_ reason: String, _ address: SocketAddress?) {
        self.counters.tlsFailures &+= 1
        guard self.now - self.lastTLSComplaint > 1_000_000_000 else { return }
        self.lastTLSComplaint = self.now
        self.logger.notice(
            "a client cannot connect",
            metadata: ["client": "\(address.map { "\($0)" } ?? "?")", "reason": "\(reason)"]
        )
    }

    // MARK: Deadlines

    func start() { self.scheduleSweep() }

    private func scheduleSweep() {
        // It only fails when the loop has ended, and nothing is left to sweep.
        _ = try? self.eventLoop.assumeIsolated().scheduleCallback(in: Self.sweepInterval, handler: Sweep(loop: self))
    }

    fileprivate func sweepAndContinue() {
        if self.requests.inUse > 0 {
            let now = self.now
            var expired: [ProxiedRequest] = []
            self.requests.forEachExpired(now: now) { expired.append($0) }
            for request in expired { self.deadlinePassed(request) }
        }
        self.shutDownRetired()
        self.comparisons.proceed()
        self.letCanariesGo()
        if self.now - self.lastIdleSweep > Int64(self.limits.idlePoolMillisecondsMax) * 1_000_000 / 4 {
            self.sweepIdle()
        }
        guard !self.isStopped else { return }
        self.scheduleSweep()
    }

    /// Lets go of names and keyspaces that no client uses any more: after a change of the password, say.
    private func sweepIdle() {
        let now = self.now
        self.lastIdleSweep = now
        for client in self.clients.values { client.identity.usedAt = now }
        self.anonymousIdentity.usedAt = now
        let limit = Int64(self.limits.idlePoolMillisecondsMax) * 1_000_000
        self.identities = self.identities.filter { now - $0.value.usedAt <= limit }
        for name in Cluster.allCases {
            let used = Set(self.identities.keys.map { self.sessionKey(for: $0, name) })
            self.cluster(name)?.closePools { used.contains($0) }
        }
    }

    private(set) var isStopped = false

    /// Closes all clients, all upstream connections and the journals. It must be called: the loop and what it owns refer to each
    /// other until then.
    func shutdown() {
        self.isStopped = true
        for client in Array(self.clients.values) { client.close() }
        self.flushAll()
        for cluster in [self.sourceCluster, self.targetCluster].compactMap({ $0 }) + self.retired { cluster.shutdown() }
        for cluster in Cluster.allCases { self.logs[cluster]?.close() }
        (self.sourceLane, self.targetLane) = (nil, nil)
    }

    // MARK: Time

    /// Milliseconds since 1970.
    var wallMilliseconds: Int64 { self.clock.wallMicroseconds / 1_000 }

    /// A write timestamp in microseconds: the wall clock, but never the same or an earlier one twice on this loop, nor one that
    /// an earlier process has given.
    func stamp() -> Int64 {
        self.lastTimestamp = max(self.lastTimestamp + 1, self.clock.wallMicroseconds)
        self.store?.timestamps.note(self.lastTimestamp, slot: self.index % HighestNumbers.slots)
        return self.lastTimestamp
    }
}

/// The next look at deadlines. A callback, because scheduling a task allocates.
private struct Sweep: NIOScheduledCallbackHandler {
    let loop: DualWriterLoop

    func handleScheduledCallback(eventLoop: some EventLoop) { self.loop.sweepAndContinue() }
}
