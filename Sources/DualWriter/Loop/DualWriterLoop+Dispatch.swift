import CQLClient
import CQLProtocol
import DualWriteCore
import NIOCore

/// From a request to the connections that carry it.
extension DualWriterLoop {
    /// Sends a new request on its way.
    func dispatch(_ request: ProxiedRequest) {
        let mode = request.tableStage.mode
        guard request.receivedAt < self.end(of: mode, request) else {
            self.counters.lapsed &+= 1
            // Nothing was sent, and another sidecar can do it: drivers go on to the next host.
            self.fail(
                request,
                ProxyError.overloaded("another write mode may be in force; this replica has lost the others")
            )
            return
        }
        let timeouts = self.settings.timeouts
        let milliseconds = request.isWrite ? timeouts.primaryWriteMilliseconds : timeouts.readMilliseconds
        request.deadline = request.receivedAt + Int64(milliseconds) * 1_000_000
        if request.isMixed || !self.settings.filter.isOpen, request.isWrite, let shadow = mode.shadow {
            self.narrowPlan(of: request, shadow)
        }
        request.waitsForBoth = mode.isJoin && self.settings.policy.syncFailure == .fail
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

    /// From when on a request of a mode is refused, because another one may be in force.
    private func end(of mode: WriteMode, _ request: ProxiedRequest) -> Int64 {
        // Of a batch that is mixed some tables have no shadow.
        mode.shadow == nil || request.isMixed ? self.actsAloneUntil : self.actsUntil
    }

    /// Takes the shadow out of the plan of a write that it is not to get, and the haste out of one of which it gets a part.
    private func narrowPlan(of request: ProxiedRequest, _ shadow: Cluster) {
        let decision = self.filterDecision(of: request, for: shadow)
        self.counters.filtering.count(decision)
        switch decision.share {
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
        let mayOvertake =
            order.fences > 0 || request.kind.isOrdered && order.ordered > 0
            || request.kind == .truncate && self.lane(primary).count > 0
        return mayOvertake && (!self.hasOverrides || self.owesFromBefore(primary))
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
        // Its identity keeps the pool, and the pool its connections, and nothing of that ends here.
        let isSent = Uncounted(request.identity)?({ identity in
            identity.openPool(cluster)?({ pool in
                guard let connection = self.pick(request, cluster, from: pool, avoiding: avoided, 0) else {
                    return false
                }
                return connection({ self.send(request, to: cluster, on: $0) })
            })
        })
        if isSent == true { return }
        self.sendElsewhere(request, to: cluster, avoiding: avoided)
    }

    /// Sends a request whose first connection did not take it.
    private func sendElsewhere(_ request: ProxiedRequest, to cluster: Cluster, avoiding avoided: NodeID?) {
        guard let pool = request.identity?.pool(cluster) else {
            let error =
                self.cluster(cluster) == nil
                ? ProxyError.server("no \(cluster) cluster is configured")
                : Self.tooManyPools
            self.legFailed(request, cluster, .definiteRefusal, error)
            return
        }
        // A full connection is no reason to fail while another one has room; the number of tries bounds the search.
        for attempt in 1..<4 {
            guard let connection = self.pick(request, cluster, from: pool, avoiding: avoided, attempt) else { break }
            if connection({ self.send(request, to: cluster, on: $0) }) { return }
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
    func wait(_ request: ProxiedRequest, for pool: UpstreamPool, of cluster: Cluster) {
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
            guard let known = Uncounted(request.statement) else { preconditionFailure("EXECUTE without its statement") }
            if known({ $0.known.mustDescribeRows }) {
                request.body.withMutableBytes { RequestLayout.describeRows($0) }
            }
            // The retained body begins with the proxy's own id.
            let rest = UnsafeRawBufferPointer(rebasing: request.body.bytes[StatementID.shortByteCount...])
            if let id = known({ $0.uniformID(of: cluster) }) {
                return self.transmit(request, cluster, connection, id, rest)
            }
            guard let statement = request.statement else { return false }
            guard let id = statement.id(at: connection.node, of: cluster) else {
                return self.prepareFirst(statement, request, cluster, on: connection)
            }
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
        if request.payload != nil {
            return self.transmitBehindPayload(request, cluster, connection, flags, part0, part1, part2)
        }
        return self.append(request, cluster, connection, flags, part0, part1, part2)
    }

    private func transmitBehindPayload(
        _ request: ProxiedRequest,
        _ cluster: Cluster,
        _ connection: UpstreamConnection,
        _ flags: FrameFlags,
        _ part0: UnsafeRawBufferPointer,
        _ part1: UnsafeRawBufferPointer,
        _ part2: UnsafeRawBufferPointer
    ) -> Bool {
        var whole = request.payload ?? ByteBuffer()
        for part in [part0, part1, part2] { whole.writeBytes(part) }
        return whole.withUnsafeReadableBytes { self.append(request, cluster, connection, flags, $0) }
    }

    @inline(__always)
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

    /// A copy has a time of its own for each thing that it waits for; one without it would hold up its lane for ever.
    func setShadowDeadline(of request: ProxiedRequest) {
        guard request.stage == .shadow else { return }
        request.deadline = self.now + Int64(self.settings.timeouts.shadowWriteMilliseconds) * 1_000_000
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
