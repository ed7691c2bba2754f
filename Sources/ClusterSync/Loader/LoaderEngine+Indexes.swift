import CQLClient
import Logging
import NIOCore
import Operations
import SSTableLoader
import Synchronization
import TokenRanges

/// The target's secondary indexes around a load, and for whoever asks.
extension LoaderEngine: LoaderIndexControl {
    /// Runs a load with the indexes as they are wanted during it and after it.
    func withIndexes(
        of job: LoadJob,
        drops: Bool,
        rebuilds: Bool,
        _ load: @Sendable @escaping () async throws -> LoadEnd
    ) async throws -> LoadEnd {
        guard drops || rebuilds else { return try await load() }
        let tables = Set(
            job.plan.tables.filter { $0.failure == nil }.map { IndexedTable(keyspace: $0.keyspace, name: $0.table) }
        )
        return try await self.withKeeper(of: job.settings.job) { keeper in
            try self.checkNothingIsOwedElsewhere()
            let end: LoadEnd
            switch (drops, rebuilds) {
            case (true, true):
                end = try await keeper.around(tables) { outcome in
                    await Self.goesOn(job, after: outcome)
                } _: { _ in
                    try await load()
                }
            case (true, false):
                try await keeper.drop(tables)
                end = try await load()
            default: end = try await keeper.restoring(tables, after: load)
            }
            guard drops, rebuilds, case .complete = end else { return end }
            let limit = Duration.milliseconds(self.configuration.indexes.buildTimeoutMilliseconds)
            for index in try await keeper.rebuild(tables, within: limit) where !index.isThere {
                self.logger.warning("an index is not as it was", metadata: ["index": "\(index.index)"])
            }
            return end
        }
    }

    /// Whether other workers are at work when this one has ended before everything was done.
    private static func goesOn(_ job: LoadJob, after outcome: Result<LoadEnd, any Error>) async -> Bool {
        if case .success(let end) = outcome, end.status.isEnded { return false }
        // Where nobody can tell, the indexes come back: late loads are only slower.
        return await job.othersAreAtWork()
    }

    /// A job that has been moved from a file to the cluster must not forget what the folder says.
    private func checkNothingIsOwedElsewhere() throws {
        guard case .cluster = self.configuration.job.store else { return }
        let count = try IndexKeeper.owedCount(inFolder: self.configuration.stateDirectory)
        guard count == 0 else { throw StrayRecords(folder: self.configuration.stateDirectory, count: count) }
    }

    private struct StrayRecords: Error, CustomStringConvertible {
        let folder: String
        let count: Int

        var description: String {
            "'\(self.folder)/indexes.jsonl' says that \(Human.many(self.count, "index was", "indexes were")) dropped with "
                + "job.store: sqlite, and job.store: cluster does not read that file. Bring them back first: start the loader "
                + "with --set job.store=sqlite --set job.auto_start=false and the same state_dir, run cluster-sync "
                + "sstable-loader indexes rebuild, and stop it. Or, where they are there or not wanted, move the file away"
        }
    }

    /// - Parameter job: nil for whoever asks at the admin port.
    private func withKeeper<Result: Sendable>(
        of job: String? = nil,
        _ body: @Sendable @escaping (IndexKeeper) async throws -> Result
    ) async throws -> Result {
        let (configuration, logger) = (self.configuration, self.logger)
        let (job, lease) = (job ?? self.base.job, self.base.runner.leaseDuration)
        return try await CQLSession.withSession(self.base.target, on: self.group.next(), logger: logger) { session in
            switch configuration.job.store {
            case .sqlite:
                try await body(IndexKeeper(folder: configuration.stateDirectory, session: session, logger: logger))
            case .cluster:
                try await body(
                    IndexKeeper(
                        job: job,
                        worker: configuration.worker,
                        lease: lease,
                        cluster: session,
                        logger: logger
                    )
                )
            }
        }
    }

    private func asked<Result: Sendable>(
        _ body: @Sendable @escaping (IndexKeeper) async throws -> Result
    ) async throws(AdminError) -> Result {
        do {
            try self.checkNothingIsOwedElsewhere()
            return try await self.withKeeper(body)
        } catch let error as AdminError {
            throw error
        } catch let error as StrayRecords {
            throw AdminError(.changeFailed, "\(error)", hint: "Nothing was changed.")
        } catch let error as IndexError where error.code == .inUse {
            throw AdminError(.alreadyRunning, "\(error)", hint: "Try again when it has ended.")
        } catch let error as IndexError {
            throw AdminError(.changeFailed, "\(error)", hint: "What was dropped stays recorded.")
        } catch {
            throw AdminError(.clusterUnreachable, "The target's indexes cannot be asked for: \(error)", hint: nil)
        }
    }

    func indexes() async throws(AdminError) -> IndexesDocument {
        IndexesDocument(try await self.asked { try await $0.status() }.map { .init($0) })
    }

    func verifyIndexes() async throws(AdminError) -> IndexesVerifiedDocument {
        let verdict = try await self.asked { try await $0.verify() }
        return IndexesVerifiedDocument(verdict.indexes.map { .init($0) }, damaged: verdict.damagedLines)
    }

