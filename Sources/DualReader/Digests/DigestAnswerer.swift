import CQLClient
import LiveTables
public import Logging
public import NIOCore
import Synchronization
import TokenRanges

/// The reader that answers another one: reads ranges of one cluster near it, and tells their digests.
///
/// A tree is read once and kept for the questions that follow; one that was forgotten meanwhile is read again. Who does not ask
/// for what is being read lets it end. Safe from any task.
public final class DigestAnswerer: Sendable {
    /// How much it does and keeps.
    public struct Limits: Sendable, Hashable {
        /// Trees that are read at a time; more are refused as busy.
        public var readsMax = 16
        /// Trees that are kept.
        public var treesMax = 256
        /// Their memory, in bytes.
        public var treeBytesMax = 128 << 20
        /// How long a question waits for a tree that is being read, before it is told that it is.
        public var patience = Duration.seconds(10)
        /// How long a tree is read that nobody asks for.
        public var abandonedAfter = Duration.seconds(60)

        /// The defaults.
        public init() {}
    }

    private struct Key: Hashable {
        let table: TableName
        let shape: DigestShape
        let seed: UInt64
        let untold: [String]
    }

    private enum Entry {
        case reading(rows: Int, waiting: [AsyncStream<Void>.Continuation])
        case read(DigestTree)
        case failed(DigestError)
    }

    private struct State {
        var entries: [Key: (entry: Entry, askedAt: ContinuousClock.Instant)] = [:]
        var tables: [TableName: TableSide] = [:]
        var session: CQLSession?
        var hosts: Set<String> = []
    }

    private let settings: CompareSettings
    /// The cluster that it reads.
    public let side: Side
    private let limits: Limits
    private let group: any EventLoopGroup
    private let logger: Logger
    private let pace: RateLimiter<ContinuousClock>
    private let state = Mutex(State())
    private let orders: AsyncStream<Order>
    private let order: AsyncStream<Order>.Continuation

    private struct Order: Sendable {
        let key: Key
        let reading: DigestReading
    }

    /// A reader of one of the clusters; nothing happens before it runs.
    ///
    /// - Parameter settings: of a comparison: what counts as a difference, which columns are left out, and how that cluster is
    ///   read.
    public init(
        _ settings: CompareSettings,
        side: Side,
        limits: Limits = Limits(),
        on group: any EventLoopGroup,
        logger: Logger
    ) {
        self.settings = settings
        self.side = side
        self.limits = limits
        self.group = group
        self.logger = logger
        self.pace = RateLimiter(settings.rates, clock: ContinuousClock())
        (self.orders, self.order) = AsyncStream.makeStream()
    }

    /// Whether its cluster can be asked.
    public var isConnected: Bool { self.state.withLock { $0.session != nil } }

    /// Connects, and reads what is asked for, until the task is cancelled.
    ///
    /// - Throws: `CQLSessionError` where the cluster does not answer at all.
    public func run() async throws {
        let isSource = self.side == .source
        let cluster = isSource ? self.settings.source : self.settings.target
        let limits = isSource ? self.settings.sourceSession : self.settings.targetSession
        try await CQLSession.withSession(cluster, limits: limits, on: self.group.next(), logger: self.logger) {
            session in
            let hosts = try await ClusterIdentity.hosts(session)
            self.state.withLock { ($0.session, $0.hosts) = (session, hosts) }
            defer { self.end() }
            await withDiscardingTaskGroup { group in
                for await order in self.orders { group.addTask { await self.read(order) } }
                group.cancelAll()
            }
        }
    }

    /// Lets nobody wait any longer.
    private func end() {
        let entries = self.state.withLock { state in
            defer { (state.entries, state.session) = ([:], nil) }
            return state.entries
        }
        for (entry, _) in entries.values {
            if case .reading(_, let waiting) = entry { waiting.forEach { $0.finish() } }
        }
    }

    // MARK: Answering

    /// What it says of itself.
    public func greeting(of cluster: Side, clock: Int64) throws(DigestError) -> DigestGreeting {
        try self.check(cluster)
        let hosts = self.state.withLock { $0.hosts }
        return DigestGreeting(version: DigestTerms.version, hosts: hosts, clock: clock)
    }

    /// What it says to a request.
    public func answer(_ request: DigestRequest) async throws -> DigestAnswer {
        try self.check(request.cluster)
        if let fault = request.fault { throw DigestError(.malformed, fault) }
        let reading = try await self.reading(request)
        let key = Key(table: request.table, shape: request.shape, seed: request.seed, untold: request.terms.untold)
        let waiting = AsyncStream<Void>.makeStream()
        switch try self.ask(key, reading, waiting.continuation) {
        case .read(let tree): return self.answer(request, tree)
        case .failed(let error): throw error
        case .reading: break
        }
        await withTaskGroup { group in
            group.addTask { for await _ in waiting.stream {} }
            group.addTask { try? await Task.sleep(for: self.limits.patience) }
            await group.next()
            group.cancelAll()
        }
        try Task.checkCancellation()
        switch self.state.withLock({ $0.entries[key]?.entry }) {
        case .read(let tree)?: return self.answer(request, tree)
        case .failed(let error)?:
            // Whoever asks again begins anew.
            self.state.withLock { $0.entries[key] = nil }
            throw error
        case .reading(let rows, _)?: return .reading(rows: rows)
        case nil: return .reading(rows: 0)
        }
    }

