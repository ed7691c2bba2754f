import Operations
import Synchronization

/// A sidecar that only remembers what it was asked for.
final class FakeSidecar: AdminControl, HealthSource {
    struct State {
        var mode = "DualWriteAsync"
        var epoch = 3
        var readiness = Readiness.ready
        var refusal: AdminError?
        var phaseChanges: [PhaseChange] = []
        var configurationChanges: [ConfigurationChange] = []
        var deadLetterChanges: [DeadLettersChange] = []
        var clearings: [DirtyClearing] = []
        var filterChanges: [FiltersChange] = []
        var logChanges: [LogsChange] = []
        var overridesChanges: [OverridesChange] = []
        var rollbacks: [Rollback] = []
        var drains: [Drain] = []
        var reports = ReportsDocument()
        /// Cluster and limit of each list that was asked for.
        var lists: [String] = []
    }

    private let state = Mutex(State())

    func with<Result>(_ body: (inout State) -> Result) -> Result { self.state.withLock { body(&$0) } }

    func status() async -> StatusDocument {
        let state = self.with { $0 }
        return StatusDocument(
            service: "dual-writer",
            version: "1.2.3",
            uptimeSeconds: 1.5,
            listen: "127.0.0.1:9042",
            mode: state.mode,
            epoch: state.epoch,
            readiness: state.readiness,
            draining: false,
            clients: 7,
            journalled: true,
            legs: [.init(cluster: "source", role: "primary", hosts: ["127.0.0.1:19042"])]
        )
    }

    func phase() async -> PhaseDocument {
        let state = self.with { $0 }
        return PhaseDocument(
            mode: state.mode,
            number: 1,
            epoch: state.epoch,
            primary: "source",
            shadow: "target",
            next: ["PrimaryOnly", "DualWriteSync"],
            history: []
        )
    }

    func change(_ change: PhaseChange) async throws(AdminError) -> PhaseDocument {
        let refusal = self.with { state -> AdminError? in
            state.phaseChanges.append(change)
            guard state.refusal == nil else { return state.refusal }
            state.mode = change.mode
            state.epoch += 1
            return nil
        }
        if let refusal { throw refusal }
        return await self.phase()
    }

    func configuration() async -> ConfigurationDocument {
        ConfigurationDocument(
            cassandraHosts: ["127.0.0.1:19042"],
            scyllaHosts: [],
            writeMode: self.with { $0.mode },
            validationPercentage: 0.5,
            shadowWriteTimeoutMs: 5_000,
            primaryWriteTimeoutMs: 10_000
        )
    }

    func apply(_ change: ConfigurationChange) async throws(AdminError) -> ConfigurationDocument {
        let refusal = self.with { state -> AdminError? in
            state.configurationChanges.append(change)
            return state.refusal
        }
        if let refusal { throw refusal }
        return await self.configuration()
    }

    func health() async -> HealthDocument {
        HealthDocument(
            status: "degraded",
            service: "dual-writer",
            version: "1.2.3",
            uptimeSeconds: 1.5,
            currentMode: self.with { $0.mode },
            validationRate: 0,
            source: .init(configured: true, connected: true),
            target: .init(configured: true, connected: false, error: "connection refused")
        )
    }

    func readiness() async -> Readiness { self.with { $0.readiness } }
}

extension FakeSidecar: JournalControl {
    func journal() async -> JournalDocument {
        var target = JournalDocument.Cluster(cluster: "target")
        target.records = 12
        target.heldBack = true
        target.tables = [.init(table: "shop.orders", records: 12, oldestAgeMs: 900)]
        return JournalDocument(enabled: true, clusters: [.init(cluster: "source"), target])
    }

    func verifyJournal() async throws(AdminError) -> JournalVerificationDocument {
        let log = JournalVerificationDocument.Log(
            name: "target-0",
            isWhole: false,
            records: 3,
            definitions: 1,
            damage: ["file 1: 40 B from byte 64 on"]
        )
        return JournalVerificationDocument(folder: "/journal", isWhole: false, logs: [log], damage: [])
    }

    func deadLetters(of cluster: String?, max: Int) async -> DeadLettersDocument {
        self.with { $0.lists.append("dead-letters \(cluster ?? "both") \(max)") }
        return DeadLettersDocument(source: 0, target: 1, letters: [])
    }

    func change(_ change: DeadLettersChange) async throws(AdminError) -> DeadLettersChangeDocument {
        let refusal = self.with { state -> AdminError? in
            state.deadLetterChanges.append(change)
            return state.refusal
        }
        if let refusal { throw refusal }
        return DeadLettersChangeDocument(
            action: change.action.rawValue,
            cluster: change.cluster,
            changed: change.ids?.count ?? 1,
            unknown: [],
            withoutRoom: 0,
            left: 0
        )
    }

