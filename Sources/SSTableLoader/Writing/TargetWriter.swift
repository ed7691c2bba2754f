public import CQLClient
public import CQLProtocol
public import LiveTables
public import NIOCore
public import SSTable
import Synchronization

/// Writes the statements of one table to the target: many at once, again where that does no harm, and into the dead letters
/// what the target refuses for good.
///
/// One task at a time writes and drains; many writers may share a session. Memory is bounded by ``Limits``.
public final class TargetWriter: Sendable {
    /// The limits.
    public struct Limits: Sendable, Hashable {
        /// Requests on the way at once; whoever writes more waits.
        public var inFlightMax = 64
        /// Bytes of values on the way at once; a larger request goes alone.
        public var bytesInFlightMax = 64 << 20
        /// Statements of one partition in one UNLOGGED batch. One means no batches.
        public var batchStatementsMax = 100
        /// Bytes of the values in a batch. Servers warn of large batches only where these have several partitions.
        public var batchBytesMax = 32 << 10
        /// How often a request is sent before the target counts as unusable.
        public var attemptsMax = 8
        /// The first pause before that, in milliseconds; it doubles.
        public var pauseMillisecondsMin = 50
        /// The longest pause, in milliseconds.
        public var pauseMillisecondsMax = 10_000
        /// Dead letters of this writer; one more stops it.
        public var deadLettersMax = 10_000

        /// The defaults.
        public init() {}

        var retries: RetryPolicy {
            RetryPolicy(
                attemptsMax: self.attemptsMax,
                pauseMin: .milliseconds(self.pauseMillisecondsMin),
                pauseMax: .milliseconds(self.pauseMillisecondsMax)
            )
        }
    }

    /// Where a writer's statements go, and what it shares with others.
    public struct Target: Sendable {
        /// The session with the target.
        public var session: CQLSession
        /// The consistency level of writes.
        public var consistency = Consistency.localQuorum
        /// Statements that are prepared already.
        public var prepared = PreparedTexts()
        /// Where refused statements go.
        public var deadLetters: DeadLetters
        /// What limits the rate.
        public var pace: any WritePace = UnlimitedPace()
        /// Waits between attempts.
        public var clock: any Clock<Duration> = ContinuousClock()
        /// The second since 1970 that dead letters carry.
        public var now: @Sendable () -> Int64

        /// A target with the defaults of everything that is not named here.
        public init(session: CQLSession, deadLetters: DeadLetters, now: @escaping @Sendable () -> Int64) {
            self.session = session
            self.deadLetters = deadLetters
            self.now = now
        }
    }

    let table: TargetTable
    /// The types of the parts of the partition key, for the words of dead letters.
    let keyTypes: [DataType]
    let target: Target
    let limits: Limits
    private let input: AsyncStream<WriterRequest>.Continuation
    let state = Mutex(WriterState())

    private init(
        _ table: TargetTable,
        _ keyTypes: [DataType],
        _ target: Target,
        _ limits: Limits,
        _ input: AsyncStream<WriterRequest>.Continuation
    ) {
        self.table = table
        self.keyTypes = keyTypes
        self.target = target
        self.limits = limits
        self.input = input
    }

    /// Runs `body` with a writer, and drains it. Where `body` throws, requests on the way are given up.
    ///
    /// - Throws: ``TargetWriterError``, `CancellationError`, and what `body` throws.
    public static func withWriter<Result>(
        for table: TargetTable,
        _ columns: TableColumns,
        to target: Target,
        limits: Limits = Limits(),
        _ body: (TargetWriter) async throws -> Result
    ) async throws -> Result {
        try await self.withWriter(
            for: table,
            keyTypes: columns.partitionKey.map(\.dataType),
            to: target,
            limits: limits,
            body
        )
    }

