import CQLClient
import CQLProtocol
import DualWriteCore
import Logging
import NIOCore

/// From an answer of a cluster to what follows: the client's answer, a copy for the shadow, another try.
extension DualWriterLoop: UpstreamDelegate {
    func upstreamNeedsFlush(_ connection: UpstreamConnection) {
        self.needsFlush(connection)
    }

    func upstreamBurstEnded(_ connection: UpstreamConnection) {
        self.flushAll()
    }

    func upstream(
        _ connection: UpstreamConnection,
        received header: FrameHeader,
        body: UnsafeRawBufferPointer,
        ticket rawTicket: UInt64
    ) {
        let ticket = RequestTicket(rawValue: rawTicket)
        let cluster: Cluster = ticket.leg == 0 ? .source : .target
        guard let request = self.requests.request(for: ticket) else {
            self.counters[cluster].lateAnswers &+= 1
            return
        }
        if ticket.purpose == .prepare {
            self.prepared(
                request,
                cluster,
                at: connection.node,
                opcode: header.opcode,
                flags: header.flags,
                body: body
            )
            return
        }
        guard request[cluster].state == .sent else { return }
        var errorCode: Int32?
        if header.opcode == .error {
            errorCode = AnswerLayout.errorCode(body, flags: header.flags)
            if self.repaired(request, cluster, connection, header, body, errorCode) { return }
        }
        let answer = AnswerClass(opcode: header.opcode.rawValue, errorCode: errorCode)
        self.observe(request, cluster, answer)
        self.legAnswered(
            request,
            cluster,
            answer,
            opcode: header.opcode,
            flags: header.flags,
            body: body,
            errorCode: errorCode
        )
    }

    /// How often one request is sent again because of what a node lacks.
    private static var repairsMax: UInt8 { 8 }
    /// How many connections one request may lose. Repairs do not count: after a change of the schema each node may need one.
    private static var lossesMax: UInt8 { 3 }

    /// Errors that the client never sees, because the request goes on: a node that has forgotten a statement, a node that
    /// is not up yet.
    private func repaired(
        _ request: ProxiedRequest,
        _ cluster: Cluster,
        _ connection: UpstreamConnection,
        _ header: FrameHeader,
        _ body: UnsafeRawBufferPointer,
        _ errorCode: Int32?
    ) -> Bool {
        switch errorCode {
        case ErrorCode.unprepared.rawValue:
            guard case .unprepared(let unknown)? = AnswerDecoder.error(body, flags: header.flags)?.details else {
                return false
            }
            let id = Array(unknown.readableBytesView)
            let statements = request.statement.map { [$0] } ?? request.children
            guard let first = statements.first else { return false }
            // Others may have heard of it before; where nothing tells which one it is, all are prepared again.
            let named = statements.filter { $0.isKnown(as: id, at: connection.node, of: cluster) }
            for statement in named.isEmpty ? statements : named {
                statement.forgotten(at: connection.node, of: cluster)
            }
            // Each repair is another attempt. A node that forgets a statement again and again is not asked for ever; the client
            // knows the statement by the proxy's id and prepares it again.
            guard request[cluster].attempts < Self.repairsMax else {
                let own = (named.first ?? first).id.withShortBytes { Array($0.dropFirst(2)) }
                let error = own.withUnsafeBytes { Self.unprepared($0) }
                self.legFailed(request, cluster, .definiteRefusal, error)
                return true
            }
            request[cluster].state = .waiting
            self.send(request, to: cluster)
            return true
        case ErrorCode.isBootstrapping.rawValue where request[cluster].attempts < Self.repairsMax:
            request[cluster].state = .waiting
            self.counters[cluster].retriedOnOtherNode &+= 1
            self.send(request, to: cluster, avoiding: connection.node)
            return true
        default:
            return false
        }
    }

    func upstream(_ connection: UpstreamConnection, lost rawTicket: UInt64, wasSent: Bool) {
        let ticket = RequestTicket(rawValue: rawTicket)
        let cluster: Cluster = ticket.leg == 0 ? .source : .target
        guard let request = self.requests.request(for: ticket) else { return }
        if ticket.purpose == .prepare {
            request[cluster].losses &+= 1
            if request[cluster].losses < Self.lossesMax {
                self.prepared(request, cluster, at: connection.node, opcode: .error, flags: [], body: nil)
            } else {
                let error = ProxyError.unavailable(cluster, "connections are lost", request.consistency)
                self.handOverPrepare(request, cluster)
                self.legFailed(request, cluster, .definiteRefusal, error)
            }
            return
        }
        guard request[cluster].state == .sent else { return }
        let mayRepeat = !wasSent || request.isIdempotent || !request.isWrite
        request[cluster].losses &+= 1
        if request.stage == .client, mayRepeat, request[cluster].losses < Self.lossesMax {
            if wasSent, request.isWrite { request[cluster].mayHaveHappened = true }
            request[cluster].state = .waiting
            self.counters[cluster].retriedOnOtherNode &+= 1
            self.send(request, to: cluster, avoiding: connection.node)
            return
        }
        let answer: AnswerClass = wasSent ? .unknown : .definiteRefusal
        self.observe(request, cluster, answer)
        let error =
            wasSent
            ? ProxyError.timeout(request, cluster, "connection lost before the answer")
            : ProxyError.unavailable(cluster, "the connection was lost", request.consistency)
        self.legFailed(request, cluster, answer, error)
    }

