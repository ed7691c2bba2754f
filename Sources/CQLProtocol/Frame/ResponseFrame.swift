public import NIOCore

/// A response with everything that its frame says beside the message itself.
public struct ResponseFrame: Hashable, Sendable {
    /// The version of the frame.
    public var version: ProtocolVersion
    /// The stream id; -1 for events.
    public var stream: Int16
    /// Tracing id, warnings and custom payload.
    public var extras: ResponseExtras
    /// The beta flag, which servers set on errors about beta versions.
    public var isBeta: Bool
    /// The message.
    public var response: Response

    /// A response frame.
    public init(
        version: ProtocolVersion = .v4,
        stream: Int16 = 0,
        extras: ResponseExtras = ResponseExtras(),
        isBeta: Bool = false,
        response: Response
    ) {
        self.version = version
        self.stream = stream
        self.extras = extras
        self.isBeta = isBeta
        self.response = response
    }

    /// Decodes a frame whose body is plain (see `RawFrame.decompressed`).
    ///
    /// Of other versions than 3 and 4 only ERROR is read, because that is how a server says which versions it has.
    public init(decoding frame: RawFrame) throws(CQLProtocolError) {
        let header = frame.header
        var reader = try WireReader(plainBodyOf: frame)
        guard header.isResponse else { throw CQLProtocolError(.malformed, "direction bit of a response") }
        guard header.version.isSupported || header.opcode == .error else {
            throw CQLProtocolError(.unsupportedVersion, "protocol version \(header.version.rawValue)")
        }
        if header.version < .v4, !header.flags.isDisjoint(with: [.warning, .customPayload]) {
            throw CQLProtocolError(.unsupportedVersion, "warnings or custom payload before version 4")
        }
        self.version = header.version
        self.stream = header.stream
        self.isBeta = header.flags.contains(.beta)
        self.extras = try ResponseExtras(flags: header.flags, from: &reader)
        self.response = try Response(opcode: header.opcode, from: &reader)
        try reader.finish()
    }

    /// Appends the whole frame.
    public func write(into buffer: inout ByteBuffer) throws(CQLProtocolError) {
        var flags = extras.flags
        if version < .v4, !flags.isDisjoint(with: [.warning, .customPayload]) {
            throw CQLProtocolError(.notEncodable, "warnings or custom payload before version 4")
        }
        if isBeta { flags.insert(.beta) }
        var writer = WireWriter(version: version)
        try extras.write(to: &writer)
        try response.write(to: &writer)
        let header = FrameHeader(
            versionByte: version.responseByte,
            flags: flags,
            stream: stream,
            opcode: response.opcode,
            bodyLength: writer.buffer.readableBytes
        )
        RawFrame(header: header, body: writer.buffer).write(into: &buffer)
    }

    /// The bytes of the whole frame.
    public func encoded() throws(CQLProtocolError) -> ByteBuffer {
        var buffer = ByteBuffer()
        try write(into: &buffer)
        return buffer
    }
}
