public import CQLProtocol
public import Logging
public import NIOCore

/// The async way to use a cluster, for jobs and tools; the proxy's data path uses connections directly.
///
/// Safe from any task. All its connections live on one event loop. A request whose task is cancelled ends at once; its late
/// answer is dropped.
public final class CQLSession: Sendable {
    /// The bounds of a session.
    public struct Limits: Sendable, Hashable {
        /// Requests on the way at once; more wait.
        public var inFlightMax = 256
        /// Requests that may wait; one more is refused as overloaded.
        public var waitingMax = 8_192
        /// How long a request may take, waiting included.
        public var requestMilliseconds = 30_000
        /// How often an idempotent request is sent again on another node.
        public var retriesMax = 1

        /// The defaults.
        public init() {}
    }

    private let core: NIOLoopBound<SessionCore>
    private let eventLoop: any EventLoop

    private init(core: NIOLoopBound<SessionCore>, eventLoop: any EventLoop) {
        self.core = core
        self.eventLoop = eventLoop
    }

    /// Connects, runs `body`, and closes whatever happens.
    ///
    /// - Throws: ``CQLSessionError`` when no node can be used before a request's deadline, and what `body` throws.
    public static func withSession<Result: Sendable>(
        _ configuration: ClusterConfiguration,
        keyspace: String? = nil,
        limits: Limits = Limits(),
        on eventLoop: any EventLoop,
        logger: Logger,
        _ body: @Sendable @escaping (CQLSession) async throws -> Result
    ) async throws -> Result {
        let core = try await eventLoop.submit {
            NIOLoopBound(
                SessionCore(configuration, keyspace: keyspace, limits: limits, eventLoop: eventLoop, logger: logger),
                eventLoop: eventLoop
            )
        }.get()
        let session = CQLSession(core: core, eventLoop: eventLoop)
        let monitor = ClusterMonitor(configuration: configuration, eventLoop: eventLoop, logger: logger) { notice in
            switch notice {
            case .topology(let topology): eventLoop.execute { core.value.update(topology: topology) }
            case .lost(let error): eventLoop.execute { core.value.lost(error) }
            case .schemaChange: break
            }
        }
        defer { eventLoop.execute { core.value.shutdown() } }
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                await monitor.run()
                return nil
            }
            group.addTask { try await body(session) }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }

    // MARK: Requests

    /// Runs a text.
    @discardableResult
    public func query(
        _ text: String,
        _ values: [BoundValue] = [],
        consistency: Consistency = .localQuorum,
        isIdempotent: Bool = false
    ) async throws -> CQLResult {
        let parameters = QueryParameters(
            consistency: consistency,
            values: values.isEmpty ? .none : .positional(values)
        )
        return try await self.send(.query(Query(text, parameters: parameters)), isIdempotent: isIdempotent)
    }

    /// Prepares a text on one node; others learn it when they are asked to execute it.
    public func prepare(_ text: String, isIdempotent: Bool = false) async throws -> CQLStatement {
        let result = try await self.send(.prepare(text), isIdempotent: true)
        guard case .prepared(let prepared) = result.message else {
            throw CQLSessionError(.protocolViolation, "PREPARE was answered with something else", isSafeToRetry: true)
        }
        return CQLStatement(
            text: text,
            variables: prepared.variables,
            columns: prepared.result,
            isIdempotent: isIdempotent,
            prepared: prepared
        )
    }

    /// Runs a prepared statement.
    ///
    /// - Parameter serialConsistency: of a conditional one; nil: SERIAL.
    @discardableResult
    public func execute(
        _ statement: CQLStatement,
        _ values: [CQLValue] = [],
        consistency: Consistency = .localQuorum,
        serialConsistency: Consistency? = nil,
        pageSize: Int32? = nil,
        pagingState: ByteBuffer? = nil
    ) async throws -> CQLResult {
        try await self.execute(
            statement,
            bound: try statement.bind(values),
            consistency: consistency,
            serialConsistency: serialConsistency,
            pageSize: pageSize,
            pagingState: pagingState
        )
    }

    /// Runs a prepared statement with values that are bytes already, which nobody looks into: the cluster says where one is not
    /// of its marker's type.
    @discardableResult
    public func execute(
        _ statement: CQLStatement,
        bound: [BoundValue],
        consistency: Consistency = .localQuorum,
        serialConsistency: Consistency? = nil,
        pageSize: Int32? = nil,
        pagingState: ByteBuffer? = nil
    ) async throws -> CQLResult {
        let parameters = QueryParameters(
            consistency: consistency,
            values: bound.isEmpty ? .none : .positional(bound),
            pageSize: pageSize,
            pagingState: pagingState,
            serialConsistency: serialConsistency
        )
        return try await self.send(
            .execute(Execute(id: statement.prepared.id, parameters: parameters)),
            isIdempotent: statement.isIdempotent,
            statements: [statement],
            partition: statement.partition(bound)
        )
    }

    /// Runs prepared statements as one batch.
    @discardableResult
    public func batch(
        _ children: [(statement: CQLStatement, values: [CQLValue])],
        kind: Batch.Kind = .logged,
        timestamp: Int64? = nil,
        consistency: Consistency = .localQuorum
    ) async throws -> CQLResult {
        try await self.batch(
            bound: try children.map { ($0.statement, try $0.statement.bind($0.values)) },
            kind: kind,
            timestamp: timestamp,
            consistency: consistency
        )
    }

    /// Runs prepared statements as one batch, with values that are bytes already.
    @discardableResult
    public func batch(
        bound children: [(statement: CQLStatement, values: [BoundValue])],
        kind: Batch.Kind = .logged,
        timestamp: Int64? = nil,
        consistency: Consistency = .localQuorum
    ) async throws -> CQLResult {
        var partition: CQLStatement.Partition?
        var batch = Batch(kind: kind, children: [], consistency: consistency, defaultTimestamp: timestamp)
        for (statement, bound) in children {
            batch.children.append(Batch.Child(.prepared(id: statement.prepared.id), values: bound))
            // Any of the partitions will do, as the node that gets a batch sends its parts on.
            if partition == nil { partition = statement.partition(bound) }
        }
        return try await self.send(
            .batch(batch),
            isIdempotent: children.allSatisfy(\.statement.isIdempotent),
            statements: children.map(\.statement),
            partition: partition
        )
    }

    /// The rows of a prepared statement, page by page; a page is asked for when the one before it is used up.
    public func pages(
        _ statement: CQLStatement,
        _ values: [CQLValue] = [],
        pageSize: Int32,
        consistency: Consistency = .localQuorum
    ) -> CQLPages {
        CQLPages(session: self, statement: statement, values: values, pageSize: pageSize, consistency: consistency)
    }

    private func send(
        _ request: Request,
        isIdempotent: Bool,
        statements: [CQLStatement] = [],
        partition: CQLStatement.Partition? = nil
    ) async throws -> CQLResult {
        let id = SessionCore.Ticket.next()
        let (core, eventLoop) = (self.core, self.eventLoop)
        return try await withTaskCancellationHandler {
            try Task.checkCancellation()
            return try await withCheckedThrowingContinuation { continuation in
                eventLoop.execute {
                    core.value.submit(
                        SessionCore.Pending(
                            request: request,
                            isIdempotent: isIdempotent,
                            statements: statements,
                            partition: partition,
                            continuation: continuation
                        ),
                        ticket: id
                    )
                }
            }
        } onCancel: {
            eventLoop.execute { core.value.cancel(id) }
        }
    }
}
