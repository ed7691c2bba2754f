import CQLClient
import CQLProtocol
import DualWriteCore
import NIOCore

/// One application connection: bytes in, frames to the loop, answers out.
///
/// Bound to its loop. It knows framing, limits and backpressure; what a frame means is decided by ``DualWriterLoop``.
/// **Flush owner:** the loop. Answers are appended to one outbound buffer and leave in one write when the loop's tick ends.
final class ClientConnection: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How far the connection is in the handshake of the native protocol v4 §4.1.
    enum Phase {
        case awaitingStartup
        case authenticating
        case ready
        case closed
    }

    let loop: DualWriterLoop
    let id: Int
    private var context: ChannelHandlerContext?
    private var carry = ByteBuffer()
    /// The bytes of ``carry`` that the loop's account holds.
    private var carriedBytes = 0
    private var outbound = ByteBuffer()
    private var skipBytes = 0
    private var isDirty = false
    private var readIsPending = false
    /// Whether the loop knows that reading rests.
    var isPaused = false

    var phase = Phase.awaitingStartup
    /// The version of STARTUP; all later frames must carry it.
    var version: ProtocolVersion?
    var compression: BodyCompression?
    /// What STARTUP asked for; in force once STARTUP is answered.
    var pendingCompression: BodyCompression?
    var identity: ClientIdentity
    var registeredEvents: [EventType] = []
    /// Requests that wait for an answer.
    var inFlight = 0

    init(loop: DualWriterLoop, id: Int) {
        self.loop = loop
        self.id = id
        self.identity = loop.anonymousIdentity
    }

    /// The address on which the client has found the proxy.
    var address: SocketAddress? { self.context?.channel.localAddress }

    /// The client's own address.
    var peer: SocketAddress? { self.context?.channel.remoteAddress }

    var isOpen: Bool {
        if case .closed = self.phase { return false }
        return true
    }

    // MARK: Inbound

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.loop.limitHandshake(of: self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var burst = self.unwrapInboundIn(data)
        guard self.isOpen else { return }
        self.loop.burstBegan()
        defer {
            self.countCarried()
            self.loop.burstEnded()
        }
        if self.carry.readableBytes > 0 {
            self.carry.writeBuffer(&burst)
            let used = self.carry.withUnsafeReadableBytes { self.consume($0) }
            self.carry.moveReaderIndex(forwardBy: used)
            self.carry.discardReadBytes()
            if self.carry.readableBytes == 0, self.carry.capacity > 1 << 16 { self.carry = ByteBuffer() }
        } else {
            let used = burst.withUnsafeReadableBytes { self.consume($0) }
            burst.moveReaderIndex(forwardBy: used)
            // The rest is copied: a slice would pin the receive buffer and keep it from being used again.
            if burst.readableBytes > 0 { self.carry.writeBuffer(&burst) }
        }
    }

    /// Keeps the loop's account of bytes that wait for the rest of their frame.
    private func countCarried() {
        let now = self.isOpen ? self.carry.readableBytes : 0
        let more = now - self.carriedBytes
        guard more != 0 else { return }
        self.carriedBytes = now
        self.loop.unfinishedFrameBytes += more
        guard more > 0, self.loop.unfinishedFrameBytes > self.loop.limits.unfinishedFrameBytesMax,
            let header = self.carry.withUnsafeReadableBytes({ FrameHeader($0) })
        else { return }
        self.loop.unfinishedFramesTooLarge(header, from: self)
    }

    /// The longest body that is read now: before the handshake nobody has anything long to say.
    private var bodyBytesMax: Int {
        guard case .ready = self.phase else { return self.loop.limits.handshakeFrameBytesMax }
        return self.loop.limits.frameBytesMax
    }

    /// Hands every whole frame to the loop and returns how many bytes are done with.
    private func consume(_ bytes: UnsafeRawBufferPointer) -> Int {
        var offset = 0
        if self.skipBytes > 0 {
            offset = min(self.skipBytes, bytes.count)
            self.skipBytes -= offset
        }
        while self.isOpen, offset < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
            let version = ProtocolVersion(rawValue: rest[0])
            guard version >= .v3 else {
                // Their headers are shorter: where the next frame begins nobody knows, as Cassandra does not either.
                self.loop.versionTooOld(version, from: self)
                return bytes.count
            }
            guard let header = FrameHeader(rest) else { break }
            let bodyBytesMax = self.bodyBytesMax
            let isAccepted = self.loop.accepts(header, from: self)
            guard header.bodyLength <= bodyBytesMax else {
                if isAccepted { self.loop.frameTooLong(header, from: self, limit: bodyBytesMax) } else { self.close() }
                return bytes.count
            }
            guard isAccepted else {
                // An unsupported version was answered; its body is skipped and the connection goes on (DESIGN §7).
                let available = min(header.bodyLength, rest.count - FrameHeader.byteCount)
                self.skipBytes = header.bodyLength - available
                offset += FrameHeader.byteCount + available
                continue
            }
            let length = FrameHeader.byteCount + header.bodyLength
            guard rest.count >= length else { break }
            let body = UnsafeRawBufferPointer(rebasing: rest[FrameHeader.byteCount..<length])
            self.loop.received(header, body: body, from: self)
            offset += length
        }
        return offset
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
    }

    // MARK: Outbound

    /// Appends one answer; it leaves when the loop flushes.
    func append(
        stream: Int16,
        flags: FrameFlags,
        opcode: Opcode,
        _ part0: UnsafeRawBufferPointer,
        _ part1: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        _ part2: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    ) {
        guard self.isOpen else { return }
        if let packed = self.compression?.packed(part0, part1, part2) {
            let header = self.header(stream, flags.union(.compression), opcode, packed.readableBytes)
            packed.withUnsafeReadableBytes { header.write(with: $0, into: &self.outbound) }
        } else {
            let length = part0.count + part1.count + part2.count
            self.header(stream, flags.subtracting(.compression), opcode, length)
                .write(with: part0, part1, part2, into: &self.outbound)
        }
        self.loopFlushNeeded()
    }

    @inline(__always)
    private func header(_ stream: Int16, _ flags: FrameFlags, _ opcode: Opcode, _ length: Int) -> FrameHeader {
        let version = (self.version ?? .v4).responseByte
        return FrameHeader(versionByte: version, flags: flags, stream: stream, opcode: opcode, bodyLength: length)
    }

    /// Appends a whole frame that has another header than the protocol's.
    func appendRaw(_ frame: ByteBuffer) {
        guard self.isOpen else { return }
        self.outbound.writeImmutableBuffer(frame)
        self.loopFlushNeeded()
    }

    private func loopFlushNeeded() {
        guard !self.isDirty else { return }
        self.isDirty = true
        self.loop.needsFlush(self)
    }

    /// Sends what was appended, in one write; called by the loop at the end of its tick.
    ///
    /// While the client does not read, answers stay in ``outbound``, so that their bytes are known and bounded.
    func flush() {
        self.isDirty = false
        guard let context = self.context, self.outbound.readableBytes > 0 else { return }
        guard context.channel.isWritable else {
            if self.outbound.readableBytes > self.loop.limits.clientQueuedBytesMax { self.loop.clientIsTooSlow(self) }
            return
        }
        // Writing can change the writability, and flush again: nothing may be left here of what is being written.
        let burst = self.outbound.takeAll()
        context.writeAndFlush(self.wrapOutboundOut(burst), promise: nil)
        self.outbound.reuse(burst, upTo: Self.outboundKeptBytesMax)
    }

    /// Memory up to this size stays with a client between its bursts: a thousand idle clients must not hold much.
    private static var outboundKeptBytesMax: Int { 8_192 }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            self.flush()
            self.readIfWanted()
        }
        context.fireChannelWritabilityChanged()
    }

    /// A client that does not take its answers is not read from either, nor is any while the loop has enough to do.
    func read(context: ChannelHandlerContext) {
        self.readIsPending = true
        self.readIfWanted()
    }

    /// Reads on, if that waits for something that is over now.
    func readIfWanted() {
        guard self.readIsPending, let context = self.context, context.channel.isWritable else { return }
        // Whoever asks one thing after the other goes on: others must not wait for what somebody else has asked too much of.
        guard !self.loop.pressure.isHigh || self.inFlight == 0 else {
            if !self.isPaused {
                self.isPaused = true
                self.loop.pause(self)
            }
            return
        }
        self.readIsPending = false
        context.read()
    }

    // MARK: Closing

    func channelInactive(context: ChannelHandlerContext) {
        self.didClose()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.didClose()
        self.context = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A reset by the peer is an ordinary end of a connection; what TLS refuses somebody has to put right.
        if case .awaitingStartup = self.phase, let reason = TLSFailure.reason(error) {
            self.loop.tlsFailed(reason, context.remoteAddress)
        }
        context.close(promise: nil)
    }

    /// Sends what is there, then closes.
    func close() {
        guard self.isOpen else { return }
        // To a client that does not read nothing can be sent any more, and a flush would find it too slow again.
        if self.context?.channel.isWritable == true { self.flush() }
        self.context?.close(promise: nil)
        self.didClose()
    }

    private func didClose() {
        guard self.isOpen else { return }
        self.phase = .closed
        self.outbound = ByteBuffer()
        self.loop.unfinishedFrameBytes -= self.carriedBytes
        self.carriedBytes = 0
        self.loop.clientClosed(self)
    }
}
