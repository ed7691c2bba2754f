import CQLClient
import CQLProtocol
import CQLSyntax
import DualWriteCore
import NIOCore

/// QUERY, PREPARE, EXECUTE and BATCH: what they are, and where they go.
extension DualWriterLoop {
    /// Takes on a request of a client that is through its handshake.
    func begin(_ header: FrameHeader, _ body: UnsafeRawBufferPointer, _ client: ClientConnection) {
        guard !self.isDraining else {
            let error = ErrorMessage(.overloaded, "cluster-sync: shutting down, please retry on the next host")
            self.answer(client, header.stream, .error(error))
            return
        }
        guard client.inFlight < self.limits.inFlightPerClientMax, let request = self.requests.take(bytes: body.count)
        else {
            self.counters.overloaded &+= 1
            let error = ProxyError.overloaded("too many requests, or bytes of requests, in flight")
            self.answer(client, header.stream, .error(error))
            return
        }
        client.inFlight += 1
        self.pressure.took(body.count)
        request.client = client
        request.clientStream = header.stream
        request.flags = header.flags
        request.opcode = header.opcode
        request.identity = client.identity
        request.receivedAt = self.now
        request.tableStage = self.settings.stage
        var message = body
        if header.flags.contains(.customPayload) {
            // The payload stays in front of what is sent on; only the message behind it is looked at here.
            guard client.version == .v4, let prefix = AnswerLayout.prefixLength(body, flags: [.customPayload]) else {
                self.fail(request, ProxyError.protocol("malformed custom payload"))
                return
            }
            request.payload = ByteBuffer(bytes: body[..<prefix])
            message = UnsafeRawBufferPointer(rebasing: body[prefix...])
        }
        if self.requestLog.isOn { self.note(request) }
        switch header.opcode {
        case .query: self.query(request, message)
        case .prepare: self.prepare(request, message)
        case .execute: self.execute(request, message)
        default: self.batch(request, message)
        }
    }

    /// Answers a request with an error of the proxy's own.
    func fail(_ request: ProxiedRequest, _ error: ErrorMessage) {
        if request.isNoted { request.note?.errorCode = error.code.rawValue }
        if let client = request.client { self.answer(client, request.clientStream, .error(error)) }
        self.finish(request)
    }

    /// Answers a request without a cluster.
    func answer(_ request: ProxiedRequest, _ response: Response) {
        self.counters.answeredByProxy &+= 1
        if let client = request.client { self.answer(client, request.clientStream, response) }
        self.finish(request)
    }

    // MARK: QUERY

    private func query(_ request: ProxiedRequest, _ body: UnsafeRawBufferPointer) {
        guard let layout = RequestLayout(query: body) else {
            self.fail(request, ProxyError.protocol("malformed QUERY"))
            return
        }
        let text = String(decoding: body[layout.subject], as: UTF8.self)
        guard let analysis = self.analyses.analysis(of: text) else {
            self.fail(request, ProxyError.invalid("statement longer than \(self.limits.analysedTextBytesMax) bytes"))
            return
        }
        if let refusal = self.refusal(of: analysis.serverValues) {
            self.fail(request, refusal)
            return
        }
        let kind = RequestKind(analysis.evaluated, keyspace: request.identity?.key.keyspace, schema: self.schema)
        if analysis.hidesServerValues { self.counters.notEvaluated &+= 1 }
        if self.hasOverrides, !self.adoptMode(of: analysis.evaluated, kind, request) { return }
        self.classify(request, kind, layout)
        if self.canaries != nil { self.sendAhead(request, analysis, body) }
        switch kind {
        case .use:
            self.use(request, analysis.keyspace)
        case .virtualTable:
            guard case .query(let query)? = try? RequestRewriter.decode(body, opcode: .query) else {
                self.fail(request, ProxyError.protocol("malformed QUERY"))
                return
            }
            self.answerVirtual(request, analysis, query.parameters)
        default:
            guard let values = analysis.serverValues else {
                self.route(request, body, layout)
                return
            }
            self.evaluatedQuery(body, layout, text, values).withUnsafeReadableBytes { bytes in
                guard let layout = RequestLayout(query: bytes) else {
                    preconditionFailure("a walked QUERY with another text can be walked")
                }
                self.route(request, bytes, layout)
            }
        }
    }

