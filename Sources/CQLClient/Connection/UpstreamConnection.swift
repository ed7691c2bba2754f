import CQLProtocol
import Logging
public import NIOCore

/// One connection to one node, at the level of frames.
///
/// Bound to its event loop; nothing here may be called from elsewhere. **Flush owner:** the delegate. Sending appends to one
/// outbound buffer and allocates nothing; ``flush()`` writes all of it at once.
public final class UpstreamConnection: ChannelInboundHandler {
    /// The NIO side.
    public typealias InboundIn = ByteBuffer
    /// The NIO side.
    public typealias OutboundOut = ByteBuffer

    /// What became of a request to send.
    public enum SendOutcome: Equatable, Sendable {
        /// Appended, on this stream.
        case sent(stream: Int16)
        /// All streams are taken.
        case noStream
        /// Too much waits to be written already.
        case tooManyBytes
        /// The connection is closed or not through its handshake.
        case closed
    }

    /// What the delegate knows of bytes that wait to be flushed.
    private enum Dirt {
        case none
        /// There are some, for which nobody waits.
        case patient
        /// They are to be flushed soon.
        case urgent
    }

    /// The node.
    public let node: NodeID
    /// The version byte of requests: what the handshake was made with.
    public let versionByte: UInt8
    let configuration: ClusterConfiguration
    let logger: Logger
    /// Held until the connection is closed. Not `weak`: an object that was ever referred to weakly has its reference counts in a
    /// table aside, which makes each use of it on the data path several times as dear.
    private var delegate: (any UpstreamDelegate)?
    private(set) var handshake: Handshake
    var context: ChannelHandlerContext?
    private var streams: StreamTable
    private var outbound = ByteBuffer()
    private var carry = ByteBuffer()
    private var dirt = Dirt.none
    var lastInbound = NIODeadline.now()
    var heartbeatSince: NIODeadline?
    var question: Question?
    /// Called once: ready, or why not.
    private var opened: ((Result<Void, UpstreamError>) -> Void)?
    /// Called once when a connection that was ready is gone, with the connection.
    var closed: ((UpstreamConnection) -> Void)?
    private(set) var isReady = false
    var isClosed = false

    init(
        node: NodeID,
        version: ProtocolVersion,
        credentials: Credentials?,
        keyspace: String?,
        configuration: ClusterConfiguration,
        delegate: any UpstreamDelegate,
        logger: Logger,
        opened: @escaping (Result<Void, UpstreamError>) -> Void
    ) {
        self.node = node
        self.versionByte = version.requestByte
        self.configuration = configuration
        self.logger = logger
        self.delegate = delegate
        self.handshake = Handshake(
            credentials: credentials,
            keyspace: keyspace,
            compression: configuration.compression,
            asksForShards: configuration.driver == .scylla
        )
        self.streams = StreamTable(capacity: configuration.inFlightPerConnectionMax)
        self.opened = opened
    }

    /// Requests on the way.
    public var inFlight: Int { self.streams.inUse }
    /// The authenticator that the node named in the handshake.
    var authenticator: String? { self.handshake.authenticator }
    /// Whether a request would be taken.
    public var hasRoom: Bool {
        self.isReady && !self.streams.isFull
            && self.outbound.readableBytes < self.configuration.queuedBytesPerConnectionMax
    }

    // MARK: Sending

    /// Appends one request of up to three parts behind a fresh header.
    ///
    /// - Parameter mayWait: nobody waits for the answer: it may leave with what comes later.
    public func send(
        versionByte: UInt8,
        flags: UInt8,
        opcode: UInt8,
        _ part0: UnsafeRawBufferPointer,
        _ part1: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        _ part2: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        ticket: UInt64,
        mayWait: Bool = false
    ) -> SendOutcome {
        guard self.isReady else { return .closed }
        let length = part0.count + part1.count + part2.count
        // A single request is always taken where nothing waits, however long it is.
        let queued = self.outbound.readableBytes
        guard queued == 0 || queued + length <= self.configuration.queuedBytesPerConnectionMax else {
            return .tooManyBytes
        }
        guard let stream = self.streams.take(ticket) else { return .noStream }
        var header = FrameHeader(
            versionByte: versionByte,
            flags: FrameFlags(rawValue: flags),
            stream: stream,
            opcode: Opcode(rawValue: opcode),
            bodyLength: length
        )
        if let packed = self.handshake.compression?.packed(part0, part1, part2) {
            header.flags.insert(.compression)
            header.bodyLength = packed.readableBytes
            packed.withUnsafeReadableBytes { header.write(with: $0, into: &self.outbound) }
        } else {
            header.write(with: part0, part1, part2, into: &self.outbound)
        }
        self.needsFlush(mayWait: mayWait && self.outbound.readableBytes < Self.patientBytesMax)
        return .sent(stream: stream)
    }

