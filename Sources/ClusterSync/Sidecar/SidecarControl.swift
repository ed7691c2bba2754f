import DualWriteCore
import DualWriter
import Logging
import Operations
import SharedState

/// The control side of a running sidecar: changes of mode and configuration, one at a time, and what is said about them.
///
/// A change of mode is made by the proxy first and then kept in the state folder; if the folder fails, the proxy goes back.
actor SidecarControl {
    /// What never changes while the process lives.
    struct Identity: Sendable {
        var service = "dual-writer"
        var version = Version.current
        var started = ContinuousClock.now
    }

    let proxy: any SidecarProxy
    let store: PhaseStore
    let auditStore: AuditStore
    let reportStore: ReportStore
    let logger: Logger
    let identity: Identity
    let gates: GateSettings
    let log: RunningLog
    var phaseState: PhaseState
    /// Where the write mode is decided together with other replicas; nil where this one has a mode of its own.
    let shared: SharedControl?
    /// Whether reads are ahead of the mode.
    var readsAreAhead: Bool
    /// What somebody has asked this replica for and that is on its way.
    var asked: Asked?
    var timeouts: DualWriterTimeouts
    var hosts: (source: [String], target: [String])
    var validationPercentage: Double
    /// What counters said lately.
    var window: GateWindow
    /// What nodes said when they were asked last.
    var answersKept: [Cluster: KeptAnswers] = [:]
    /// What other services have reported.
    var reportsKept: ReportsDocument
    /// Who has changed what, oldest first.
    var trail: [AuditRecord]
    private var isChanging = false
    /// Questions about what is owed that are being answered.
    var questions = 0
    /// Where the journal is.
    let journalFolder: String
    /// Whether it is being verified.
    var isVerifying = false

    init(
        proxy: any SidecarProxy,
        store: PhaseStore,
        phase: PhaseState,
        configuration: SidecarConfiguration,
        timeouts: DualWriterTimeouts,
        identity: Identity = Identity(),
        shared: SharedControl? = nil,
        stage: ModeStage? = nil,
        logger: Logger
    ) {
        self.shared = shared
        self.readsAreAhead = stage == .readsFirst
        self.proxy = proxy
        self.store = store
        self.phaseState = phase
        self.hosts = (configuration.source.hosts, configuration.target.hosts)
        self.validationPercentage = configuration.validationPercentage
        self.timeouts = timeouts
        self.identity = identity
        self.logger = logger
        self.gates = configuration.gates
        self.journalFolder = configuration.journal.folder
        self.log = RunningLog(configuration.log, logger: logger) { await proxy.setRequestLog($0) }
        self.window = GateWindow(seconds: configuration.gates.limits.windowSeconds)
        self.auditStore = AuditStore(folder: store.folder)
        self.reportStore = ReportStore(folder: store.folder)
        let (trail, reports) = (self.auditStore.load(), self.reportStore.load())
        (self.trail, self.reportsKept) = (trail.records, reports.reports)
        for remark in [trail.remark, reports.remark].compactMap(\.self) {
            logger.warning("state folder: \(remark)")
        }
    }

    var started: ContinuousClock.Instant { self.identity.started }

    /// Says that a mode of all tables cannot be had with these hosts; nil where it can.
    static func missing(_ mode: WriteMode, _ hosts: (source: [String], target: [String])) -> String? {
        self.missing(mode, .none, hosts)
    }

    /// Says that a mode, or that of a table, cannot be had with these hosts; nil where it can.
    static func missing(
        _ mode: WriteMode,
        _ overrides: ModeOverrides,
        _ hosts: (source: [String], target: [String])
    ) -> String? {
        let modes = [(mode, "\(mode)")] + overrides.ofTables.map { ($0.stage.mode, "\($0.tables) in \($0.stage)") }
        for (mode, what) in modes {
            for cluster in Cluster.allCases where mode.needs(cluster) {
                let isConfigured = cluster == .source ? !hosts.source.isEmpty : !hosts.target.isEmpty
                if !isConfigured { return "\(what) needs the \(cluster) cluster, and no host of it is configured" }
            }
        }
        return nil
    }

    /// The hosts in use.
    var configuredHosts: (source: [String], target: [String]) { self.hosts }

    // MARK: Changing

    func begin() throws(AdminError) {
        guard !self.isChanging else {
            throw AdminError(.transitionRefused, "Another change is under way.", hint: "Ask again when it is done.")
        }
        self.isChanging = true
    }

    func end() { self.isChanging = false }

    func parsed(_ text: String) throws(AdminError) -> WriteMode {
        do {
            return try WriteMode(parsing: text)
        } catch {
            throw AdminError(.invalidMode, "\(error)", hint: "Nothing was changed.")
        }
    }

    func checkTransition(to mode: WriteMode, force: Bool, reason: String?) throws(AdminError) -> ModeTransition {
        do {
            return try ModeTransition.check(from: self.phaseState.mode, to: mode, force: force, reason: reason)
        } catch {
            let hint =
                error.code == .reasonMissing
                ? "Send a reason beside force." : "PUT /v1/phase takes force and a reason. Nothing was changed."
            throw AdminError(.transitionRefused, "\(error)", hint: hint)
        }
    }

    /// Makes a change that was checked: the proxy first, then the folder.
    func move(
        to mode: WriteMode,
        _ change: PhaseChange,
        forced: Bool,
        _ judgement: Judgement,
        as action: AuditRecord.Action
    ) async throws(AdminError) {
        if let shared { return try await self.move(to: mode, change, judgement, as: action, with: shared) }
        let before = self.phaseState
        var after = before
        after.mode = mode
        after.epoch += 1
        do {
            // What was decided about the gates counts for those of the proxy, too.
            try await self.proxy.setMode(
                mode,
                epoch: after.epoch,
                force: forced || judgement.overrulesProxy,
                reason: change.reason ?? (judgement.overrulesProxy ? "the configuration of the gates" : nil)
            )
        } catch {
            throw AdminError(
                .clusterUnreachable,
                "\(mode) cannot be entered: \(error)",
                hint: "The mode is still \(before.mode)."
            )
        }
        // Every request that comes after this moment is handled in the new mode: loads go by it.
        after.history.append(
            PhaseRecord(
                at: Timestamp.now(),
                from: before.mode.name,
                to: mode.name,
                epoch: after.epoch,
                by: change.by,
                reason: change.reason,
                forced: forced || !judgement.overruled.isEmpty,
                overruled: judgement.overruled.isEmpty ? nil : judgement.overruled.map(\.rawValue)
            )
        )
        after.history = after.history.suffix(PhaseState.historyMax)
        do {
            try self.store.save(after)
        } catch {
            try? await self.proxy.setMode(
                before.mode,
                epoch: before.epoch,
                force: true,
                reason: "the state folder cannot be written"
            )
            throw AdminError(.changeFailed, "\(error)", hint: "The mode is still \(before.mode).")
        }
        self.phaseState = after
        self.logger.notice(
            "write mode changed",
            metadata: [
                "from": "\(before.mode)", "to": "\(mode)", "epoch": "\(after.epoch)", "by": "\(change.by)",
                "reason": "\(change.reason ?? "-")", "forced": "\(forced)",
                "overruled": "\(judgement.overruled.map(\.rawValue).joined(separator: ","))",
            ]
        )
        self.audit(
            action,
            "\(before.mode) → \(mode), epoch \(after.epoch)",
            by: change.by,
            reason: change.reason,
            forced: forced,
            judgement
        )
    }
}

