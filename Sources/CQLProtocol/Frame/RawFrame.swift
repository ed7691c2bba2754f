public import NIOCore

/// A frame whose body nobody has looked into yet.
public struct RawFrame: Hashable, Sendable {
    /// The header; its `bodyLength` is the body's.
    public var header: FrameHeader
    /// The body as it came, compressed where the header says so.
    public var body: ByteBuffer

    /// A frame of a header and its body; the header's length is set from the body.
    public init(header: FrameHeader, body: ByteBuffer) {
        self.header = header
        self.header.bodyLength = body.readableBytes
        self.body = body
    }

    /// Appends header and body.
    public func write(into buffer: inout ByteBuffer) {
        header.write(into: &buffer)
        buffer.writeImmutableBuffer(body)
    }

    /// The same frame with a plain body. A frame without the compression flag is returned as it is.
    public func decompressed(
        with compression: BodyCompression,
        maximumLength: Int = FrameHeader.maximumBodyLength
    ) throws(CQLProtocolError) -> RawFrame {
        guard header.flags.contains(.compression) else { return self }
        var plain = header
        plain.flags.remove(.compression)
        return RawFrame(header: plain, body: try compression.decompress(body, maximumLength: maximumLength))
    }

    /// The same frame with a compressed body and the flag that says so. An empty body stays as it is.
    public func compressed(with compression: BodyCompression) throws(CQLProtocolError) -> RawFrame {
        guard !header.flags.contains(.compression), body.readableBytes > 0 else { return self }
        var packed = header
        packed.flags.insert(.compression)
        return RawFrame(header: packed, body: try compression.compress(body))
    }
}