    /// What nobody waits for waits no longer than until it is as much as one write takes well.
    private static var patientBytesMax: Int { 32_768 }

    private func needsFlush(mayWait: Bool) {
        switch self.dirt {
        case .urgent: return
        case .patient where mayWait: return
        case .none where mayWait:
            self.dirt = .patient
            self.delegate?.upstreamMayFlushLater(self)
        case .none, .patient:
            self.dirt = .urgent
            self.delegate?.upstreamNeedsFlush(self)
        }
    }

    /// Writes what was appended, in one piece. While the node does not read, it waits here, so that its bytes are bounded.
    public func flush() {
        self.dirt = .none
        guard let context = self.context, self.outbound.readableBytes > 0, context.channel.isWritable else { return }
        // Writing can change the writability, and flush again: nothing may be left here of what is being written.
        let burst = self.outbound.takeAll()
        context.writeAndFlush(self.wrapOutboundOut(burst), promise: nil)
        self.outbound.reuse(burst, upTo: Self.outboundKeptBytesMax)
    }

    /// Memory up to this size stays with the connection between bursts.
    private static var outboundKeptBytesMax: Int { 262_144 }

    /// Gives up on a request: its late answer is dropped, its stream stays taken until then.
    public func abandon(ticket: UInt64, stream: Int16) {
        self.streams.abandon(ticket, stream: stream)
    }

    /// Closes; requests on the way are lost.
    func close() {
        self.context?.close(promise: nil)
    }

    // MARK: Channel