    /// The same for a table of which the types of the key's parts are known.
    public static func withWriter<Result>(
        for table: TargetTable,
        keyTypes: [DataType],
        to target: Target,
        limits: Limits = Limits(),
        _ body: (TargetWriter) async throws -> Result
    ) async throws -> Result {
        let (requests, input) = AsyncStream.makeStream(of: WriterRequest.self)
        let writer = TargetWriter(table, keyTypes, target, limits, input)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            // It holds no more than what is on the way: `submit` waits before it adds to it.
            group.addTask {
                await withDiscardingTaskGroup { deliveries in
                    for await request in requests { deliveries.addTask { await writer.deliver(request) } }
                }
            }
            defer {
                input.finish()
                group.cancelAll()
            }
            let result = try await body(writer)
            try await writer.drain()
            return result
        }
    }

    /// What came of everything so far.
    public var counts: WriteCounts { self.state.withLock { $0.counts } }

    // MARK: Writing

    /// Writes statements of a partition; returns when there is room for more, long before the target has them.
    ///
    /// - Parameter key: The bytes of the partition key. What comes for one key without another one between goes together.
    /// - Throws: ``TargetWriterError`` where anything so far has failed, `CancellationError`.
    public func write(_ statements: [TargetStatement], key: ByteBuffer) async throws {
        for statement in statements {
            var copy: CQLStatement
            if let known = self.target.prepared.statement(statement.text) {
                copy = known
            } else {
                copy = try await self.prepare(statement)
            }
            copy.isIdempotent = statement.isIdempotent
            let values: [BoundValue] = statement.values.map { $0.map { .value($0) } ?? .null }
            let bytes = statement.values.reduce(0) { $0 + ($1?.readableBytes ?? 0) }
            let writable = WriterStatement(prepared: copy, statement: statement, values: values, bytes: bytes)
            let full = self.state.withLock { $0.gather(writable, key, self.limits) }
            if let full { try await self.submit(full) }
        }
    }

    /// Puts what no statement can say into the dead letters.
    public func bury(_ unloadable: [Unloadable], key: ByteBuffer) throws {
        for one in unloadable { try self.bury(nil, key, one.description) }
    }

    /// Returns when everything so far is acknowledged by the target or durable in the dead letters: what a checkpoint may claim.
    ///
    /// - Throws: ``TargetWriterError`` where something is neither, `CancellationError`.
    public func drain() async throws {
        if let gathered = self.state.withLock({ $0.gathered.take() }) { try await self.submit(gathered) }
        try await self.wait { $0.inFlight == 0 }
        do {
            try self.target.deadLetters.sync()
        } catch {
            throw TargetWriterError(code: .lettersUnwritable, description: "\(error)")
        }
    }

    private func submit(_ request: WriterRequest) async throws {
        let pace = self.target.pace
        try await pace.admit(statements: request.statements.count, bytes: request.bytes)
        try await self.wait { state in
            state.hasRoom(
                bytes: request.bytes,
                inFlightMax: max(1, min(self.limits.inFlightMax, pace.inFlightMax)),
                bytesMax: self.limits.bytesInFlightMax
            )
        }
        self.state.withLock { state in
            state.inFlight += 1
            state.bytesInFlight += request.bytes
        }
        self.input.yield(request)
    }

    /// Waits until the state is as it should be, or nothing will be right any more.
    private func wait(until isReady: (WriterState) -> Bool) async throws {
        while true {
            try Task.checkCancellation()
            let isDone = try self.state.withLock { state in
                if let failure = state.failure { throw failure }
                return isReady(state)
            }
            if isDone { return }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let goesOn = self.state.withLock { state in
                        if state.isCancelled || state.failure != nil || isReady(state) { return true }
                        precondition(state.waiter == nil, "one task at a time writes")
                        state.waiter = continuation
                        return false
                    }
                    if goesOn { continuation.resume() }
                }
            } onCancel: {
                let waiter = self.state.withLock { state in
                    state.isCancelled = true
                    return state.takeWaiter()
                }
                waiter?.resume()
            }
        }
    }
}
