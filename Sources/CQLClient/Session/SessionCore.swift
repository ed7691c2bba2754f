import CQLProtocol
import Logging
import NIOCore
import Synchronization

/// The loop-bound half of a session: requests on the way, requests that wait, and what happens when either goes wrong.
///
/// **Flush owner:** a task at the end of the loop's tick in which something was appended.
final class SessionCore {
    /// Numbers for requests over all sessions of the process.
    enum Ticket {
        private static let last = Atomic<UInt64>(0)

        static func next() -> UInt64 { self.last.wrappingAdd(1, ordering: .relaxed).newValue }
    }

    /// One request until its answer.
    struct Pending: Sendable {
        let request: Request
        let isIdempotent: Bool
        /// The statements that the request names by id.
        let statements: [CQLStatement]
        /// What the request is about, where one partition can be told.
        let partition: CQLStatement.Partition?
        let continuation: CheckedContinuation<CQLResult, any Error>
        var deadline = NIODeadline.distantFuture
        var sends = 0
        var repairs = 0
        var stream: Int16?
        var avoided: NodeID?
        /// Set while a PREPARE for the request is on the way.
        var preparing: CQLStatement?
    }

    /// How often a request's statements are prepared anew before its error is believed.
    private static let repairsMax = 4

    private let limits: CQLSession.Limits
    private let eventLoop: any EventLoop
    private let key: SessionKey
    private var cluster: LoopCluster?
    private var pending: [UInt64: Pending] = [:]
    private var connections: [UInt64: UpstreamConnection] = [:]
    private var waiting: [UInt64] = []
    private var isSweeping = false
    private var inFlight = 0
    private var dirty: [UpstreamConnection] = []
    private var isShutDown = false
    /// Why the cluster is not known yet; nil once it is.
    private var obstacle: UpstreamError?

    init(
        _ configuration: ClusterConfiguration,
        keyspace: String?,
        limits: CQLSession.Limits,
        eventLoop: any EventLoop,
        logger: Logger
    ) {
        self.limits = limits
        self.eventLoop = eventLoop
        self.key = SessionKey(keyspace: keyspace)
        self.cluster = LoopCluster(configuration: configuration, eventLoop: eventLoop, delegate: self, logger: logger)
    }

    func update(topology: ClusterTopology) {
        self.obstacle = nil
        self.cluster?.update(topology: topology)
    }

    /// The cluster cannot be looked at, for this reason.
    func lost(_ error: UpstreamError) { self.obstacle = error }

    func shutdown() {
        self.isShutDown = true
        for ticket in self.pending.keys.sorted() {
            self.finish(ticket, .failure(CQLSessionError(.closed, "the session was closed", isSafeToRetry: false)))
        }
        self.cluster?.shutdown()
        self.cluster = nil
    }

    // MARK: The way of a request

    func submit(_ request: Pending, ticket: UInt64) {
        guard !self.isShutDown else {
            let error = CQLSessionError(.closed, "the session is closed", isSafeToRetry: true)
            return request.continuation.resume(throwing: error)
        }
        var request = request
        request.deadline = .now() + .milliseconds(Int64(self.limits.requestMilliseconds))
        if self.inFlight >= self.limits.inFlightMax {
            guard self.waiting.count < self.limits.waitingMax else {
                let text = "\(self.waiting.count) requests wait already"
                return request.continuation.resume(throwing: CQLSessionError(.overloaded, text, isSafeToRetry: true))
            }
            self.waiting.append(ticket)
        }
        self.pending[ticket] = request
        self.scheduleSweep()
        if self.waiting.last != ticket { self.begin(ticket) }
    }

    func cancel(_ ticket: UInt64) { self.finish(ticket, .failure(CancellationError())) }