    /// The NIO side.
    public func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { self.begin(context) }
    }

    /// The NIO side.
    public func channelActive(context: ChannelHandlerContext) {
        self.begin(context)
    }

    private func begin(_ context: ChannelHandlerContext) {
        self.perform(self.handshake.begin(), context)
    }

    /// The NIO side.
    public func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { self.flush() }
        context.fireChannelWritabilityChanged()
    }

    /// The NIO side.
    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var burst = self.unwrapInboundIn(data)
        self.lastInbound = .now()
        self.heartbeatSince = nil
        // Asked once for the burst: each look at a reference that can change is counted.
        guard let delegate else { return }
        delegate.upstreamBurstBegan(self)
        if self.carry.readableBytes > 0 {
            self.carry.writeBuffer(&burst)
            let used = self.carry.withUnsafeReadableBytes { self.consume($0, context, delegate) }
            self.carry.moveReaderIndex(forwardBy: used)
            self.carry.discardReadBytes()
            if self.carry.readableBytes == 0, self.carry.capacity > 1 << 17 { self.carry = ByteBuffer() }
        } else {
            let used = burst.withUnsafeReadableBytes { self.consume($0, context, delegate) }
            burst.moveReaderIndex(forwardBy: used)
            // The rest is copied: a slice would pin the receive buffer.
            if burst.readableBytes > 0 { self.carry.writeBuffer(&burst) }
        }
        delegate.upstreamBurstEnded(self)
    }

    private func consume(
        _ bytes: UnsafeRawBufferPointer,
        _ context: ChannelHandlerContext,
        _ delegate: any UpstreamDelegate
    ) -> Int {
        var offset = 0
        while !self.isClosed, bytes.count - offset >= FrameHeader.byteCount {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
            guard let header = FrameHeader(rest) else { break }
            if !self.isReady, header.versionByte == Self.alertOfTLS {
                self.end(UpstreamError(.protocolViolation, "node \(self.node) wants TLS"), context)
                return bytes.count
            }
            guard header.bodyLength <= self.configuration.frameBytesMax, header.isResponse else {
                self.violation("a frame of \(header.bodyLength) bytes with version byte \(header.versionByte)", context)
                return bytes.count
            }
            guard rest.count >= header.frameLength else { break }
            let body = UnsafeRawBufferPointer(rebasing: rest[FrameHeader.byteCount..<header.frameLength])
            self.received(header, body, context, delegate)
            offset += header.frameLength
        }
        return offset
    }

    /// A body that is packed is opened first: nobody behind this knows how the connection packs.
    private func received(
        _ header: FrameHeader,
        _ body: UnsafeRawBufferPointer,
        _ context: ChannelHandlerContext,
        _ delegate: any UpstreamDelegate
    ) {
        guard header.flags.contains(.compression) else {
            self.receivedPlain(header, body, context, delegate)
            return
        }
        guard let compression = self.handshake.compression else {
            self.violation("a compressed body without negotiation", context)
            return
        }
        do throws(CQLProtocolError) {
            let frame = try RawFrame(header: header, body: ByteBuffer(bytes: body))
                .decompressed(with: compression, maximumLength: self.configuration.frameBytesMax)
            frame.body.withUnsafeReadableBytes { self.receivedPlain(frame.header, $0, context, delegate) }
        } catch {
            self.violation("a compressed body that cannot be read: \(error.what)", context)
        }
    }

    private func receivedPlain(
        _ header: FrameHeader,
        _ body: UnsafeRawBufferPointer,
        _ context: ChannelHandlerContext,
        _ delegate: any UpstreamDelegate
    ) {
        guard self.isReady else {
            let frame = RawFrame(header: header, body: ByteBuffer(bytes: body))
            guard let response = try? ResponseFrame(decoding: frame).response else {
                self.violation("an unreadable \(header.opcode) in the handshake", context)
                return
            }
            self.perform(self.handshake.received(response), context)
            return
        }
        // Events of the control connection come on a negative stream and have the ticket of nobody.
        if header.stream < 0 {
            delegate.upstream(self, received: header, body: body, ticket: Self.eventTicket)
            return
        }
        guard let ticket = self.streams.release(header.stream) else {
            self.violation("an answer on stream \(header.stream), on which nothing was asked", context)
            return
        }
        if ticket < StreamTable.reservedFrom {
            delegate.upstream(self, received: header, body: body, ticket: ticket)
        } else if ticket == Self.questionTicket {
            self.answered(header, body)
        }
    }

    /// The ticket with which the delegate is told of events.
    static var eventTicket: UInt64 { .max - 3 }
    static var heartbeatTicket: UInt64 { .max - 2 }
    static var questionTicket: UInt64 { .max - 4 }
    /// The first byte of a TLS alert (RFC 8446 §5.1), which a server sends to who does not speak TLS.
    private static var alertOfTLS: UInt8 { 21 }

    private func perform(_ action: Handshake.Action, _ context: ChannelHandlerContext) {
        switch action {
        case .send(let request):
            do throws(CQLProtocolError) {
                let frame = RequestFrame(
                    version: ProtocolVersion(rawValue: self.versionByte),
                    stream: 0,
                    request: request
                )
                context.writeAndFlush(self.wrapOutboundOut(try frame.encoded()), promise: nil)
            } catch {
                self.end(UpstreamError(.protocolViolation, "cannot encode \(request.opcode): \(error)"), context)
            }
        case .ready:
            self.isReady = true
            self.tellOpened(.success(()))
            self.scheduleHeartbeat(context)
        case .fail(let error):
            self.end(error, context)
        }
    }

    private func violation(_ what: String, _ context: ChannelHandlerContext) {
        self.logger.warning("closing a connection: \(what)", metadata: ["node": "\(self.node)"])
        self.end(UpstreamError(.protocolViolation, "node \(self.node) sent \(what)"), context)
    }

    func end(_ error: UpstreamError, _ context: ChannelHandlerContext) {
        self.tellOpened(.failure(error))
        context.close(promise: nil)
    }

    /// Tells it once, also when whoever is told closes the connection at once.
    private func tellOpened(_ result: Result<Void, UpstreamError>) {
        let opened = self.opened
        self.opened = nil
        opened?(result)
    }

    // MARK: The end

    /// The handshake has taken too long.
    func handshakeDeadlinePassed() {
        guard !self.isReady, !self.isClosed, let context = self.context else { return }
        let hint = self.configuration.tls == nil ? "" : " (does it speak TLS?)"
        self.end(UpstreamError(.timeout, "node \(self.node) does not finish the handshake\(hint)"), context)
    }

    /// There is no connection.
    func failedToConnect(_ error: any Error) {
        let reason = ConnectFailure.words(error)
        self.tellOpened(.failure(UpstreamError(.unreachable, "cannot connect to \(self.node): \(reason)")))
        self.didClose()
    }

    /// The NIO side.
    public func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.end(UpstreamError(.unreachable, "node \(self.node): \(TLSFailure.reason(error) ?? "\(error)")"), context)
    }

    /// The NIO side.
    public func channelInactive(context: ChannelHandlerContext) {
        self.didClose()
        context.fireChannelInactive()
    }

    /// The NIO side.
    public func handlerRemoved(context: ChannelHandlerContext) {
        self.didClose()
    }

    private func didClose() {
        guard !self.isClosed else { return }
        self.isClosed = true
        let wasReady = self.isReady
        self.isReady = false
        // What was never handed to the channel was certainly not sent: the last requests, by the bytes that are left.
        let unsent = UnsentFrames.streams(in: self.outbound)
        self.outbound = ByteBuffer()
        // The context holds its handler, this connection, also after it was removed from the channel.
        self.context = nil
        self.tellOpened(.failure(UpstreamError(.unreachable, "node \(self.node) closed the connection")))
        if wasReady { self.closed?(self) }
        self.closed = nil
        self.loseQuestion()
        for (stream, ticket) in self.streams.drain() {
            self.delegate?.upstream(self, lost: ticket, wasSent: !unsent.contains(stream))
        }
        self.delegate?.upstreamBurstEnded(self)
        self.delegate = nil
    }
}