    private func observe(_ request: ProxiedRequest, _ cluster: Cluster, _ answer: AnswerClass) {
        guard request.stage != .comparison else { return }
        let microseconds = (self.now - request[cluster].sentAt) / 1_000
        if request.isWrite {
            if answer == .success {
                self.counters[cluster].writesSucceeded &+= 1
                self.counters[cluster].writeLatency.record(microseconds: microseconds)
            } else {
                self.counters[cluster].writesFailed &+= 1
                self.counters[cluster].writeFailureLatency.record(microseconds: microseconds)
            }
        } else if answer == .success {
            self.counters[cluster].readsSucceeded &+= 1
            self.counters[cluster].readLatency.record(microseconds: microseconds)
        } else {
            self.counters[cluster].readsFailed &+= 1
        }
    }

    // MARK: What follows from an answer

    /// One leg has its final answer.
    func legAnswered(
        _ request: ProxiedRequest,
        _ cluster: Cluster,
        _ answer: AnswerClass,
        opcode: Opcode,
        flags: FrameFlags,
        body: UnsafeRawBufferPointer,
        errorCode: Int32?
    ) {
        if answer == .definiteRefusal, request[cluster].mayHaveHappened {
            // The last attempt did nothing; what became of the one before it nobody knows.
            request[cluster].mayHaveHappened = false
            let error = ProxyError.timeout(request, cluster, "connection lost before the answer")
            self.legFailed(request, cluster, .unknown, error)
            return
        }
        let wasSent = request[cluster].state == .sent
        switch answer {
        case .success: request[cluster].state = .succeeded
        case .definiteRefusal: request[cluster].state = .refused
        case .unknown: request[cluster].state = .unknown
        }
        request[cluster].connection = nil
        if request.stage == .comparison {
            self.comparisons.answered(request, opcode, flags, body)
            return
        }
        if request.stage == .shadow {
            let error = answer == .success ? nil : AnswerDecoder.error(body, flags: flags)
            self.lane(cluster).answered(request, answer, error, wasSent: wasSent)
            return
        }
        switch request.plan {
        case .single:
            self.reply(request, cluster, opcode: opcode, flags: flags, body: body)
            if self.comparisons.isOn, request.kind == .read {
                self.comparisons.consider(request, answeredBy: cluster, opcode, flags, body)
            }
            self.finish(request)
        case .ship(let primary, _):
            self.primaryAnswered(request, primary, answer, opcode: opcode, flags: flags, body: body)
        case .sequence(let primary, _) where cluster == primary:
            self.firstOfTwoAnswered(request, primary, answer, opcode: opcode, flags: flags, body: body)
        case .sequence(let primary, _):
            self.secondOfTwoAnswered(
                request,
                primary,
                answer,
                opcode: opcode,
                flags: flags,
                body: body,
                errorCode: errorCode,
                wasSent: wasSent
            )
        case .join(let primary):
            self.joinAnswered(request, cluster, primary, opcode: opcode, flags: flags, body: body)
        case .proxy, .refuse:
            preconditionFailure("an answer to a request that was not sent")
        }
    }

    /// DualWriteAsync and ShadowPrimary: the copy is taken on before the client gets its answer.
    private func primaryAnswered(
        _ request: ProxiedRequest,
        _ primary: Cluster,
        _ answer: AnswerClass,
        opcode: Opcode,
        flags: FrameFlags,
        body: UnsafeRawBufferPointer
    ) {
        let isOwed = self.owesCopy(request, primary.other, answer, opcode: opcode, flags: flags, body: body)
        // The reply needs the request's own facts, which shipping an outcome replaces.
        self.reply(request, primary, opcode: opcode, flags: flags, body: body)
        if isOwed, self.becomeCopy(request, for: primary.other) {
            self.lane(primary.other).enqueue(request)
        } else {
            self.finish(request)
        }
    }

    /// Whether the shadow must get a copy after this answer of the primary.
    private func owesCopy(
        _ request: ProxiedRequest,
        _ shadow: Cluster,
        _ answer: AnswerClass,
        opcode: Opcode,
        flags: FrameFlags,
        body: UnsafeRawBufferPointer
    ) -> Bool {
        switch answer {
        case .definiteRefusal: return false
        case .unknown:
            self.doubt(request, on: shadow, .primaryUnknown)
            // Whether a condition held is not known either, so there is no outcome to ship.
            return request.copy != .outcome
        case .success:
            return request.copy != .outcome || AnswerDecoder.isApplied(body, flags: flags)
        }
    }