    /// One timer for all requests: a timer each would outlive its request by the rest of the deadline, and keep its memory.
    private func scheduleSweep() {
        guard !self.isSweeping, !self.pending.isEmpty else { return }
        self.isSweeping = true
        let pause = max(10, min(100, self.limits.requestMilliseconds / 10))
        self.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(pause))) {
            self.isSweeping = false
            let now = NIODeadline.now()
            for ticket in self.pending.filter({ $0.value.deadline <= now }).keys.sorted() { self.expire(ticket) }
            self.scheduleSweep()
        }
    }

    private func expire(_ ticket: UInt64) {
        guard let request = self.pending[ticket] else { return }
        let wasSent = request.stream != nil
        let text = wasSent ? "no answer before the deadline" : self.withObstacle("no connection before the deadline")
        let error = CQLSessionError(.timeout, text, isSafeToRetry: !wasSent || request.isIdempotent)
        self.finish(ticket, .failure(error))
    }

    /// That there is no connection, with the reason that is known.
    private func withObstacle(_ text: String) -> String { self.obstacle.map { "\(text): \($0)" } ?? text }

    /// The connection to a node that has the request's data, or else to any.
    private func pick(_ request: Pending, from pool: UpstreamPool) -> UpstreamConnection? {
        if let partition = request.partition, pool.routesByToken {
            var routes = KeyspaceRoutes()
            if routes.areKnown(of: partition.keyspace, in: pool), let route = routes.route(partition.token),
                let connection = pool.pick(route, avoiding: request.avoided)
            {
                return connection
            }
        }
        return pool.pick(avoiding: request.avoided)?.takeUnretainedValue()
    }

    private func begin(_ ticket: UInt64) {
        self.inFlight += 1
        self.send(ticket)
    }

    private func send(_ ticket: UInt64) {
        guard let request = self.pending[ticket] else { return }
        guard let pool = self.cluster?.pool(for: self.key) else {
            let error = CQLSessionError(.closed, "the session has no pool", isSafeToRetry: true)
            return self.finish(ticket, .failure(error))
        }
        if let connection = self.pick(request, from: pool) {
            return self.append(request.request, ticket, connection)
        }
        pool.whenReady(deadline: request.deadline) { result in
            switch result {
            case .success: self.send(ticket)
            case .failure(let error):
                let failure = CQLSessionError(
                    error.code == .timeout ? .timeout : .closed,
                    error.code == .timeout ? self.withObstacle(error.description) : error.description,
                    serverError: error.serverError,
                    isSafeToRetry: true
                )
                self.finish(ticket, .failure(failure))
            }
        }
    }

    private func append(_ request: Request, _ ticket: UInt64, _ connection: UpstreamConnection) {
        let outcome: UpstreamConnection.SendOutcome
        do throws(CQLProtocolError) {
            let frame = try RequestFrame(version: .v4, request: request).encoded()
            outcome = frame.withUnsafeReadableBytes { bytes in
                connection.send(
                    versionByte: connection.versionByte,
                    flags: 0,
                    opcode: request.opcode.rawValue,
                    UnsafeRawBufferPointer(rebasing: bytes[FrameHeader.byteCount...]),
                    ticket: ticket
                )
            }
        } catch {
            let failure = CQLSessionError(
                .protocolViolation,
                "the request cannot be encoded: \(error)",
                isSafeToRetry: false
            )
            return self.finish(ticket, .failure(failure))
        }
        guard case .sent(let stream) = outcome else {
            // The pool said that there is room: this connection has just ended.
            self.eventLoop.assumeIsolated().execute { self.send(ticket) }
            return
        }
        self.connections[ticket] = connection
        self.pending[ticket]?.stream = stream
        self.pending[ticket]?.sends += 1
    }

    private func finish(_ ticket: UInt64, _ result: Result<CQLResult, any Error>) {
        guard let request = self.pending.removeValue(forKey: ticket) else { return }
        if let connection = self.connections.removeValue(forKey: ticket), let stream = request.stream {
            connection.abandon(ticket: ticket, stream: stream)
        }
        if let index = self.waiting.firstIndex(of: ticket) {
            self.waiting.remove(at: index)
        } else {
            self.inFlight -= 1
        }
        request.continuation.resume(with: result)
        while self.inFlight < self.limits.inFlightMax, !self.waiting.isEmpty, !self.isShutDown {
            self.begin(self.waiting.removeFirst())
        }
    }

    // MARK: Answers

    private func answered(_ ticket: UInt64, _ frame: ResponseFrame, by connection: UpstreamConnection) {
        guard let request = self.pending[ticket] else { return }
        self.connections[ticket] = nil
        self.pending[ticket]?.stream = nil
        switch frame.response {
        case .result(let message):
            if request.preparing != nil {
                self.pending[ticket]?.preparing = nil
                return self.append(request.request, ticket, connection)
            }
            self.finish(ticket, .success(CQLResult(message: message, warnings: frame.extras.warnings ?? [])))
        case .error(let error): self.refused(ticket, request, error, by: connection)
        default:
            let text = "\(frame.response.opcode) is no answer to \(request.request.opcode)"
            self.finish(ticket, .failure(CQLSessionError(.protocolViolation, text, isSafeToRetry: false)))
        }
    }

    private func refused(
        _ ticket: UInt64,
        _ request: Pending,
        _ error: ErrorMessage,
        by connection: UpstreamConnection
    ) {
        if case .unprepared(let id) = error.details, request.repairs < Self.repairsMax,
            let statement = request.statements.first(where: { $0.prepared.id == id })
        {
            self.pending[ticket]?.repairs += 1
            self.pending[ticket]?.preparing = statement
            return self.append(.prepare(statement.text), ticket, connection)
        }
        // These say that nothing was executed.
        let isHarmless = [.overloaded, .isBootstrapping, .unavailable].contains(error.code)
        if isHarmless || request.isIdempotent && error.code == .serverError, self.retry(ticket, connection.node) {
            return
        }
        let failure = CQLSessionError(
            .refused,
            "\(error.code): \(error.message)",
            serverError: error,
            isSafeToRetry: isHarmless || request.isIdempotent
        )
        self.finish(ticket, .failure(failure))
    }

    /// Sends a request again on another node; false where it was sent often enough.
    private func retry(_ ticket: UInt64, _ avoided: NodeID) -> Bool {
        guard let request = self.pending[ticket], request.sends <= self.limits.retriesMax else { return false }
        self.pending[ticket]?.avoided = avoided
        self.pending[ticket]?.preparing = nil
        self.send(ticket)
        return true
    }
}