    private func classify(
        _ request: ProxiedRequest,
        _ kind: RequestKind,
        _ layout: RequestLayout
    ) {
        request.kind = kind
        request.isWrite = kind.isWrite
        request.isIdempotent = kind == .plainWrite || !kind.isWrite || kind == .truncate
        request.consistency = layout.consistency
        request.plan = RoutePlan(kind: kind, stage: request.tableStage, policy: self.settings.policy)
        if kind == .notUnderstood { self.counters.notUnderstood &+= 1 }
    }

    /// Keeps the body, with the proxy's timestamp where the client gave none, and sends the request on its way.
    func route(_ request: ProxiedRequest, _ body: UnsafeRawBufferPointer, _ layout: RequestLayout) {
        if case .refuse(let reason) = request.plan {
            self.fail(request, ProxyError.invalid(reason))
            return
        }
        if let state = layout.pagingState {
            guard state.count > 0, let cluster = PagingTag.cluster(for: body[state.lowerBound]),
                self.cluster(cluster) != nil
            else {
                self.fail(request, ProxyError.protocol("Invalid value for the paging state"))
                return
            }
            // The next page comes from the cluster that made the state, whatever the mode is by now.
            if !request.isWrite { request.plan = .single(cluster) }
            self.retainWithoutPagingTag(request, body, state)
        } else {
            request.body.assign(body, reserving: 8)
            if self.mayStamp(request.kind), !layout.flags.contains(.defaultTimestamp) {
                request.body.withMutableBytes {
                    $0[layout.flagsOffset] |= RequestLayout.Flags.defaultTimestamp.rawValue
                }
                request.body.append(self.stamp())
            }
        }
        self.dispatch(request)
    }

    private func retainWithoutPagingTag(
        _ request: ProxiedRequest,
        _ body: UnsafeRawBufferPointer,
        _ state: Range<Int>
    ) {
        var changed = ByteBuffer()
        changed.reserveCapacity(body.count)
        changed.writeBytes(body[..<(state.lowerBound - 4)])
        changed.writeInteger(Int32(state.count - 1))
        changed.writeBytes(body[(state.lowerBound + 1)...])
        request.retain(changed)
    }

    /// Both clusters order a write by the same clock, whenever its copy arrives. Counters have no use for a timestamp and take
    /// it; conditional statements have that of paxos.
    func mayStamp(_ kind: RequestKind) -> Bool {
        kind == .plainWrite || kind == .nonIdempotentWrite || kind == .counterWrite
    }

    // MARK: USE

    private func use(_ request: ProxiedRequest, _ keyspace: String?) {
        guard let keyspace, let client = request.client else {
            self.fail(request, ErrorMessage(.syntaxError, "USE without a keyspace"))
            return
        }
        let stream = request.clientStream
        self.finish(request)
        self.move(client, stream, to: keyspace)
    }

    // MARK: PREPARE

    private func prepare(_ request: ProxiedRequest, _ body: UnsafeRawBufferPointer) {
        guard let length = AnswerLayout.int32(body, at: 0), length >= 0, Int(length) == body.count - 4 else {
            self.fail(request, ProxyError.protocol("malformed PREPARE"))
            return
        }
        let text = String(decoding: body[4...], as: UTF8.self)
        guard let analysis = self.analyses.analysis(of: text) else {
            self.fail(request, ProxyError.invalid("statement longer than \(self.limits.analysedTextBytesMax) bytes"))
            return
        }
        if let refusal = self.refusal(of: analysis.serverValues) {
            self.fail(request, refusal)
            return
        }
        let keyspace = request.identity?.key.keyspace
        let statement = self.statement(text: text, keyspace: keyspace, analysis: analysis)
        request.statement = statement
        // Preparing changes nothing, whatever the statement does when it is executed.
        request.kind = .systemRead
        request.isWrite = false
        request.isIdempotent = true
        if self.hasOverrides {
            if !statement.isJudged(at: self.judgementChanges) { self.judge(statement) }
            // What cannot be executed now can be prepared; the tables may have other modes by then.
            request.tableStage = statement.mode.stage ?? self.settings.stage
        }
        if statement.kind == .virtualTable {
            self.prepareVirtual(request, statement)
            return
        }
        if case .refuse(let reason) = RoutePlan(
            kind: statement.kind,
            stage: request.tableStage,
            policy: self.settings.policy
        ) {
            self.fail(request, ProxyError.invalid(reason))
            return
        }
        request.plan = .single(request.tableStage.mode.primary)
        if statement.known.evaluation == nil {
            request.body.assign(body)
        } else {
            request.retain(Self.longString(statement.text))
        }
        self.dispatch(request)
    }

