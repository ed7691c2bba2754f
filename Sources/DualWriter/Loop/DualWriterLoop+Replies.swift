import CQLClient
import CQLProtocol
import DualWriteCore
import NIOCore
import ShadowJournal

/// Answers to the client: the cluster's own bytes, but for prepared ids and paging states, which are the proxy's.
extension DualWriterLoop {
    func replyWithKept(_ request: ProxiedRequest, _ cluster: Cluster) {
        self.reply(
            request,
            cluster,
            opcode: request.answerOpcode,
            flags: request.answerFlags,
            body: request.answer.bytes
        )
    }

    /// Gives the client its answer, with the proxy's own prepared ids and paging states in place of the cluster's.
    func reply(
        _ request: ProxiedRequest,
        _ cluster: Cluster,
        opcode: Opcode,
        flags: FrameFlags,
        body: UnsafeRawBufferPointer
    ) {
        if opcode == .result, request.opcode == .prepare {
            self.replyPrepared(request, cluster, flags: flags, body: body)
            return
        }
        guard let client = request.client else { return }
        if request.isNoted, opcode == .error {
            request.note?.errorCode = AnswerLayout.errorCode(body, flags: flags)
        }
        if opcode == .result {
            if let state = AnswerLayout.pagingState(body, flags: flags) {
                var tagged = ByteBuffer()
                tagged.writeInteger(Int32(state.count + 1))
                tagged.writeInteger(PagingTag.byte(for: cluster))
                let before = UnsafeRawBufferPointer(rebasing: body[..<(state.lowerBound - 4)])
                let after = UnsafeRawBufferPointer(rebasing: body[state.lowerBound...])
                tagged.withUnsafeReadableBytes {
                    client.append(stream: request.clientStream, flags: flags, opcode: opcode, before, $0, after)
                }
                self.detach(client, from: request)
                return
            }
        }
        client.append(stream: request.clientStream, flags: flags, opcode: opcode, body)
        self.detach(client, from: request)
    }

    private func replyPrepared(
        _ request: ProxiedRequest,
        _ cluster: Cluster,
        flags: FrameFlags,
        body: UnsafeRawBufferPointer
    ) {
        guard let statement = request.statement, let id = AnswerLayout.preparedID(body, flags: flags) else {
            let error = AnswerDecoder.encode(
                .error(ProxyError.server("the \(cluster) cluster answered PREPARE with something else"))
            )
            error.withUnsafeReadableBytes {
                request.client?.append(stream: request.clientStream, flags: [], opcode: .error, $0)
            }
            self.detachClient(request)
            return
        }
        if let node = request.preparedAt {
            statement.learned(id, in: body, at: node, of: cluster, version: request.version)
        }
        let before = UnsafeRawBufferPointer(rebasing: body[..<(id.lowerBound - 2)])
        let after = UnsafeRawBufferPointer(rebasing: body[id.upperBound...])
        if let client = request.client, let version = client.version,
            let evaluation = statement.known.evaluation, evaluation.isBound
        {
            // The client knows of its own markers only.
            guard let own = BindMetadata.removing(evaluation.addedMarkers, from: after, version: version) else {
                let error = ProxyError.server("the \(cluster) cluster describes other markers than it was given")
                self.answer(client, request.clientStream, .error(error))
                self.detachClient(request)
                return
            }
            own.withUnsafeReadableBytes { own in
                statement.id.withShortBytes {
                    client.append(stream: request.clientStream, flags: flags, opcode: .result, before, $0, own)
                }
            }
        } else {
            statement.id.withShortBytes {
                request.client?.append(stream: request.clientStream, flags: flags, opcode: .result, before, $0, after)
            }
        }
        self.detachClient(request)
    }

    func detachClient(_ request: ProxiedRequest) {
        guard let client = request.client else { return }
        self.detach(client, from: request)
    }

    @inline(__always)
    private func detach(_ client: ClientConnection, from request: ProxiedRequest) {
        client.inFlight -= 1
        if request.isNoted { self.logAnswered(request, client) }
        request.client = nil
        if self.pressure.letGo(of: request.bytesReceived) {
            self.readPausedClients()
        } else if self.pressure.isHigh, client.inFlight == 0 {
            client.readIfWanted()
        }
    }

    private func readPausedClients() {
        let paused = self.pausedClients
        self.pausedClients = []
        for client in paused {
            client.isPaused = false
            client.readIfWanted()
        }
    }

    /// A request that nothing is owed for any more.
    func finish(_ request: ProxiedRequest) {
        if request.client != nil { self.detachClient(request) }
        if request.isNoted { self.logFinished(request) }
        self.finishRecord(of: request, on: .source)
        self.finishRecord(of: request, on: .target)
        self.requests.giveBack(request)
    }
}