extension SessionCore: UpstreamDelegate {
    func upstreamNeedsFlush(_ connection: UpstreamConnection) {
        if self.dirty.isEmpty {
            self.eventLoop.assumeIsolated().execute {
                let dirty = self.dirty
                self.dirty = []
                for connection in dirty { connection.flush() }
            }
        }
        self.dirty.append(connection)
    }

    func upstream(
        _ connection: UpstreamConnection,
        received header: FrameHeader,
        body: UnsafeRawBufferPointer,
        ticket: UInt64
    ) {
        guard self.pending[ticket] != nil else { return }
        do throws(CQLProtocolError) {
            let frame = try ResponseFrame(decoding: RawFrame(header: header, body: ByteBuffer(bytes: body)))
            self.answered(ticket, frame, by: connection)
        } catch {
            self.connections[ticket] = nil
            let text = "the answer of \(connection.node) cannot be read: \(error)"
            self.finish(ticket, .failure(CQLSessionError(.protocolViolation, text, isSafeToRetry: false)))
        }
    }

    func upstream(_ connection: UpstreamConnection, lost ticket: UInt64, wasSent: Bool) {
        guard let request = self.pending[ticket] else { return }
        self.connections[ticket] = nil
        self.pending[ticket]?.stream = nil
        let isSafe = !wasSent || request.isIdempotent || request.preparing != nil
        if isSafe, self.retry(ticket, connection.node) { return }
        let text = "the connection to \(connection.node) was lost" + (wasSent ? ", the outcome is unknown" : "")
        self.finish(ticket, .failure(CQLSessionError(.connectionLost, text, isSafeToRetry: isSafe)))
    }

    func upstreamBurstEnded(_ connection: UpstreamConnection) {}
}
