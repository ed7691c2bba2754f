public import CQLClient
import CQLProtocol
public import Logging
import TokenRanges

/// Drops the indexes of tables before a load, and sees to it that they come back.
///
/// What is dropped is recorded before the first DROP, with the statement that makes it again: in the file `indexes.jsonl` of
/// the job's folder, or for workers on several machines in the table `cluster_sync.indexes` of the cluster itself. Whatever
/// happens then, ``restore(_:)`` of a later keeper with the same records brings it back. Safe from any task; two that change the
/// same indexes at once are told apart by a lock of the folder or by a lease on each record, and the second one is refused.
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
        /// How long to wait at the end of a load for another worker that brings an index back.
        public var handover = Duration.seconds(300)

        /// The defaults.
        public init() {}
    }

    let store: any IndexStore
    let session: any IndexSession
    let limits: Limits
    let clock: any Clock<Duration>
    let logger: Logger

    /// A keeper for the cluster of a session, whose records are files.
    ///
    /// - Parameters:
    ///   - folder: the job's folder; it is made where it is missing, and must outlive the process.
    ///   - clock: what pauses are measured with.
    public convenience init(
        folder: String,
        session: any IndexSession,
        limits: Limits = Limits(),
        clock: any Clock<Duration> = ContinuousClock(),
        logger: Logger
    ) {
        self.init(
            store: FolderIndexStore(folder: folder),
            session: session,
            limits: limits,
            clock: clock,
            logger: logger
        )
    }

    /// A keeper for the cluster of a session, whose records are in that cluster, for workers anywhere.
    ///
    /// - Parameters:
    ///   - job: the job whose loads indexes are dropped for.
    ///   - worker: this worker, for people.
    ///   - lease: how long others wait for one that says nothing any more, at least a second.
    ///   - replication: of keyspace `cluster_sync` where it has to be made, as a CQL map; nil as for a ``ClusterJobStore``.
    public convenience init(
        job: String,
        worker: String,
        lease: Duration,
        replication: String? = nil,
        cluster session: CQLSession,
        limits: Limits = Limits(),
        logger: Logger
    ) {
        let store = ClusterIndexStore(
            session: session,
            job: job,
            worker: worker,
            lease: lease,
            replication: replication,
            wallClock: { SQLiteJobStore.wallClock() }
        )
        var limits = limits
        // What a dead worker was to bring back is free when its lease has run out, not before.
        limits.handover = max(limits.handover, lease + limits.agreement)
        self.init(store: store, session: session, limits: limits, clock: ContinuousClock(), logger: logger)
    }

    init(
        store: any IndexStore,
        session: any IndexSession,
        limits: Limits,
        clock: any Clock<Duration>,
        logger: Logger
    ) {
        self.store = store
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

    /// Records the indexes of tables, then drops them; they stay away until ``restore(_:)`` is asked for them.
    ///
    /// Where it fails in the middle, some are dropped and all are recorded: ``restore(_:)`` brings them back.
    ///
    /// - Throws: ``IndexError`` with nothing dropped, and what the session throws.
    @discardableResult
    public func drop(_ tables: Set<IndexedTable>) async throws -> IndexPlan {
        try await self.drop(tables, for: .hand).plan
    }

    /// - Returns: what there was to be dropped, and what of it this keeper has dropped.
    func drop(
        _ tables: Set<IndexedTable>,
        for purpose: IndexRecords.Purpose
    ) async throws -> (plan: IndexPlan, own: [TableIndex]) {
        let ledger = try await self.store.open()
        let catalog = try await IndexCatalog(self.session)
        let plan = try await self.plan(tables, catalog)
        let records = try await ledger.read()
        guard records.damagedLines.isEmpty else {
            throw IndexError(
                .file,
                "\(records.damagedLines.count) records in \(self.store.place) cannot be read: an index may be missing for "
                    + "each; make it by hand and remove the record"
            )
        }
        for index in plan.dropped {
            if let owed = records.record(index.table.keyspace, index.name), owed.isOwed,
                !owed.index.hasDefinition(of: index)
            {
                throw IndexError(.conflict, Self.conflict(owed.index, index))
            }
        }
        guard !plan.dropped.isEmpty else { return (plan, []) }
        let own = try await ledger.record(plan.dropped, for: purpose)
        for index in own {
            // The log is the last resort of whoever has lost the records.
            self.logger.notice("dropping an index", metadata: Self.metadata(index))
            try await self.change(index.dropStatement, catalog)
        }
        // Where this is not reached, the leases run out.
        if purpose == .hand { for index in own { try await ledger.release(index) } }
        return (plan, own)
    }

    // MARK: Records

    /// Has it recorded that indexes are owed, where that was lost.
    func record(_ indexes: [TableIndex]) async throws {
        guard !indexes.isEmpty else { return }
        let ledger = try await self.store.open()
        let records = try await ledger.read()
        let missing = indexes.filter { records.record($0.table.keyspace, $0.name) == nil }
        guard !missing.isEmpty else { return }
        _ = try await ledger.record(missing, for: .load)
    }

    /// The recorded indexes that may be missing. Needs no cluster where the records are files.
    public func owed() async throws -> [TableIndex] { try await self.store.read().owed }

    /// How many indexes may be missing by the records of a folder that nobody keeps; damaged ones count.
    public static func owedCount(inFolder folder: String) throws(IndexError) -> Int {
        let records = try IndexFile.read(folder: folder)
        return records.owed.count + records.damagedLines.count
    }

    /// All recorded indexes, there or not.
    public func recorded() async throws -> [TableIndex] { try await self.store.read().records.map(\.index) }

    /// Whether the cluster has such a keyspace.
    public func knows(keyspace: String) async throws -> Bool {
        let text = "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?"
        return try await !self.session.read(text, [keyspace]).isEmpty
    }

    /// Whether the cluster has such a table.
    public func knows(_ table: IndexedTable) async throws -> Bool {
        let text = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?"
        return try await !self.session.read(text, [table.keyspace, table.name]).isEmpty
    }

    /// Forgets a recorded index that is not to come back: dropped on purpose, or with its table.
    ///
    /// - Returns: whether it was recorded.
    @discardableResult
    public func forget(keyspace: String, index: String) async throws -> Bool {
        try await self.store.open().remove(keyspace, index)
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
