import CQLClient
import CQLProtocol
import DualWriteCore
import NIOCore

/// From a request to the connections that carry it.
extension DualWriterLoop {
    /// Sends a new request on its way.
    func dispatch(_ request: ProxiedRequest) {
        let timeouts = self.settings.timeouts
        let milliseconds = request.isWrite ? timeouts.primaryWriteMilliseconds : timeouts.readMilliseconds
        request.deadline = request.receivedAt + Int64(milliseconds) * 1_000_000
        if !self.settings.filter.isOpen, request.isWrite { self.narrowPlan(of: request) }
        request.waitsForBoth = self.settings.mode.isJoin && self.settings.policy.syncFailure == .fail
        if let primary = request.plan.primary, self.overtakes(request, on: primary) {
            self.doubt(request, on: primary, .overtaken)
        }
        switch request.plan {
        case .single(let cluster):
            self.send(request, to: cluster)
        case .ship(let primary, let copy), .sequence(let primary, let copy):
            request.copy = copy
            if self.journal(request, for: primary.other) { self.send(request, to: primary) }
        case .join(let primary) where self.mustWaitInLane(request, primary.other):
            request.copy = request.isFence ? .fence : request.isIdempotent ? .repeatable : .once
            request.plan = .sequence(primary: primary, copy: request.copy)
            if self.journal(request, for: primary.other) { self.send(request, to: primary) }
        case .join(let primary):
            guard self.journal(request, for: primary.other) else { return }
            if request.kind == .truncate, self.lane(primary.other).mayStillGetSomething {
                self.doubt(request, on: primary.other, .overtaken)
            }
            // Both legs are open before the first is sent, or its failure would be taken for the last answer.
            request[primary].state = .waiting
            request[primary.other].state = .waiting
            let generation = request.generation
            self.send(request, to: primary)
            if self.isCurrent(request, generation) { self.send(request, to: primary.other) }
        case .proxy, .refuse:
            preconditionFailure("a request without a cluster is answered before it is dispatched")
        }
    }

    /// Takes the shadow out of the plan of a write that it is not to get, and the haste out of one of which it gets a part.
    private func narrowPlan(of request: ProxiedRequest) {
        switch self.share(of: request) {
        case .whole:
            break
        case .nothing:
            request.plan = request.plan.withoutShadow
        case .children:
            guard case .join(let primary) = request.plan else { return }
            request.plan = .sequence(primary: primary, copy: request.isIdempotent ? .repeatable : .once)
        }
    }

    /// Whether the primary gets a write before something that it is still owed from when it was the shadow, and that its
    /// timestamp does not put in order.
    private func overtakes(_ request: ProxiedRequest, on primary: Cluster) -> Bool {
        guard request.isWrite else { return false }
        let order = self.order[primary]
        return order.fences > 0 || request.kind.isOrdered && order.ordered > 0
            || request.kind == .truncate && self.lane(primary).count > 0
    }

    /// Whether the shadow must not get a request before something else that it is owed.
    func mustWaitInLane(_ request: ProxiedRequest, _ shadow: Cluster) -> Bool {
        let order = self.order[shadow]
        return order.fences > 0 || request.kind.isOrdered && order.ordered > 0
            || request.isFence && self.lane(shadow).count > 0
    }

    func isCurrent(_ request: ProxiedRequest, _ generation: UInt32) -> Bool {
        request.isInUse && request.generation == generation
    }

    /// Sends a request to a cluster, on a connection to any node but `avoided` where there is a choice.
    func send(_ request: ProxiedRequest, to cluster: Cluster, avoiding avoided: NodeID? = nil) {
        guard let pool = request.identity?.pool(cluster) else {
            let error =
                self.cluster(cluster) == nil
                ? ProxyError.server("no \(cluster) cluster is configured")
                : Self.tooManyPools
            self.legFailed(request, cluster, .definiteRefusal, error)
            return
        }
        // A full connection is no reason to fail while another one has room; the number of tries bounds the search.
        for attempt in 0..<4 {
            guard let connection = self.pick(request, cluster, from: pool, avoiding: avoided, attempt) else { break }
            if self.send(request, to: cluster, on: connection) { return }
        }
        guard pool.isReady else {
            self.wait(request, for: pool, of: cluster)
            return
        }
        self.counters.overloaded &+= 1
        let error = ProxyError.overloaded("all connections to the \(cluster) cluster are full")
        self.legFailed(request, cluster, .definiteRefusal, error)
    }

