public import NIOCore

/// A request with everything that its frame says beside the message itself.
public struct RequestFrame: Hashable, Sendable {
    /// The version of the frame.
    public var version: ProtocolVersion
    /// The stream id.
    public var stream: Int16
    /// Whether the client asks for tracing.
    public var isTraced: Bool
    /// The custom payload (v4 only).
    public var customPayload: WireMap<ByteBuffer?>?
    /// The message.
    public var request: Request

    /// A request frame.
    public init(
        version: ProtocolVersion = .v4,
        stream: Int16 = 0,
        isTraced: Bool = false,
        customPayload: WireMap<ByteBuffer?>? = nil,
        request: Request
    ) {
        self.version = version
        self.stream = stream
        self.isTraced = isTraced
        self.customPayload = customPayload
        self.request = request
    }

    /// Decodes a frame whose body is plain (see `RawFrame.decompressed`).
    public init(decoding frame: RawFrame) throws(CQLProtocolError) {
        let header = frame.header
        var reader = try WireReader(plainBodyOf: frame)
        guard header.version.isSupported else {
            throw CQLProtocolError(.unsupportedVersion, "protocol version \(header.version.rawValue)")
        }
        guard !header.isResponse else { throw CQLProtocolError(.malformed, "direction bit of a request") }
        self.version = header.version
        self.stream = header.stream
        self.isTraced = header.flags.contains(.tracing)
        self.customPayload = nil
        if header.flags.contains(.customPayload) {
            guard header.version >= .v4 else {
                throw CQLProtocolError(.unsupportedVersion, "custom payload before version 4")
            }
            self.customPayload = try reader.bytesMap("custom payload")
        }
        self.request = try Request(opcode: header.opcode, from: &reader)
        try reader.finish()
    }

    /// Appends the whole frame.
    public func write(into buffer: inout ByteBuffer) throws(CQLProtocolError) {
        var flags: FrameFlags = []
        if isTraced { flags.insert(.tracing) }
        var writer = WireWriter(version: version)
        if let customPayload {
            guard version >= .v4 else { throw CQLProtocolError(.notEncodable, "custom payload before version 4") }
            flags.insert(.customPayload)
            try writer.bytesMap(customPayload)
        }
        try request.write(to: &writer)
        let header = FrameHeader(
            versionByte: version.requestByte,
            flags: flags,
            stream: stream,
            opcode: request.opcode,
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
