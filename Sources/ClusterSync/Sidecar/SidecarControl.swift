import CQLClient
import DualWriteCore
import DualWriter
import Logging
import Operations

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
    private let store: PhaseStore
    let logger: Logger
    private let identity: Identity
    private var phaseState: PhaseState
    private var timeouts: DualWriterTimeouts
    private var hosts: (source: [String], target: [String])
    private var validationPercentage: Double
    private var isChanging = false

    init(
        proxy: any SidecarProxy,
        store: PhaseStore,
        phase: PhaseState,
        configuration: SidecarConfiguration,
        timeouts: DualWriterTimeouts,
        identity: Identity = Identity(),
        logger: Logger
    ) {
        self.proxy = proxy
        self.store = store
        self.phaseState = phase
        self.hosts = (configuration.source.hosts, configuration.target.hosts)
        self.validationPercentage = configuration.validationPercentage
        self.timeouts = timeouts
        self.identity = identity
        self.logger = logger
    }

    /// Says that a mode cannot be had with these hosts; nil where it can.
    static func missing(_ mode: WriteMode, _ hosts: (source: [String], target: [String])) -> String? {
        for cluster in Cluster.allCases where mode.needs(cluster) {
            let isConfigured = cluster == .source ? !hosts.source.isEmpty : !hosts.target.isEmpty
            if !isConfigured { return "\(mode) needs the \(cluster) cluster, and no host of it is configured" }
        }
        return nil
    }

    // MARK: Changing

    func begin() throws(AdminError) {
        guard !self.isChanging else {
            throw AdminError(.transitionRefused, "Another change is under way.", hint: "Ask again when it is done.")
        }
        self.isChanging = true
    }

    func end() { self.isChanging = false }

    private func parsed(_ text: String) throws(AdminError) -> WriteMode {
        do {
            return try WriteMode(parsing: text)
        } catch {
            throw AdminError(.invalidMode, "\(error)", hint: "Nothing was changed.")
        }
    }

    private func checkTransition(to mode: WriteMode, force: Bool, reason: String?) throws(AdminError) -> ModeTransition
    {
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
    private func move(to mode: WriteMode, _ change: PhaseChange, forced: Bool) async throws(AdminError) {
        let before = self.phaseState
        var after = before
        after.mode = mode
        after.epoch += 1
        do {
            // Force without a reason overrules nothing, the gates of a single step included.
            let force = change.force && change.reason != nil
            try await self.proxy.setMode(mode, epoch: after.epoch, force: force, reason: change.reason)
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
                forced: forced
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
            ]
        )
    }

    /// Applies hosts, times and mode of a document; what fails puts the hosts back.
    private func carryOut(_ change: ConfigurationChange) async throws(AdminError) {
        var hosts = self.hosts
        if let source = change.cassandraHosts { hosts.source = source }
        if let target = change.scyllaHosts { hosts.target = target }
        for (key, list) in [("cassandra_hosts", hosts.source), ("scylla_hosts", hosts.target)] {
            for host in list {
                do throws(ContactPointError) {
                    _ = try ContactPoint(parsing: host)
                } catch {
                    throw AdminError(.invalidConfiguration, "\(key): \(error)", hint: "Nothing was changed.")
                }
            }
        }
        var mode = self.phaseState.mode
        if let text = change.writeMode {
            do {
                mode = try self.parsed(text)
            } catch {
                throw AdminError(.invalidConfiguration, "write_mode: \(error.message)", hint: error.hint)
            }
        }
        let transition = try self.checkTransition(to: mode, force: false, reason: nil)
        if let missing = Self.missing(mode, hosts) {
            throw AdminError(.clusterUnreachable, missing, hint: "Nothing was changed.")
        }
        let before = self.hosts
        let source = hosts.source == before.source ? nil : hosts.source
        let target = hosts.target == before.target ? nil : hosts.target
        if source != nil || target != nil {
            do {
                try await self.proxy.setHosts(source: source, target: target)
            } catch {
                throw AdminError(.clusterUnreachable, "\(error)", hint: "Nothing was changed.")
            }
        }
        if transition != .none {
            do {
                try await self.move(to: mode, PhaseChange(mode: mode.name, by: change.by), forced: false)
            } catch {
                if source != nil || target != nil {
                    try? await self.proxy.setHosts(
                        source: source == nil ? nil : before.source,
                        target: target == nil ? nil : before.target
                    )
                }
                throw error
            }
        }
        self.hosts = hosts
        try await self.applyTimes(change)
    }

    private func applyTimes(_ change: ConfigurationChange) async throws(AdminError) {
        var timeouts = self.timeouts
        if let milliseconds = change.shadowWriteTimeoutMs { timeouts.shadowWriteMilliseconds = milliseconds }
        if let milliseconds = change.primaryWriteTimeoutMs { timeouts.primaryWriteMilliseconds = milliseconds }
        if timeouts != self.timeouts {
            do {
                try await self.proxy.setTimeouts(timeouts)
            } catch {
                throw AdminError(.changeFailed, "the timeouts could not be changed: \(error)")
            }
            self.timeouts = timeouts
        }
        if let percentage = change.validationPercentage, percentage != self.validationPercentage {
            do {
                try await self.proxy.setComparisonPercentage(percentage)
            } catch {
                throw AdminError(.changeFailed, "the share of compared reads could not be changed: \(error)")
            }
            self.validationPercentage = percentage
        }
    }
}