    static var tooManyPools: ErrorMessage {
        ProxyError.overloaded("too many combinations of credentials and keyspace are in use at once")
    }

    /// Parks a request until its pool has a connection.
    private func wait(_ request: ProxiedRequest, for pool: UpstreamPool, of cluster: Cluster) {
        request[cluster].state = .waiting
        let ticket = RequestTicket(rawValue: request.ticket(.request, cluster))
        let deadline =
            request.stage == .shadow
            ? NIODeadline.now() + .milliseconds(Int64(self.settings.timeouts.shadowWriteMilliseconds))
            : NIODeadline.uptimeNanoseconds(UInt64(clamping: request.deadline))
        pool.whenReady(deadline: deadline) { result in
            guard let request = self.requests.request(for: ticket), request[cluster].state == .waiting else { return }
            switch result {
            case .success:
                self.send(request, to: cluster)
            case .failure(let error):
                let message =
                    error.serverError ?? ProxyError.unavailable(cluster, error.description, request.consistency)
                let client = request.client
                self.legFailed(request, cluster, .definiteRefusal, message)
                // Its password was changed. No driver expects to hear of that here; the next connection asks for the new one.
                if message.code == .badCredentials { client?.close() }
            }
        }
    }

    /// Sends a request on one connection, after the PREPARE that its node may still need.
    ///
    /// - Returns: false where the connection cannot take it and another one should be tried.
    private func send(_ request: ProxiedRequest, to cluster: Cluster, on connection: UpstreamConnection) -> Bool {
        switch request.opcode {
        case .execute:
            guard let statement = request.statement else { preconditionFailure("EXECUTE without its statement") }
            if statement.known.mustDescribeRows { request.body.withMutableBytes { RequestLayout.describeRows($0) } }
            if let id = statement.uniform[cluster] {
                return id.withShortBytes {
                    let rest = UnsafeRawBufferPointer(rebasing: request.body.bytes[(2 + StatementID.byteCount)...])
                    return self.transmit(request, cluster, connection, $0, rest)
                }
            }
            guard let id = statement.id(at: connection.node, of: cluster) else {
                return self.prepareFirst(statement, request, cluster, on: connection)
            }
            // The retained body begins with the proxy's own id: two bytes of length and sixteen of id.
            let bytes = request.body.bytes
            let rest = UnsafeRawBufferPointer(rebasing: bytes[(2 + StatementID.byteCount)...])
            return withUnsafeBytes(of: UInt16(truncatingIfNeeded: id.count).bigEndian) { length in
                id.withUnsafeBytes { self.transmit(request, cluster, connection, length, $0, rest) }
            }
        case .batch where !request.children.isEmpty:
            var ids: [StatementID: [UInt8]] = [:]
            for statement in request.children {
                guard let id = statement.id(at: connection.node, of: cluster) else {
                    return self.prepareFirst(statement, request, cluster, on: connection)
                }
                ids[statement.id] = id
            }
            let body = RequestRewriter.batch(request.body.bytes, ids: ids)
            return body.withUnsafeReadableBytes { self.transmit(request, cluster, connection, $0) }
        default:
            return self.transmit(request, cluster, connection, request.body.bytes)
        }
    }

    private func transmit(
        _ request: ProxiedRequest,
        _ cluster: Cluster,
        _ connection: UpstreamConnection,
        _ part0: UnsafeRawBufferPointer,
        _ part1: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        _ part2: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    ) -> Bool {
        // A trace is a session in the cluster's own tables: one is enough, and it is the one whose id the client gets.
        let flags = cluster == request.plan.primary ? request.flags : request.flags.subtracting(.tracing)
        if var whole = request.payload {
            whole.writeBytes(part0)
            whole.writeBytes(part1)
            whole.writeBytes(part2)
            return whole.withUnsafeReadableBytes { self.append(request, cluster, connection, flags, $0) }
        }
        return self.append(request, cluster, connection, flags, part0, part1, part2)
    }