    /// The loop's own record of a statement; known to all loops from here on.
    func statement(text: String, keyspace: String?, analysis: StatementAnalysis) -> PreparedStatement {
        let id = StatementID(keyspace: keyspace, text: text)
        let known = self.registry.register(id, at: self.now) {
            KnownStatement(text: text, keyspace: keyspace, analysis: analysis)
        }
        return self.statements[id] ?? self.remember(PreparedStatement(id: id, known: known))
    }

    /// The statement of an id that a client uses; nil where nobody knows it (any more).
    func statement(_ id: StatementID, at now: Int64) -> PreparedStatement? {
        guard let statement = self.recentStatements.statement(id) ?? self.find(id) else { return nil }
        statement.known.use(at: now)
        if !statement.isJudged(at: self.judgementChanges) { self.judge(statement) }
        return statement
    }

    func judge(_ statement: PreparedStatement) {
        statement.judge(
            by: self.schema,
            self.settings.filter,
            self.settings.modes,
            self.canaries,
            at: self.judgementChanges
        )
    }

    private func find(_ id: StatementID) -> PreparedStatement? {
        let statement =
            self.statements[id]
            ?? self.registry.statement(id).map { self.remember(PreparedStatement(id: id, known: $0)) }
        if let statement { self.recentStatements.keep(statement) }
        return statement
    }

    func remember(_ statement: PreparedStatement) -> PreparedStatement {
        if self.statements.count >= self.limits.preparedStatementsMax {
            let victims = self.statements.leastRecentlyUsedFirst(\.value.known)
            for victim in victims.prefix(1 + victims.count / 8) {
                self.statements[victim.key] = nil
                self.recentStatements.forget(victim.key)
            }
        }
        self.statements[statement.id] = statement
        return statement
    }

    // MARK: EXECUTE

    private func execute(_ request: ProxiedRequest, _ body: UnsafeRawBufferPointer) {
        guard let layout = RequestLayout(execute: body) else {
            self.fail(request, ProxyError.protocol("malformed EXECUTE"))
            return
        }
        let bytes = UnsafeRawBufferPointer(rebasing: body[layout.subject])
        guard let id = StatementID(bytes), let statement = self.statement(id, at: request.receivedAt) else {
            self.fail(request, Self.unprepared(bytes))
            return
        }
        request.statement = statement
        if self.hasOverrides, !self.adopt(statement.mode, request) { return }
        self.classify(request, statement.kind, layout)
        if self.canaries != nil, let plan = statement.canary { self.sendAhead(request, plan, body) }
        switch statement.kind {
        case .use:
            self.use(request, statement.analysis.keyspace)
        case .virtualTable:
            guard case .execute(let execute)? = try? RequestRewriter.decode(body, opcode: .execute) else {
                self.fail(request, ProxyError.protocol("malformed EXECUTE"))
                return
            }
            self.answerVirtual(request, statement.analysis, execute.parameters)
        default:
            guard statement.hasServerValues else {
                self.route(request, body, layout)
                return
            }
            self.routeEvaluated(request, body, layout, statement.known)
        }
    }

    static func unprepared(_ id: UnsafeRawBufferPointer) -> ErrorMessage {
        ErrorMessage(
            .unprepared,
            "cluster-sync: the prepared statement is not known here; prepare it again",
            details: .unprepared(id: ByteBuffer(bytes: id))
        )
    }
}
