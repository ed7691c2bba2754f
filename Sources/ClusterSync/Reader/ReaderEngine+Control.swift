import CQLClient
import DualReader
import Logging
import Operations
import Synchronization
import TokenRanges

/// What the admin port asks.
extension ReaderEngine: ReaderControl {
    func readiness() async -> Readiness { .ready }

    func status() async -> ReaderStatus {
        let active = self.state.withLock { state in
            if let active = state.active { state.run.meets(obstacle: active.obstacle) }
            return state.active
        }
        let report = await active?.progress()
        let state = self.state.withLock { $0 }
        var status = ReaderStatus(version: Version.current)
        let uptime = (ContinuousClock.now - self.start).components
        status.uptimeSeconds = Double(uptime.seconds) + Double(uptime.attoseconds) / 1e18
        status.run = state.run
        if let active, let report, let subject = state.run.subject, state.run.state.isActive {
            status.current = self.document(report, subject, active.settings)
            (status.rowsPerSecond, status.secondsLeft) = (report.rowsPerSecond, report.secondsLeft)
        }
        status.last = state.memory.last
        status.lastWhole = state.memory.lastWhole
        status.history = state.memory.history
        status.intervalSeconds = self.configuration.service.intervalSeconds
        status.nextAt = state.nextAt.map { Timestamp.text(milliseconds: $0) }
        status.discrepancies = state.memory.discrepancies(of: nil).count
        status.sidecars = self.configuration.sidecars.addresses.count
        status.counters = state.counters
        return status
    }

    func start(_ start: ReaderStart) async throws(AdminError) -> ReaderActionDocument {
        if case .tenant = start.subject, self.configuration.tenants.column == nil {
            throw AdminError(
                .invalidParameter,
                "No column is configured that says whose a row is.",
                hint: "Set tenants.column in the reader's configuration."
            )
        }
        try self.takeOn(start)
        return ReaderActionDocument(
            action: "validate",
            message: "The comparison of \(start.subject) begins.",
            state: .running
        )
    }

    func stop(by: String, reason: String?) async throws(AdminError) -> ReaderActionDocument {
        let (isChanged, active) = try self.state.withLock { state throws(AdminError) in
            (try state.run.stop(), state.active)
        }
        if isChanged {
            self.logger.notice(
                "the comparison is told to end",
                metadata: ["by": "\(by)", "reason": "\(reason ?? "-")"]
            )
            await active?.stop()
        }
        return ReaderActionDocument(
            action: "stop",
            message: isChanged ? "The comparison is told to end." : "That is so already.",
            state: .stopping,
            changed: isChanged
        )
    }

    func filter() async -> ReaderFilterDocument {
        let tables = self.configuration.tables
        return ReaderFilterDocument(
            tenantColumn: self.configuration.tenants.column,
            tenants: self.configuration.tenants.values.count,
            tablesIncluded: tables.include.map(\.description),
            tablesExcluded: tables.exclude.map(\.description),
            columnsExcluded: self.configuration.columnsLeftOut.map { "\($0.keyspace).\($0.table).\($0.column)" },
            sampledPercentage: self.base.sampling.percentage,
            last: self.state.withLock { $0.memory.last }
        )
    }

    // MARK: Differences

    func discrepancies(of table: String?, max: Int) async -> DiscrepanciesDocument {
        let memory = self.state.withLock { $0.memory }
        let found = memory.discrepancies(of: table)
        return DiscrepanciesDocument(
            discrepancies: found.prefix(max).map(\.document),
            total: found.count,
            counted: memory.counted(of: table)
        )
    }

    func clear(_ clearing: DiscrepancyClearing) async throws(AdminError) -> DiscrepanciesClearedDocument {
        let (cleared, left) = self.remember { memory in
            (memory.clear(table: clearing.table), memory.discrepancies(of: nil).count)
        }
        self.logger.notice(
            "differences are forgotten",
            metadata: [
                "table": "\(clearing.table ?? "all")", "count": "\(cleared)", "by": "\(clearing.by)",
                "reason": "\(clearing.reason ?? "-")",
            ]
        )
        return DiscrepanciesClearedDocument(cleared: cleared, left: left)
    }

    func reconcile(_ reconciliation: ReaderReconciliation) async throws(AdminError) -> ReconciledDocument {
        let known = self.state.withLock { $0.memory.discrepancies(of: nil) }
        guard let one = known.first(where: { $0.document.id == reconciliation.id }),
            let difference = Difference(line: one.line)
        else {
            throw AdminError(
                .unknownDiscrepancy,
                "No difference '\(reconciliation.id)' is remembered.",
                hint: "GET /discrepancies lists them."
            )
        }
        var repair = self.configuration.repair.settings(isDryRun: !reconciliation.applies)
        if let policy = reconciliation.policy.flatMap(RepairPolicy.init(rawValue:)) { repair.policy = policy }
        repair.deletesExtras = reconciliation.deletesExtras ?? repair.deletesExtras
        guard repair.policy != .manual else {
            throw AdminError(
                .invalidDocument,
                "The key 'policy' is missing: who is right, source_wins or newest_wins?",
                hint: "It may be left out where repair.policy is configured. Nothing was changed."
            )
        }
        try self.state.withLock { state throws(AdminError) in
            guard !state.isReconciling else {
                throw AdminError(.alreadyRunning, "Another row is being repaired.", hint: "Ask again in a moment.")
            }
            state.isReconciling = true
        }
        defer { self.state.withLock { $0.isReconciling = false } }
        let document = try await self.repair(difference, one.document, with: repair)
        self.logger.notice(
            "a difference was reconciled",
            metadata: [
                "id": "\(reconciliation.id)", "table": "\(one.document.table)",
                "outcome": "\(document.outcome.rawValue)",
                "by": "\(reconciliation.by)", "reason": "\(reconciliation.reason ?? "-")",
            ]
        )
        return document
    }

    private func repair(
        _ difference: Difference,
        _ known: DiscrepancyDocument,
        with repair: RepairSettings
    ) async throws(AdminError) -> ReconciledDocument {
        // A job without parts, in a store of its own: the comparison that runs is not touched.
        var settings = self.base
        settings.job += ".reconcile"
        settings.store = .sqlite(path: "\(self.configuration.stateDirectory)/reconcile.sqlite")
        settings.tables.only = [.table(difference.table)]
        settings.scope = .dirtyPartitions
        settings.repair = RepairSettings()
        let outcome: RepairOutcome
        let path: String
        do {
            (outcome, path) = try await CompareJob.withJob(
                settings,
                worker: "reader",
                on: self.group,
                logger: self.logger
            ) { job in
                let outcome = try await job.repair(difference, with: repair)
                let path = try await job.report().repairReportPath
                try await job.forget()
                return (outcome, path)
            }
        } catch let error as CQLSessionError {
            throw AdminError(.clusterUnreachable, "\(error)", hint: "The report of repairs says what was sent.")
        } catch {
            throw AdminError(.changeFailed, "\(error)", hint: "The report of repairs says what was sent.")
        }
        switch outcome {
        case .agrees:
            self.remember { $0.forget(rowOf: known) }
            return ReconciledDocument(id: known.id, outcome: .agrees, report: path)
        case .repaired(let notes):
            self.remember { $0.forget(rowOf: known) }
            return ReconciledDocument(id: known.id, outcome: .repaired, notes: notes, report: path)
        case .listed(let statements):
            return ReconciledDocument(id: known.id, outcome: .listed, statements: statements, report: path)
        case .unrepaired(let reason):
            return ReconciledDocument(id: known.id, outcome: .unrepaired, reason: reason, report: path)
        }
    }
}