extension SidecarControl: AdminControl {
    func change(_ change: PhaseChange) async throws(AdminError) -> PhaseDocument {
        let mode = try self.parsed(change.mode)
        try self.begin()
        defer { self.end() }
        let transition = try self.checkTransition(to: mode, force: change.force, reason: change.reason)
        if let missing = Self.missing(mode, self.phaseState.modes.overrides, self.hosts) {
            throw AdminError(.clusterUnreachable, missing, hint: "POST /config can give it. Nothing was changed.")
        }
        if transition != .none || self.readsAreAhead {
            let step = self.modeStep(to: mode)
            let judgement = try await self.passOwn(step, force: change.force, reason: change.reason)
            try await self.move(to: mode, change, forced: transition == .forced, judgement, as: .phase)
        }
        return self.phase()
    }

    func apply(_ change: ConfigurationChange) async throws(AdminError) -> ConfigurationDocument {
        try self.begin()
        defer { self.end() }
        try await self.carryOut(change)
        self.audit(.configuration, change.words, by: change.by, reason: nil)
        self.logger.notice("configuration changed until the next start", metadata: ["by": "\(change.by)"])
        return self.configuration()
    }

    func phase() -> PhaseDocument {
        let mode = self.phaseState.mode
        let number = Int(mode.rawValue)
        var document = PhaseDocument(
            mode: mode.name,
            number: number,
            epoch: self.phaseState.epoch,
            primary: mode.primary.description,
            shadow: mode.shadow?.description,
            next: WriteMode.allCases.filter { abs(Int($0.rawValue) - number) == 1 }.map(\.name),
            history: self.phaseState.history.suffix(20).reversed()
        )
        document.stage = self.readsAreAhead ? ModeStage.readsFirst.name : nil
        document.replicas = self.shared?.latest.replicaDocuments
        document.tablesCopiedSince = self.phaseState.tablesCopiedSince
        let overrides = self.phaseState.overrides
        if !overrides.isEmpty {
            document.overrides = self.firstOverrides
            document.overridesLeftOut = Swift.max(0, overrides.count - PhaseDocument.overridesMax)
        }
        return document
    }