    func change(_ change: IndexesChange) async throws(AdminError) -> IndexesChangedDocument {
        try self.state.withLock { state throws(AdminError) in try state.run.checkMayChangeIndexes() }
        self.logger.notice(
            "somebody asks to \(change.verb.rawValue) indexes",
            metadata: [
                "of": "\(change.names.isEmpty ? "all" : change.names.joined(separator: ", "))", "by": "\(change.by)",
                "reason": "\(change.reason ?? "-")",
            ]
        )
        let states: [IndexStatus]
        switch change.verb {
        case .drop:
            let tables = try await self.tablesOfJob(change)
            states = try await self.asked { keeper in
                try await keeper.drop(tables)
                return try await keeper.status(tables)
            }
        case .rebuild:
            states = try await self.asked { keeper in
                let tables = try await self.recordedTables(change, keeper)
                try await keeper.restore(tables)
                return try await keeper.status(tables)
            }
        }
        return IndexesChangedDocument(change, states.map { .init($0) })
    }

    /// The tables of the job that a change names; all of them where it names nothing.
    private func tablesOfJob(_ change: IndexesChange) async throws(AdminError) -> Set<IndexedTable> {
        let all = try await self.plan(of: .everything).tables
        for keyspace in change.keyspaces where !all.contains(where: { $0.keyspace == keyspace }) {
            throw AdminError(.unknownKeyspace, "The job loads no table of keyspace '\(keyspace)'.", hint: nil)
        }
        for table in change.tables where !all.contains(where: { IndexesChange.Table($0) == table }) {
            throw AdminError(.unknownTable, "The job does not load \(IndexedTable(table)).", hint: nil)
        }
        return Set(
            all.filter { table in
                let isMeant =
                    change.names.isEmpty || change.keyspaces.contains(table.keyspace)
                    || change.tables.contains(IndexesChange.Table(table))
                return isMeant && table.failure == nil
            }.map { IndexedTable(keyspace: $0.keyspace, name: $0.table) }
        )
    }

    /// The tables whose recorded indexes a change names, whichever job has dropped them; nil for all.
    private func recordedTables(_ change: IndexesChange, _ keeper: IndexKeeper) async throws -> Set<IndexedTable>? {
        guard !change.names.isEmpty else { return nil }
        let recorded = Set(try await keeper.recorded().map(\.table))
        var tables = recorded.filter { change.keyspaces.contains($0.keyspace) }
        for keyspace in change.keyspaces where !tables.contains(where: { $0.keyspace == keyspace }) {
            // One that is there and has lost nothing is as it should be.
            guard try await keeper.knows(keyspace: keyspace) else {
                throw AdminError(
                    .unknownKeyspace,
                    "The target has no keyspace '\(keyspace)', and no index of it is recorded.",
                    hint: "GET /indexes/status shows what is recorded. Nothing was changed."
                )
            }
        }
        for table in change.tables.map({ IndexedTable($0) }) {
            if !recorded.contains(table), try await !keeper.knows(table) {
                throw AdminError(
                    .unknownTable,
                    "The target has no table \(table), and no index of it is recorded.",
                    hint: "GET /indexes/status shows what is recorded. Nothing was changed."
                )
            }
            tables.insert(table)
        }
        return tables
    }
}

extension IndexesChange {
    /// Everything that is named.
    fileprivate var names: [String] { self.keyspaces + self.tables.map { "\(IndexedTable($0))" } }
}

extension IndexesChange.Table {
    fileprivate init(_ table: LoadPlan.Table) { self.init(keyspace: table.keyspace, name: table.table) }
}

extension IndexedTable {
    fileprivate init(_ table: IndexesChange.Table) { self.init(keyspace: table.keyspace, name: table.name) }
}

extension IndexesDocument.Index {
    fileprivate init(_ status: IndexStatus) {
        let (state, reason): (State, String?) =
            switch status.state {
            case .dropped: (.dropped, status.holder.map { "\($0) brings it back when its load has ended" })
            case .there(.building): (.building, nil)
            case .there: (.present, nil)
            case .different(let found): (.failed, "another index has its name: \(found)")
            case .tableMissing: (.failed, "its table is missing")
            }
        self.init(
            keyspace: status.index.table.keyspace,
            table: status.index.table.name,
            name: status.index.name,
            state: state,
            reason: reason,
            statement: status.index.statement ?? ""
        )
    }
}

extension IndexesVerifiedDocument.Index {
    fileprivate init(_ status: IndexStatus) {
        let (verdict, found): (Verdict, String?) =
            switch status.state {
            case .there: (.same, nil)
            case .different(let found): (.different, found)
            case .dropped, .tableMissing: (.missing, nil)
            }
        self.init(
            keyspace: status.index.table.keyspace,
            table: status.index.table.name,
            name: status.index.name,
            verdict: verdict,
            recorded: status.index.statement ?? "",
            found: found
        )
    }
}
