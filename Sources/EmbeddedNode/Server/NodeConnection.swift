import CQLProtocol
import CQLSyntax
import NIOCore

/// One client's connection to a node. Loop-bound.
///
/// Answers collect in `outbound` and are flushed once per read burst, in `channelReadComplete`. While the client does not
/// take its answers (the channel is not writable), nothing more is read from it.
final class NodeConnection: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let node: EmbeddedNode
    /// The shard at which the connection ends, where the node has shards.
    private let shard: Int?
    private var conversation: Conversation
    private var reader: FrameReader
    private var outbound = ByteBuffer()
    private var keyspace: String?
    private var version = ProtocolVersion.v4
    private var events: Set<EventType> = []
    private var isReadHeld = false
    private var isClosing = false
    private var hasWarnedOfUse = false

    init(node: EmbeddedNode, shard: Int?) {
        self.node = node
        self.shard = shard
        self.conversation = Conversation(
            authentication: node.authentication,
            shards: shard.map { node.options(ofShard: $0) } ?? [:]
        )
        self.reader = FrameReader(maximumBodyLength: node.configuration.frameLengthMax)
    }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        if !self.node.opened(context.channel, shard: self.shard) { context.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.node.closed(context.channel, shard: self.shard)
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !self.isClosing else { return }
        self.reader.append(self.unwrapInboundIn(data))
        do throws(CQLProtocolError) {
            while !self.isClosing, let frame = try self.reader.nextFrame() { self.receive(frame, context) }
            self.reader.discardReadBytes()
        } catch {
            // The header cannot be trusted, so neither can anything behind it.
            self.refuse(NodeError(.protocolError, "Request is too big: \(error.what)"), stream: 0)
            self.isClosing = true
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.flush(context)
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        guard context.channel.isWritable else {
            self.isReadHeld = true
            return
        }
        context.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable, self.isReadHeld {
            self.isReadHeld = false
            context.read()
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let change = event as? CQLProtocol.SchemaChange else {
            return context.fireUserInboundEventTriggered(event)
        }
        guard self.events.contains(.schemaChange) else { return }
        self.write(ResponseFrame(version: self.version, stream: -1, response: .event(.schemaChange(change))))
        self.flush(context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func flush(_ context: ChannelHandlerContext) {
        if self.outbound.readableBytes > 0 {
            context.writeAndFlush(self.wrapOutboundOut(self.outbound), promise: nil)
            self.outbound = ByteBuffer()
        }
        if self.isClosing { context.close(promise: nil) }
    }

    // MARK: Frames

    private func receive(_ raw: RawFrame, _ context: ChannelHandlerContext) {
        let header = raw.header
        guard header.version.isSupported, !header.isResponse else {
            let text =
                "Invalid or unsupported protocol version (\(header.version.rawValue)); "
                + "supported versions are (3/v3, 4/v4)"
            self.version = .v4
            self.refuse(NodeError(.protocolError, text), stream: header.stream)
            // Older versions have other headers: what follows cannot be cut into frames.
            if header.version < .v3 || header.isResponse { self.isClosing = true }
            return
        }
        self.version = header.version
        let frame: RequestFrame
        do throws(CQLProtocolError) {
            var plain = raw
            if header.flags.contains(.compression) {
                guard let compression = self.conversation.compression else {
                    throw CQLProtocolError(.compression, "no compression was agreed on")
                }
                plain = try raw.decompressed(with: compression, maximumLength: self.node.configuration.frameLengthMax)
            }
            frame = try RequestFrame(decoding: plain)
        } catch {
            return self.refuse(NodeError(.protocolError, "\(error)"), stream: header.stream)
        }
        let reaction = self.node.received(frame.request.opcode, text: self.text(of: frame.request), shard: self.shard)
        switch reaction {
        case nil: self.answer(frame)
        case .drop: break
        case .dropAnswer: _ = try? self.response(to: frame)
        case .error(let message): self.refuse(NodeError(message), stream: frame.stream)
        case .close: self.isClosing = true
        case .delay(let time):
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: .nanoseconds(time.nanoseconds)) {
                let (connection, context) = bound.value
                guard context.channel.isActive else { return }
                connection.answer(frame)
                connection.flush(context)
            }
        }
    }

    private func text(of request: Request) -> String? {
        switch request {
        case .query(let query): query.text
        case .prepare(let text): text
        case .execute(let execute): self.node.prepared(execute.id)?.text
        case .batch(let batch):
            batch.children.map { child in
                switch child.statement {
                case .text(let text): text
                case .prepared(let id): self.node.prepared(id)?.text ?? ""
                }
            }.joined(separator: "; ")
        case .startup, .authResponse, .options, .register: nil
        }
    }

    private func answer(_ frame: RequestFrame) {
        do {
            var (response, warnings) = try self.response(to: frame)
            if case .result(.schemaChange(let change)) = response { self.node.store.announce(change) }
            var extras = ResponseExtras()
            if frame.isTraced {
                extras.tracingID = CQLUUID(high: .random(in: .min ... .max), low: .random(in: .min ... .max))
            }
            if self.version < .v4 { warnings = [] }
            if !warnings.isEmpty { extras.warnings = warnings }
            self.write(ResponseFrame(version: frame.version, stream: frame.stream, extras: extras, response: response))
        } catch let error as NodeError {
            self.refuse(error, stream: frame.stream)
        } catch let error as CQLProtocolError {
            self.refuse(NodeError(.serverError, "the answer cannot be encoded: \(error)"), stream: frame.stream)
        } catch {
            self.refuse(NodeError(.serverError, "\(error)"), stream: frame.stream)
        }
    }

    private func refuse(_ error: NodeError, stream: Int16) {
        self.node.refused()
        self.write(ResponseFrame(version: self.version, stream: stream, response: .error(error.message)))
    }

    private func write(_ frame: ResponseFrame) {
        do throws(CQLProtocolError) {
            // STARTUP's own answer is never compressed.
            guard let compression = self.conversation.compression, frame.response != .ready,
                frame.response.opcode != .authenticate, frame.response.opcode != .event || frame.version.isSupported
            else { return try frame.write(into: &self.outbound) }
            var plain = try frame.encoded()
            var reader = FrameReader()
            reader.append(plain)
            guard let raw = try reader.nextFrame() else { return }
            plain.clear()
            try raw.compressed(with: compression).write(into: &self.outbound)
        } catch {
            let message = ErrorMessage(.serverError, "the answer cannot be encoded: \(error)")
            let fallback = ResponseFrame(version: frame.version, stream: frame.stream, response: .error(message))
            // An error without details always fits.
            try? fallback.write(into: &self.outbound)
        }
    }

    // MARK: Requests

    private func response(to frame: RequestFrame) throws -> (Response, [String]) {
        if let answer = try self.conversation.answer(frame.request) { return (answer, []) }
        switch frame.request {
        case .register(let types):
            let known: [EventType] = [.topologyChange, .statusChange, .schemaChange]
            if let unknown = types.first(where: { !known.contains($0) }) {
                throw NodeError(.protocolError, "Invalid value '\(unknown.rawValue)' for Type")
            }
            for type in types { self.events.insert(type) }
            return (.ready, [])
        case .query(let query):
            return self.result(
                try self.node.store.withEngine(of: self.node.identity) {
                    try $0.query(query.text, query.parameters, keyspace: self.keyspace)
                }
            )
        case .prepare(let text):
            let query = try self.node.store.withEngine(of: self.node.identity) {
                try $0.prepare(text, keyspace: self.keyspace)
            }
            let id = PreparedCache.id(of: text, keyspace: self.keyspace)
            let warnings = self.node.prepared(id) == nil ? self.warnOfUse(text, id) : []
            self.node.keep(query, id: id)
            let prepared = Prepared(id: id, variables: query.parameters, result: query.columns)
            return (.result(.prepared(prepared)), warnings)
        case .execute(let execute):
            let query = try self.prepared(execute.id)
            return self.result(
                try self.node.store.withEngine(of: self.node.identity) { try $0.execute(query, execute.parameters) }
            )
        case .batch(let batch):
            return self.result(
                try self.node.store.withEngine(of: self.node.identity) {
                    try $0.batch(batch, keyspace: self.keyspace, prepared: self.prepared)
                }
            )
        case .startup, .authResponse, .options:
            throw NodeError(.protocolError, "Unexpected message \(frame.request.opcode)")
        }
    }

    /// As Cassandra does once per connection, for statements that are new to the node: a name without a keyspace depends on USE.
    private func warnOfUse(_ text: String, _ id: ByteBuffer) -> [String] {
        guard let keyspace, !self.hasWarnedOfUse else { return [] }
        let analysis = StatementAnalysis.analyze(text)
        guard analysis.keyspace == nil, analysis.table != nil else { return [] }
        self.hasWarnedOfUse = true
        let digits = JSONText.plain(id.bytes, .native("blob")).dropFirst(2)
        return [
            "`USE <keyspace>` with prepared statements is considered to be an anti-pattern due to ambiguity in "
                + "non-qualified table names. Please consider removing instances of `Session#setKeyspace(<keyspace>)`, "
                + "`Session#execute(\"USE <keyspace>\")` and `cluster.newSession(<keyspace>)` from your code, and always "
                + "use fully qualified table names (e.g. <keyspace>.<table>). Keyspace used: \(keyspace), statement "
                + "keyspace: \(keyspace), statement id: \(digits)"
        ]
    }

    private func prepared(_ id: ByteBuffer) throws -> PreparedQuery {
        guard let query = self.node.prepared(id) else {
            let digits = JSONText.plain(id.bytes, .native("blob")).dropFirst(2)
            throw NodeError(
                .unprepared,
                "Prepared query with ID \(digits) not found (either the query was not prepared on this host "
                    + "(maybe the host has been restarted?) or you have prepared too many queries and it has been "
                    + "evicted from the internal cache)",
                details: .unprepared(id: id)
            )
        }
        return query
    }

    private func result(_ outcome: Outcome) -> (Response, [String]) {
        if case .setKeyspace(let name) = outcome.message { self.keyspace = name }
        return (.result(outcome.message), outcome.warnings)
    }
}

extension Duration {
    fileprivate var nanoseconds: Int64 {
        self.components.seconds * 1_000_000_000 + self.components.attoseconds / 1_000_000_000
    }
}