    private func append(
        _ request: ProxiedRequest,
        _ cluster: Cluster,
        _ connection: UpstreamConnection,
        _ flags: FrameFlags,
        _ part0: UnsafeRawBufferPointer,
        _ part1: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        _ part2: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    ) -> Bool {
        let outcome = connection.send(
            versionByte: connection.versionByte,
            flags: flags.rawValue,
            opcode: request.opcode.rawValue,
            part0,
            part1,
            part2,
            ticket: request.ticket(.request, cluster),
            mayWait: request[cluster].mayWait
        )
        guard case .sent(let stream) = outcome else { return false }
        request[cluster].state = .sent
        request[cluster].stream = stream
        request[cluster].connection = connection
        if request.opcode == .prepare { request.preparedAt = connection.node }
        request[cluster].sentAt = self.now
        request[cluster].attempts &+= 1
        self.counters[cluster].count(request[cluster].reach)
        self.setShadowDeadline(of: request)
        return true
    }

    // MARK: PREPARE before the request

    /// Prepares a statement on a node, for the first request that needs it there and for all that come meanwhile.
    private func prepareFirst(
        _ statement: PreparedStatement,
        _ request: ProxiedRequest,
        _ cluster: Cluster,
        on connection: UpstreamConnection
    ) -> Bool {
        let node = connection.node
        let ticket = request.ticket(.prepare, cluster)
        if statement[cluster].waiting[node] != nil {
            statement[cluster].waiting[node]?.append(ticket)
            request[cluster].state = .waiting
            self.setShadowDeadline(of: request)
            return true
        }
        var connection = connection
        if let identity = request.identity, statement.keyspace != identity.key.keyspace {
            // A name without a keyspace means the one in which the client has prepared, wherever it has moved since.
            guard let pool = self.identity(identity.key.moved(to: statement.keyspace)).pool(cluster) else {
                self.legFailed(request, cluster, .definiteRefusal, Self.tooManyPools)
                return true
            }
            guard pool.isReady else {
                self.wait(request, for: pool, of: cluster)
                return true
            }
            guard let other = pool.connection(to: node) else { return false }
            connection = other
        }
        var text = statement.text
        let outcome = text.withUTF8 { text in
            withUnsafeBytes(of: Int32(truncatingIfNeeded: text.count).bigEndian) { length in
                connection.send(
                    versionByte: connection.versionByte,
                    flags: 0,
                    opcode: Opcode.prepare.rawValue,
                    length,
                    UnsafeRawBufferPointer(text),
                    ticket: ticket
                )
            }
        }
        guard case .sent(let stream) = outcome else { return false }
        statement[cluster].waiting[node] = []
        request[cluster].preparing = statement
        request[cluster].state = .waiting
        request[cluster].stream = stream
        request[cluster].connection = connection
        self.setShadowDeadline(of: request)
        return true
    }

    /// A copy has a time of its own for each thing that it waits for; one without it would hold up its lane for ever.
    private func setShadowDeadline(of request: ProxiedRequest) {
        guard request.stage == .shadow else { return }
        request.deadline = self.now + Int64(self.settings.timeouts.shadowWriteMilliseconds) * 1_000_000
    }

    /// The answer to a PREPARE that ``prepareFirst`` sent; `body` is nil when there is none because the connection is lost.
    func prepared(
        _ request: ProxiedRequest,
        _ cluster: Cluster,
        at node: NodeID,
        opcode: Opcode,
        flags: FrameFlags,
        body: UnsafeRawBufferPointer?
    ) {
        guard let statement = request[cluster].preparing else { return }
        request[cluster].preparing = nil
        let waiting = self.takeWaiting(for: statement, at: node, of: cluster, besides: request)
        var failure: (class: AnswerClass, error: ErrorMessage)?
        if let body, opcode == .result, let id = AnswerLayout.preparedID(body, flags: flags) {
            statement.learned(id, in: body, at: node, of: cluster, version: request.version)
            self.counters[cluster].reprepared &+= 1
        } else if let body, opcode == .error, let message = AnswerDecoder.error(body, flags: flags) {
            failure = (AnswerClass(opcode: 0, errorCode: message.code.rawValue), message)
        } else if body != nil {
            failure = (.definiteRefusal, ProxyError.server("the \(cluster) cluster answered a PREPARE with \(opcode)"))
        }
        let tickets = [request.ticket(.prepare, cluster)] + waiting
        for rawTicket in tickets {
            guard let request = self.requests.request(for: RequestTicket(rawValue: rawTicket)),
                request[cluster].state == .waiting
            else { continue }
            if let failure {
                // Nothing of the request itself was sent, so whatever the PREPARE met, the request was not executed.
                self.legFailed(request, cluster, .definiteRefusal, failure.error)
            } else {
                self.send(request, to: cluster, avoiding: body == nil ? node : nil)
            }
        }
    }