extension SidecarControl: AdminControl {
    func change(_ change: PhaseChange) async throws(AdminError) -> PhaseDocument {
        let mode = try self.parsed(change.mode)
        try self.begin()
        defer { self.end() }
        let transition = try self.checkTransition(to: mode, force: change.force, reason: change.reason)
        if let missing = Self.missing(mode, self.hosts) {
            throw AdminError(.clusterUnreachable, missing, hint: "POST /config can give it. Nothing was changed.")
        }
        if transition != .none { try await self.move(to: mode, change, forced: transition == .forced) }
        return self.phase()
    }

    func apply(_ change: ConfigurationChange) async throws(AdminError) -> ConfigurationDocument {
        try self.begin()
        defer { self.end() }
        try await self.carryOut(change)
        self.logger.notice("configuration changed until the next start", metadata: ["by": "\(change.by)"])
        return self.configuration()
    }

    func phase() -> PhaseDocument {
        let mode = self.phaseState.mode
        let number = Int(mode.rawValue)
        return PhaseDocument(
            mode: mode.name,
            number: number,
            epoch: self.phaseState.epoch,
            primary: mode.primary.description,
            shadow: mode.shadow?.description,
            next: WriteMode.allCases.filter { abs(Int($0.rawValue) - number) == 1 }.map(\.name),
            history: self.phaseState.history.suffix(20).reversed()
        )
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
            let role = mode.primary == cluster ? "primary" : mode.shadow == cluster ? "shadow" : "unused"
            let hosts = cluster == .source ? self.hosts.source : self.hosts.target
            return StatusDocument.Leg(cluster, role: role, hosts: hosts, status)
        }
        return StatusDocument(
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
    }

    private var uptimeSeconds: Double {
        let seconds = (ContinuousClock.now - self.identity.started) / .milliseconds(1)
        return seconds.rounded() / 1_000
    }
}

extension SidecarControl: HealthSource {
    func readiness() -> Readiness { Self.readiness(self.proxy.status()) }

    func health() -> HealthDocument {
        let status = self.proxy.status()
        let mode = self.phaseState.mode
        func leg(_ cluster: Cluster, _ hosts: [String]) -> HealthDocument.Leg {
            let leg = status.leg(cluster)
            return .init(configured: !hosts.isEmpty, connected: leg?.isConnected ?? false, error: leg?.lastError)
        }
        let isWhole = Cluster.allCases.allSatisfy { !mode.needs($0) || status.leg($0)?.isConnected == true }
        let isReady = Self.readiness(status) == .ready
        return HealthDocument(
            status: !isReady ? "unavailable" : isWhole ? "ok" : "degraded",
            service: self.identity.service,
            version: self.identity.version,
            uptimeSeconds: self.uptimeSeconds,
            currentMode: mode.name,
            validationRate: Self.validationRate(self.validationPercentage, status),
            source: leg(.source, self.hosts.source),
            target: leg(.target, self.hosts.target)
        )
    }

    /// The share of the suitable reads that are compared now, 0 to 1: none in a mode without a shadow, and none while the shadow
    /// is away or behind.
    static func validationRate(_ percentage: Double, _ status: DualWriterStatus) -> Double {
        guard let shadow = status.mode.shadow, let leg = status.leg(shadow) else { return 0 }
        return leg.isConnected && !leg.isBehind && !leg.isHeldBack ? percentage / 100 : 0
    }

    /// Ready means: the listener stands and every cluster whose loss a client would notice can be reached.
    static func readiness(_ status: DualWriterStatus) -> Readiness {
        if status.isDraining { return .notReady(reason: "the sidecar is stopping") }
        var needed = [status.mode.primary]
        if status.mode.isJoin, let shadow = status.mode.shadow { needed.append(shadow) }
        for cluster in needed where status.leg(cluster)?.isConnected != true {
            let why = status.leg(cluster)?.lastError.map { ": \($0)" } ?? ""
            return .notReady(reason: "the \(cluster) cluster cannot be reached\(why)")
        }
        return status.isReady ? .ready : .notReady(reason: "the listener does not accept connections yet")
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