    /// Turns a request into what the shadow gets; for a conditional statement the mutation without its condition.
    private func becomeCopy(_ request: ProxiedRequest, for shadow: Cluster) -> Bool {
        guard request.copy == .outcome else { return true }
        self.doubt(request, on: shadow, .conditional)
        let (schema, keyspace) = (self.schema, request.identity?.key.keyspace)
        let isMade = RequestRewriter.makeOutcome(of: request, timestamp: self.stamp()) {
            RequestKind($0, keyspace: keyspace, schema: schema)
        }
        guard isMade else {
            self.doubt(request, on: shadow, .shadowUnknown)
            self.logger.warning("the outcome of a conditional statement cannot be shipped; its partition is in doubt")
            return false
        }
        self.journalAnew(request, for: shadow)
        return true
    }

    /// Schema changes, and conditional statements in DualWriteSync: the primary has answered.
    private func firstOfTwoAnswered(
        _ request: ProxiedRequest,
        _ primary: Cluster,
        _ answer: AnswerClass,
        opcode: Opcode,
        flags: FrameFlags,
        body: UnsafeRawBufferPointer
    ) {
        let isOwed = self.owesCopy(request, primary.other, answer, opcode: opcode, flags: flags, body: body)
        guard answer == .success, isOwed else {
            self.reply(request, primary, opcode: opcode, flags: flags, body: body)
            // A write that may have happened is copied as if it had; a schema that may have changed is somebody's to look at.
            if isOwed, request.kind != .schemaChange, request.kind != .access {
                self.lane(primary.other).enqueue(request)
            } else {
                self.finish(request)
            }
            return
        }
        request.keep(answer: body, opcode: opcode, flags: flags)
        guard self.becomeCopy(request, for: primary.other) else {
            self.replyWithKept(request, primary)
            self.finish(request)
            return
        }
        if request.isFence || self.mustWaitInLane(request, primary.other) {
            self.lane(primary.other).enqueue(request, clientWaits: true)
        } else {
            self.setRecord(
                of: request,
                on: primary.other,
                to: request.isIdempotent || request.isFence ? .held : .sentOnce
            )
            self.sendCopy(request, to: primary.other)
        }
    }

    private func secondOfTwoAnswered(
        _ request: ProxiedRequest,
        _ primary: Cluster,
        _ answer: AnswerClass,
        opcode: Opcode,
        flags: FrameFlags,
        body: UnsafeRawBufferPointer,
        errorCode: Int32?,
        wasSent: Bool
    ) {
        let lane = self.lane(primary.other)
        // The shadow's schema may be ahead, because somebody has prepared the target: that is what was wanted.
        let isThere = request.kind == .schemaChange && errorCode == ErrorCode.alreadyExists.rawValue
        if answer == .success || isThere {
            self.replyWithKept(request, primary)
            if request.isInLane { lane.confirmed(request) } else { self.finish(request) }
            return
        }
        let mayShip = request.kind != .schemaChange || ShadowRetry.mayPass(errorCode: errorCode)
        if mayShip, !request.waitsForBoth {
            self.replyWithKept(request, primary)
        } else {
            self.reply(request, primary.other, opcode: opcode, flags: flags, body: body)
        }
        if mayShip, request.isIdempotent || answer == .definiteRefusal {
            if request.isInLane {
                request.stage = .shadow
                lane.answered(request, answer, AnswerDecoder.error(body, flags: flags), wasSent: wasSent)
            } else {
                lane.enqueue(request)
            }
        } else {
            self.doubt(request, on: primary.other, answer == .unknown ? .shadowUnknown : .shadowRefused)
            self.logger.warning(
                "the primary applied a statement that the shadow \(answer == .unknown ? "may not have applied" : "did not")",
                metadata: ["cluster": "\(primary.other)", "kind": "\(request.kind)"]
            )
            if request.isInLane { lane.refused(request) } else { self.finish(request) }
        }
    }

    private func joinAnswered(
        _ request: ProxiedRequest,
        _ cluster: Cluster,
        _ primary: Cluster,
        opcode: Opcode,
        flags: FrameFlags,
        body: UnsafeRawBufferPointer
    ) {
        guard let mine = request[primary].state.answer, let other = request[primary.other].state.answer else {
            request.keep(answer: body, opcode: opcode, flags: flags)
            return
        }
        let outcome = JoinOutcome(
            primary: mine,
            shadow: other,
            isRepeatable: request.isIdempotent,
            policy: request.waitsForBoth ? .fail : .degrade
        )
        let speaker = outcome.reply == .primary ? primary : primary.other
        if speaker == cluster {
            self.reply(request, speaker, opcode: opcode, flags: flags, body: body)
        } else {
            self.replyWithKept(request, speaker)
        }
        if let reason = outcome.doubt { self.doubt(request, on: primary.other, reason) }
        switch outcome.shipTo {
        case nil: self.finish(request)
        case .primary:
            self.journalAnew(request, for: primary)
            self.lane(primary).enqueue(request)
        case .shadow: self.lane(primary.other).enqueue(request)
        }
    }
}

extension ProxiedRequest.Leg.State {
    /// The leg's final answer, where it has one.
    var answer: AnswerClass? {
        switch self {
        case .succeeded: .success
        case .refused: .definiteRefusal
        case .unknown: .unknown
        case .idle, .waiting, .sent: nil
        }
    }
}