    /// Takes away the tickets of those who wait for a PREPARE, each once and without the one who holds it: a copy whose time was
    /// over comes back and waits again.
    private func takeWaiting(
        for statement: PreparedStatement,
        at node: NodeID,
        of cluster: Cluster,
        besides holder: ProxiedRequest
    ) -> [UInt64] {
        var seen: Set<UInt64> = [holder.ticket(.prepare, cluster)]
        return (statement[cluster].waiting.removeValue(forKey: node) ?? []).filter { seen.insert($0).inserted }
    }

    /// A request that holds a PREPARE for others is over before its answer: one of the others takes its place.
    func handOverPrepare(_ request: ProxiedRequest, _ cluster: Cluster) {
        guard let statement = request[cluster].preparing, let connection = request[cluster].connection else { return }
        request[cluster].preparing = nil
        connection.abandon(ticket: request.ticket(.prepare, cluster), stream: request[cluster].stream)
        for rawTicket in self.takeWaiting(for: statement, at: connection.node, of: cluster, besides: request) {
            guard let other = self.requests.request(for: RequestTicket(rawValue: rawTicket)),
                other[cluster].state == .waiting
            else { continue }
            self.send(other, to: cluster)
        }
    }

    // MARK: Failures without an answer

    /// Ends a leg that got no answer from its cluster, with an error of the proxy's own.
    func legFailed(_ request: ProxiedRequest, _ cluster: Cluster, _ answer: AnswerClass, _ error: ErrorMessage) {
        let body = AnswerDecoder.encode(.error(error))
        body.withUnsafeReadableBytes {
            self.legAnswered(
                request,
                cluster,
                answer,
                opcode: .error,
                flags: [],
                body: $0,
                errorCode: error.code.rawValue
            )
        }
    }

    /// The proxy's own deadline has passed.
    func deadlinePassed(_ request: ProxiedRequest) {
        if request.isInLane, let shadow = request.plan.primary?.other, request[shadow].state == .idle {
            self.waitedLongEnough(request, shadow)
            return
        }
        let (generation, deadline) = (request.generation, request.deadline)
        for cluster in Cluster.allCases {
            // The end of one leg may have sent the request on, with another deadline.
            guard self.isCurrent(request, generation), request.deadline == deadline else { return }
            switch request[cluster].state {
            case .sent:
                // The stream stays reserved until the late answer comes; it finds a stale ticket then.
                if let connection = request[cluster].connection {
                    connection.abandon(
                        ticket: request.ticket(.request, cluster),
                        stream: request[cluster].stream
                    )
                }
                self.counters[cluster].timeouts &+= 1
                let error = ProxyError.timeout(request, cluster, "not answered in time")
                self.legFailed(request, cluster, .unknown, error)
            case .waiting:
                self.handOverPrepare(request, cluster)
                self.counters[cluster].timeouts &+= 1
                let error = ProxyError.unavailable(cluster, "no connection in time", request.consistency)
                self.legFailed(request, cluster, .definiteRefusal, error)
            case .idle, .succeeded, .refused, .unknown:
                continue
            }
        }
    }

    /// The primary has done it, and the shadow's turn has not come in time: the client gets an answer, the lane goes on.
    func waitedLongEnough(_ request: ProxiedRequest, _ shadow: Cluster) {
        if request.waitsForBoth, let client = request.client {
            let error = ProxyError.timeout(request, shadow, "waiting for earlier writes, not answered in time")
            self.answer(client, request.clientStream, .error(error))
            self.detachClient(request)
        } else {
            self.replyWithKept(request, shadow.other)
        }
        request.stage = .shadow
        request.deadline = .max
    }
}
