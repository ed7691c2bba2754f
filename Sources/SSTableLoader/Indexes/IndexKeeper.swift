public import Logging

/// Drops the indexes of tables before a load, and sees to it that they come back.
///
/// What is dropped stands in the file `indexes.jsonl` of the job's folder before the first DROP, with the statement that makes
/// it again. Whatever happens then, ``restore(_:)`` of a later keeper with the same folder brings it back. Safe from any task;
/// two that change indexes at once with one folder are told apart by its lock, and the second one is refused.
public final class IndexKeeper: Sendable {
    /// The bounds of a keeper.
    public struct Limits: Sendable, Hashable {
        /// How long to wait after a change until all nodes have it. A node that is down can keep them from agreeing; then it
        /// goes on without.
        public var agreement = Duration.seconds(10)
        /// How long to wait between two questions.
        public var pause = Duration.milliseconds(500)
        /// How often a statement that makes an index is tried.
        public var attemptsMax = 3

        /// The defaults.
        public init() {}
    }

    let folder: String
    let session: any IndexSession
    let limits: Limits
    let clock: any Clock<Duration>
    let logger: Logger

    /// A keeper for the cluster of a session.
    ///
    /// - Parameters:
    ///   - folder: the job's folder; it is made where it is missing, and must outlive the process.
    ///   - clock: what pauses are measured with.
    public init(
        folder: String,
        session: any IndexSession,
        limits: Limits = Limits(),
        clock: any Clock<Duration> = ContinuousClock(),
        logger: Logger
    ) {
        self.folder = folder
        self.session = session
        self.limits = limits
        self.clock = clock
        self.logger = logger
    }

    // MARK: Dropping

    /// What ``drop(_:)`` would do. Changes nothing.
    ///
    /// - Throws: ``IndexError`` where a table is missing, and what the session throws.
    public func plan(_ tables: Set<IndexedTable>) async throws -> IndexPlan {
        try await self.plan(tables, IndexCatalog(self.session))
    }

    private func plan(_ tables: Set<IndexedTable>, _ catalog: IndexCatalog) async throws -> IndexPlan {
        var plan = IndexPlan()
        for name in Set(tables.map(\.keyspace)).sorted() {
            let keyspace = try await catalog.keyspace(name, tables: tables)
            for table in tables.filter({ $0.keyspace == name }).sorted(by: { $0.name < $1.name }) {
                guard keyspace.tables.contains(table) else {
                    throw IndexError(.noTable, "the target has no table \(table)")
                }
                let own = keyspace.indexes.values.filter { $0.table == table }.sorted { $0.name < $1.name }
                for index in own {
                    switch index.making {
                    case .statement: plan.dropped.append(index)
                    case .impossible(let reason): plan.kept.append(.init(index: index, reason: reason))
                    }
                }
                let views = try await catalog.views(of: table, indexes: Set(own.map(\.name)))
                plan.views += views.map { "\(name).\($0)" }
            }
        }
        return plan
    }

    /// Records the indexes of tables, then drops them.
    ///
    /// Where it fails in the middle, some are dropped and all are recorded: ``restore(_:)`` brings them back.
    ///
    /// - Throws: ``IndexError`` with nothing dropped, and what the session throws.
    @discardableResult
    public func drop(_ tables: Set<IndexedTable>) async throws -> IndexPlan {
        let file = try IndexFile(folder: self.folder)
        let catalog = try await IndexCatalog(self.session)
        let plan = try await self.plan(tables, catalog)
        var records = try file.read()
        guard records.damagedLines.isEmpty else {
            throw IndexError(
                .file,
                "\(records.damagedLines.count) lines of '\(self.folder)/\(IndexFile.name)' cannot be read: an index may be "
                    + "missing for each; make it by hand and remove the line"
            )
        }
        for index in plan.dropped {
            if let owed = records.record(index.table.keyspace, index.name), owed.isOwed,
                !owed.index.hasDefinition(of: index)
            {
                throw IndexError(.conflict, Self.conflict(owed.index, index))
            }
            records.put(index, isOwed: true)
        }
        guard !plan.dropped.isEmpty else { return plan }
        try file.replace(with: records)
        for index in plan.dropped {
            // The log is the last resort of whoever has lost the folder.
            self.logger.notice("dropping an index", metadata: Self.metadata(index))
            try await self.change(index.dropStatement, catalog)
        }
        return plan
    }

