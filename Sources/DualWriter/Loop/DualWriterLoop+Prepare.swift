import CQLClient
import CQLProtocol
import DualWriteCore

/// The PREPARE that a node may need before a request.
extension DualWriterLoop {
    /// Prepares a statement on a node, for the first request that needs it there and for all that come meanwhile.
    func prepareFirst(
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

    /// The answer to a PREPARE that ``prepareFirst(_:_:_:on:)`` sent; `body` is nil where the connection is lost before it.
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
}