    private func check(_ cluster: Side) throws(DigestError) {
        guard cluster == self.side else {
            throw DigestError(
                .cluster,
                "the peer answers for the \(self.side.rawValue), not for the \(cluster.rawValue): "
                    + "peer.cluster names the cluster that the peer stands near"
            )
        }
        guard self.state.withLock({ $0.session != nil }) else {
            throw DigestError(.unreadable, "the peer has no connection to its cluster yet")
        }
    }

    private func answer(_ request: DigestRequest, _ tree: DigestTree) -> DigestAnswer {
        switch request.kind {
        case .digests:
            let digests = request.nodes.map { tree.digest(depth: request.depth, index: $0) }
            return .digests(digests, bytes: tree.bytes)
        case .lives:
            let lives = request.nodes.map { tree.lives(depth: request.depth, index: $0) }
            return .lives(lives.map { $0.map { LivesSketch($0, width: request.width, seed: tree.seed) } })
        }
    }

    /// What is known of a tree; begins to read one of which nothing is.
    private func ask(
        _ key: Key,
        _ reading: DigestReading,
        _ waiting: AsyncStream<Void>.Continuation
    ) throws -> Entry {
        try self.state.withLock { state in
            let known = state.entries[key]?.entry
            let entry: Entry
            switch known {
            case .reading(let rows, let others)?: entry = .reading(rows: rows, waiting: others + [waiting])
            case .read?, .failed?: entry = known ?? .reading(rows: 0, waiting: [])
            case nil:
                let reads = state.entries.values.count { if case .reading = $0.entry { true } else { false } }
                guard reads < self.limits.readsMax else {
                    throw DigestError(.busy, "the peer reads \(reads) ranges, and no more at a time")
                }
                entry = .reading(rows: 0, waiting: [waiting])
                self.order.yield(Order(key: key, reading: reading))
            }
            state.entries[key] = (entry, .now)
            if case .failed = entry { state.entries[key] = nil }
            return entry
        }
    }

    // MARK: Reading

    private func reading(_ request: DigestRequest) async throws -> DigestReading {
        let side = try await self.table(request.table)
        let compared = side.compared()
        let mine = DigestTerms(compared, self.settings, untold: request.terms.untold)
        try mine.check(request.terms, of: request.table)
        let tenants = try self.settings.tenants.flatMap { tenants -> (String, Set<ByteBuffer>)? in
            let all = compared.partitionKey + compared.clustering + compared.columns
            guard let column = all.first(where: { $0.name == tenants.column }) else { return nil }
            return (column.name, try tenants.bytes(as: column.plainType, in: "\(request.table)"))
        }
        return DigestReading(
            side: side,
            comparison: RowComparison(compared, self.settings.rules),
            untold: Set(request.terms.untold),
            tenants: tenants,
            options: self.settings.reading,
            pace: self.pace
        )
    }

    private func table(_ name: TableName) async throws -> TableSide {
        let (known, session) = self.state.withLock { ($0.tables[name], $0.session) }
        if let known { return known }
        guard let session else { throw DigestError(.unreadable, "the peer has no connection to its cluster yet") }
        do {
            let leftOut = self.settings.leavingOut[name] ?? []
            let table = try await TablePair.describe(name, self.side, leftOut, session)
            let side = try await TableSide(table, on: session, self.settings.rules)
            self.state.withLock { $0.tables[name] = side }
            return side
        } catch let error as CompareError {
            throw DigestError(.columns, error.description)
        } catch let error as CQLSessionError {
            throw DigestError(.unreadable, "the peer's \(self.side.rawValue) cannot be asked about \(name): \(error)")
        }
    }

    private func read(_ order: Order) async {
        let entry: Entry
        do {
            entry = .read(
                try await order.reading.tree(order.key.shape, seed: order.key.seed) { rows in
                    try self.note(rows, of: order.key)
                }
            )
        } catch {
            // Perhaps the schema is another one by now.
            self.state.withLock { $0.tables[order.key.table] = nil }
            self.logger.warning("a range cannot be digested", metadata: ["reason": "\(error)"])
            entry = .failed(
                error as? DigestError
                    ?? DigestError(.unreadable, "the peer's \(self.side.rawValue) cannot be read: \(error)")
            )
        }
        let waiting = self.state.withLock { state -> [AsyncStream<Void>.Continuation] in
            guard case .reading(_, let waiting)? = state.entries[order.key]?.entry else { return [] }
            state.entries[order.key] = (entry, .now)
            self.forgetOld(&state)
            return waiting
        }
        for continuation in waiting { continuation.finish() }
    }

    private func note(_ rows: Int, of key: Key) throws {
        try self.state.withLock { state in
            guard case (.reading(_, let waiting), let askedAt)? = state.entries[key],
                ContinuousClock.now - askedAt < self.limits.abandonedAfter
            else { throw DigestError(.unreadable, "nobody asks for the range any longer") }
            state.entries[key] = (.reading(rows: rows, waiting: waiting), askedAt)
        }
    }

    /// Keeps within the limits; what was not asked for the longest goes first.
    private func forgetOld(_ state: inout State) {
        var kept = state.entries.compactMap { key, value -> (key: Key, askedAt: ContinuousClock.Instant, bytes: Int)? in
            switch value.entry {
            case .reading: nil
            case .read(let tree): (key, value.askedAt, tree.memory)
            case .failed: (key, value.askedAt, 0)
            }
        }
        kept.sort { $0.askedAt < $1.askedAt }
        var bytes = kept.reduce(0) { $0 + $1.bytes }
        // The newest one stays, however large it is: somebody waits for it.
        while kept.count > 1, kept.count > self.limits.treesMax || bytes > self.limits.treeBytesMax {
            let oldest = kept.removeFirst()
            bytes -= oldest.bytes
            state.entries[oldest.key] = nil
        }
    }
}