    /// Drops the indexes of tables, runs a load, and brings them back whatever became of it.
    ///
    /// They come back when the task is cancelled, too. It does not wait until they are built.
    ///
    /// - Throws: what `load` throws; ``IndexError/Code/notRestored`` where indexes are not there again, with the error of the
    ///   load as its cause.
    public func around<Output: Sendable>(
        _ tables: Set<IndexedTable>,
        _ load: @Sendable (IndexPlan) async throws -> Output
    ) async throws -> Output {
        let outcome: Result<Output, any Error>
        var dropped: [TableIndex] = []
        do {
            let plan = try await self.drop(tables)
            dropped = plan.dropped
            outcome = .success(try await load(plan))
        } catch let error as IndexError where error.code == .inUse {
            throw error
        } catch {
            outcome = .failure(error)
        }
        var cause: (any Error)?
        if case .failure(let error) = outcome { cause = error }
        do {
            // Not in this task, which may have been cancelled and then could ask the cluster for nothing any more.
            let known = dropped
            _ = try await Task {
                // Somebody may have removed the folder meanwhile; what this process has dropped it knows without it.
                try self.record(known)
                try await self.restore(tables)
            }.value
        } catch let failure as IndexError where failure.code == .notRestored {
            throw IndexError.notRestored(failure.failures, during: cause)
        } catch {
            throw IndexError.notRestored([.init(index: nil, reason: "\(error)")], during: cause)
        }
        return try outcome.get()
    }

    // MARK: Records

    /// Has it recorded that indexes are owed, where that was lost.
    private func record(_ indexes: [TableIndex]) throws {
        guard !indexes.isEmpty else { return }
        let file = try IndexFile(folder: self.folder)
        var records = try file.read()
        let missing = indexes.filter { records.record($0.table.keyspace, $0.name) == nil }
        guard !missing.isEmpty else { return }
        for index in missing { records.put(index, isOwed: true) }
        try file.replace(with: records)
    }

    /// The recorded indexes that may be missing. Needs no cluster.
    public func owed() throws(IndexError) -> [TableIndex] { try IndexFile.read(folder: self.folder).owed }

    /// Forgets a recorded index that is not to come back: dropped on purpose, or with its table.
    ///
    /// - Returns: whether it was recorded.
    @discardableResult
    public func forget(keyspace: String, index: String) throws(IndexError) -> Bool {
        let file = try IndexFile(folder: self.folder)
        var records = try file.read()
        guard records.remove(keyspace, index) else { return false }
        try file.replace(with: records)
        return true
    }

    // MARK: Changes

    /// Runs a change and waits until all nodes have it.
    func change(_ text: String, _ catalog: IndexCatalog) async throws {
        try await self.session.change(text)
        let isAgreed = try await self.poll(self.limits.agreement) { try await catalog.isAgreed() }
        if !isAgreed { self.logger.warning("the nodes do not agree on the schema") }
    }

    /// Asks until the answer is yes.
    ///
    /// - Returns: whether it was, in time.
    func poll(_ limit: Duration, _ question: () async throws -> Bool) async throws -> Bool {
        try await Self.poll(limit, self.limits.pause, self.clock, question)
    }

    private static func poll<C: Clock<Duration>>(
        _ limit: Duration,
        _ pause: Duration,
        _ clock: C,
        _ question: () async throws -> Bool
    ) async throws -> Bool {
        let end = clock.now.advanced(by: limit)
        while try await !question() {
            guard clock.now < end else { return false }
            try await clock.sleep(for: pause)
        }
        return true
    }

    static func conflict(_ recorded: TableIndex, _ found: TableIndex) -> String {
        "recorded is: \(recorded.definition); the cluster has \(found): \(found.definition)"
    }

    static func metadata(_ index: TableIndex) -> Logger.Metadata {
        ["index": "\(index)", "table": "\(index.table)", "statement": "\(index.definition)"]
    }
}
