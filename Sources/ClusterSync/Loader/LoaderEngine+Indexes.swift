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
            try await self.checkNothingIsOwedElsewhere()
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
        // This worker has given its own parts back. Where nobody can tell, the indexes come back: late loads are only slower.
        guard let status = try? await job.status() else { return false }
        return status.total.leased > 0
    }

    /// A job that has been moved from a file to the cluster must not forget what the folder says.
    private func checkNothingIsOwedElsewhere() async throws {
        guard case .cluster = self.configuration.job.store else { return }
        let owed = try IndexKeeper.owed(inFolder: self.configuration.stateDirectory)
        guard !owed.isEmpty else { return }
        throw StrayRecords(folder: self.configuration.stateDirectory, count: owed.count)
    }

    private struct StrayRecords: Error, CustomStringConvertible {
        let folder: String
        let count: Int

        var description: String {
            "\(Human.many(self.count, "index")) dropped with job.store: sqlite stand in '\(self.folder)/indexes.jsonl': bring "
                + "them back with that setting first (cluster-sync sstable-loader indexes rebuild)"
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
            return try await self.withKeeper(body)
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
        let tables = try await self.tables(of: change.keyspace)
        let states = try await self.asked { keeper in
            switch change.verb {
            case .drop: try await keeper.drop(tables)
            case .rebuild: try await keeper.restore(tables)
            }
            return try await keeper.status(tables)
        }
        return IndexesChangedDocument(change, states.map { .init($0) })
    }

    /// The tables of the job that a change of indexes is about.
    private func tables(of keyspace: String?) async throws(AdminError) -> Set<IndexedTable> {
        let plan = try await self.plan(of: keyspace.map { .keyspaces([$0]) } ?? .everything)
        if let keyspace, plan.tables.isEmpty {
            throw AdminError(.unknownKeyspace, "The job loads no table of keyspace '\(keyspace)'.", hint: nil)
        }
        return Set(
            plan.tables.filter { $0.failure == nil }.map { IndexedTable(keyspace: $0.keyspace, name: $0.table) }
        )
    }
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
