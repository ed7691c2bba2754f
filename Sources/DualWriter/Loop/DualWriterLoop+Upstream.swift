import CQLClient
import CQLProtocol
import DualWriteCore
import Logging
import NIOCore

/// What the connections tell: answers, losses, and what is repaired without the client.
extension DualWriterLoop: UpstreamDelegate {
    func upstreamNeedsFlush(_ connection: UpstreamConnection) {
        self.needsFlush(connection)
    }

    func upstreamMayFlushLater(_ connection: UpstreamConnection) {
        self.mayFlushLater(connection)
    }

    func upstreamBurstBegan(_ connection: UpstreamConnection) {
        self.burstBegan()
    }

    func upstreamBurstEnded(_ connection: UpstreamConnection) {
        self.burstEnded()
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
        guard let request = self.requests.uncounted(for: ticket) else {
            self.counters[cluster].lateAnswers &+= 1
            return
        }
        request { self.received($0, ticket, cluster, connection, header, body) }
    }

    private func received(
        _ request: ProxiedRequest,
        _ ticket: RequestTicket,
        _ cluster: Cluster,
        _ connection: UpstreamConnection,
        _ header: FrameHeader,
        _ body: UnsafeRawBufferPointer
    ) {
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
        if request.isNoted { self.noteAnswer(request, cluster, connection.node, errorCode) }
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
}