    func configuration() -> ConfigurationDocument {
        ConfigurationDocument(
            cassandraHosts: self.hosts.source,
            scyllaHosts: self.hosts.target,
            writeMode: self.phaseState.mode.name,
            validationPercentage: self.validationPercentage,
            shadowWriteTimeoutMs: self.timeouts.shadowWriteMilliseconds,
            primaryWriteTimeoutMs: self.timeouts.primaryWriteMilliseconds
        )
    }

    func status() async -> StatusDocument { self.status(await self.proxy.currentStatus()) }

    /// The status document of a status of the proxy.
    func status(_ status: DualWriterStatus) -> StatusDocument {
        let mode = self.phaseState.mode
        let legs = Cluster.allCases.map { cluster in
            let role = self.role(of: cluster)
            let hosts = cluster == .source ? self.hosts.source : self.hosts.target
            return StatusDocument.Leg(cluster, role: role, hosts: hosts, status)
        }
        var document = StatusDocument(
            service: self.identity.service,
            version: self.identity.version,
            uptimeSeconds: self.uptimeSeconds,
            listen: self.proxy.listenAddress ?? "not yet",
            mode: mode.name,
            epoch: self.phaseState.epoch,
            readiness: Self.readiness(status),
            draining: status.isDraining,
            clients: status.clients,
            journalled: status.hasJournal,
            legs: legs
        )
        document.replicas = self.shared?.latest.replicaDocuments
        return document
    }

    private func role(of cluster: Cluster) -> String {
        let mode = self.phaseState.mode
        if mode.needs(cluster) { return mode.primary == cluster ? "primary" : "shadow" }
        return self.phaseState.modes.needs(cluster) ? "overrides" : "unused"
    }

    var uptimeSeconds: Double {
        let seconds = (ContinuousClock.now - self.identity.started) / .milliseconds(1)
        return seconds.rounded() / 1_000
    }
}

extension StatusDocument.Leg {
    init(_ cluster: Cluster, role: String, hosts: [String], _ status: DualWriterStatus) {
        self.init(cluster: cluster.description, role: role, hosts: hosts)
        let counters = status.counters[cluster]
        self.writesSucceeded = counters.writesSucceeded
        self.writesFailed = counters.writesFailed
        self.readsSucceeded = counters.readsSucceeded
        self.readsFailed = counters.readsFailed
        self.shadowOverflowed = counters.shadowOverflowed
        self.shadowDead = counters.shadowDead
        guard let leg = status.leg(cluster) else { return }
        self.connected = leg.isConnected
        self.error = leg.lastError
        self.releaseVersion = leg.releaseVersion
        self.nodesKnown = leg.nodesKnown
        self.nodesConnected = leg.nodesConnected
        self.connections = leg.connections
        self.shadowQueued = leg.shadowWritesQueued
        self.shadowQueuedBytes = leg.shadowBytesQueued
        self.shadowOldestMs = leg.shadowOldestMilliseconds
        self.journalDiskBytes = leg.journalDiskBytes
        self.behind = leg.isBehind
        self.heldBack = leg.isHeldBack
        self.breakerOpen = leg.isBreakerOpen
        self.waitsForLoginOf = Array(leg.waitsForLoginOf.sorted().prefix(JournalDocument.Cluster.usersMax))
        self.waitsForLogins = leg.waitsForLoginOf.count
        self.deadLetters = leg.deadLetters
        self.dirtyPartitions = leg.dirtyPartitions
        self.dirtyWithLoss = leg.dirtyWithLoss
    }
}
