import CQLClient
import Logging
import NIOCore
import Operations
import SSTableLoader
import Synchronization

/// The target's secondary indexes around a load, and for whoever asks.
extension LoaderEngine: LoaderIndexControl {
    /// Runs a load with the indexes as they are wanted during it and after it.
    func withIndexes(
        of tables: Set<IndexedTable>,
        drops: Bool,
        rebuilds: Bool,
        _ load: @Sendable @escaping () async throws -> LoadEnd
    ) async throws -> LoadEnd {
        guard drops || rebuilds else { return try await load() }
        return try await self.withKeeper { keeper in
            let end: LoadEnd
            switch (drops, rebuilds) {
            case (true, true): end = try await keeper.around(tables) { _ in try await load() }
            case (true, false):
                try await keeper.drop(tables)
                end = try await load()
            default:
                end = try await load()
                // What an earlier load has left dropped.
                if !(try keeper.owed()).isEmpty { try await keeper.restore() }
            }
            guard drops, rebuilds, case .complete = end else { return end }
            let limit = Duration.milliseconds(self.configuration.indexes.buildTimeoutMilliseconds)
            for index in try await keeper.rebuild(tables, within: limit) where !index.isThere {
                self.logger.warning("an index is not as it was", metadata: ["index": "\(index.index)"])
            }
            return end
        }
    }

    private func withKeeper<Result: Sendable>(
        _ body: @Sendable @escaping (IndexKeeper) async throws -> Result
    ) async throws -> Result {
        let (folder, logger) = (self.configuration.stateDirectory, self.logger)
        return try await CQLSession.withSession(self.base.target, on: self.group.next(), logger: logger) { session in
            try await body(IndexKeeper(folder: folder, session: session, logger: logger))
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
        IndexesVerifiedDocument(try await self.asked { try await $0.verify() }.indexes.map { .init($0) })
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
            case .dropped: (.dropped, nil)
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
