import CQLClient
import CQLProtocol
import DualWriteCore
import Logging
import NIOCore

/// From an answer of a cluster to what follows: the client's answer, a copy for the shadow, another try.
extension DualWriterLoop {
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
            let refusal = AnswerDecoder.error(body, flags: flags)?.message ?? "\(opcode)"
            let error = ProxyError.timeout(request, cluster, "connection lost before the answer", then: refusal)
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
            self.withLane(cluster) { $0.answered(request, answer, error, wasSent: wasSent) }
            return
        }
        switch request.plan {
        case .single:
            if request.isCanary { self.counters.canaries.count(cluster, answer) }
            self.reply(request, cluster, opcode: opcode, flags: flags, body: body)
            if request.kind == .read, self.settings.comparison.percentage > 0, request.tableStage.comparesReads {
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
            self.withLane(primary.other) { $0.enqueue(request) }
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
            self.replyWithRefusal(request, primary.other, opcode: opcode, flags: flags, body: body)
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

    /// Tells the client of a cluster's refusal of what the other cluster has or may have.
    private func replyWithRefusal(
        _ request: ProxiedRequest,
        _ cluster: Cluster,
        opcode: Opcode,
        flags: FrameFlags,
        body: UnsafeRawBufferPointer
    ) {
        guard let refusal = AnswerDecoder.error(body, flags: flags),
            let error = ProxyError.halfDone(request, refusedBy: cluster, refusal)
        else {
            self.reply(request, cluster, opcode: opcode, flags: flags, body: body)
            return
        }
        AnswerDecoder.encode(.error(error)).withUnsafeReadableBytes {
            self.reply(request, cluster, opcode: .error, flags: [], body: $0)
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
        let isHalfDone = request[speaker].state == .refused && request[speaker.other].state != .refused
        if speaker != cluster, !isHalfDone {
            self.replyWithKept(request, speaker)
        } else if speaker != cluster {
            let (opcode, flags) = (request.answerOpcode, request.answerFlags)
            self.replyWithRefusal(request, speaker, opcode: opcode, flags: flags, body: request.answer.bytes)
        } else if isHalfDone {
            self.replyWithRefusal(request, speaker, opcode: opcode, flags: flags, body: body)
        } else {
            self.reply(request, speaker, opcode: opcode, flags: flags, body: body)
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