    func owed(_ question: OwedQuestion) async throws(AdminError) -> OwedDocument {
        self.with { $0.lists.append("owed \(question.keyspace).\(question.table) \(question.keys)") }
        return OwedDocument(owed: [1], complete: true)
    }

    func dirty(_ question: DirtyQuestion) async throws(AdminError) -> DirtyDocument {
        let table = question.table.map { " \($0) after \(question.after)" } ?? ""
        self.with { $0.lists.append("dirty \(question.cluster ?? "both") \(question.limit)\(table)") }
        return DirtyDocument(summary: [], groupsLeftOut: 0, partitions: [], total: 0)
    }

    func clear(_ clearing: DirtyClearing) async throws(AdminError) -> DirtyClearingDocument {
        let refusal = self.with { state -> AdminError? in
            state.clearings.append(clearing)
            return state.refusal
        }
        if let refusal { throw refusal }
        return DirtyClearingDocument(cluster: clearing.cluster, table: clearing.table, cleared: 3, left: 0)
    }

    func filters() async -> FiltersDocument {
        let change = self.with { $0.filterChanges.last }
        return FiltersDocument(
            origin: change == nil ? "configuration" : "admin port",
            tables: change?.tables ?? .init(),
            tenantColumns: change?.tenantColumns ?? [],
            tenants: change?.tenants ?? .init(),
            tenantsLeftOut: 0,
            writes: .init(byTable: 3, byTenant: 2, untold: 1)
        )
    }

    func change(_ change: FiltersChange) async throws(AdminError) -> FiltersDocument {
        if let refusal = self.with({ $0.refusal }) { throw refusal }
        self.with { $0.filterChanges.append(change) }
        return await self.filters()
    }
}

extension FakeSidecar: GateControl {
    private static let gate = GateDocument(
        gate: "backlog",
        holds: false,
        action: "veto",
        figure: "12 writes",
        threshold: "0 writes",
        words: "Wait."
    )

    func verdict(to mode: String?) async throws(AdminError) -> VerdictDocument {
        VerdictDocument(
            from: self.with { $0.mode },
            to: mode ?? "DualWriteSync",
            allowed: false,
            gates: [Self.gate],
            cost: nil,
            wayBack: "DualWriteAsync",
            wayBackCost: nil
        )
    }

    func rollBack(_ rollback: Rollback) async throws(AdminError) -> RollbackDocument {
        if let refusal = self.with({ $0.refusal }) { throw refusal }
        self.with { $0.rollbacks.append(rollback) }
        let verdict = try await self.verdict(to: "PrimaryOnly")
        return RollbackDocument(verdict, dryRun: rollback.isDryRun, epoch: 4)
    }

    func reports() async -> ReportsDocument { self.with { $0.reports } }

    func keep(_ report: LoadReport) async throws(AdminError) -> ReportsDocument {
        self.with { state in
            state.reports.loads = [report]
            return state.reports
        }
    }

    func keep(_ report: ComparisonReport) async throws(AdminError) -> ReportsDocument {
        self.with { state in
            state.reports.comparison = report
            return state.reports
        }
    }

    func forgetLoad(_ job: String, by: String) async throws(AdminError) -> ReportsDocument {
        self.with { state in
            state.reports.loads.removeAll { $0.job == job }
            return state.reports
        }
    }

    func audit(max: Int) async -> AuditDocument {
        self.with { $0.lists.append("audit \(max)") }
        return AuditDocument(records: [], total: 0)
    }
}

extension FakeSidecar: LogControl {
    func logs() async -> LogsDocument {
        let last = self.with { $0.logChanges.last }
        return LogsDocument(
            level: last?.level ?? "info",
            requests: .init(oneIn: last?.oneIn ?? 0),
            until: nil,
            configuredLevel: "info",
            configuredRequests: .init(),
            linesDropped: 2,
            linesHeldBack: 1
        )
    }

    func change(_ change: LogsChange) async throws(AdminError) -> LogsDocument {
        self.with { $0.logChanges.append(change) }
        return await self.logs()
    }
}

extension FakeSidecar: OverrideControl {
    func overrides() async -> OverridesDocument {
        let state = self.with { $0 }
        return OverridesDocument(
            mode: state.mode,
            epoch: state.epoch,
            overrides: state.overridesChanges.last?.overrides ?? [],
            history: []
        )
    }

    func change(_ change: OverridesChange) async throws(AdminError) -> OverridesDocument {
        let refusal = self.with { state -> AdminError? in
            guard state.refusal == nil else { return state.refusal }
            state.overridesChanges.append(change)
            state.epoch += 1
            return nil
        }
        if let refusal { throw refusal }
        return await self.overrides()
    }
}
