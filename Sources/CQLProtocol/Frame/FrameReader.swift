public import NIOCore

/// Cuts a stream of bytes into frames. For handshakes, the embedded node and tests; the proxy's data path walks
/// headers in place.
///
/// It never holds more than one frame of `maximumBodyLength` beyond what the caller appends at once: a header that
/// claims more is an error before its body is awaited.
public struct FrameReader: Sendable {
    /// The longest body that is accepted.
    public var maximumBodyLength: Int
    private var buffer = ByteBuffer()
    private var discarded = 0

    /// A reader that accepts bodies up to `maximumBodyLength`.
    public init(maximumBodyLength: Int = FrameHeader.maximumBodyLength) {
        self.maximumBodyLength = maximumBodyLength
    }

    /// Bytes that wait for the rest of their frame.
    public var bufferedBytes: Int { buffer.readableBytes }

    /// Takes what came from the peer.
    public mutating func append(_ bytes: ByteBuffer) {
        if buffer.readableBytes == 0 {
            discarded += buffer.readerIndex
            buffer = bytes
            discarded -= bytes.readerIndex
        } else {
            buffer.writeImmutableBuffer(bytes)
        }
    }

    /// The header of the next frame once it is there, without taking the frame.
    public func peekHeader() throws(CQLProtocolError) -> FrameHeader? {
        guard let header = buffer.withUnsafeReadableBytes({ FrameHeader($0) }) else { return nil }
        guard header.bodyLength <= maximumBodyLength else {
            throw CQLProtocolError(
                .oversized,
                "frame body length above \(maximumBodyLength)",
                offset: discarded + buffer.readerIndex,
                blastRadius: .connection
            )
        }
        return header
    }

    /// The next whole frame, or `nil` while bytes are missing. The body shares the storage of what was appended.
    public mutating func nextFrame() throws(CQLProtocolError) -> RawFrame? {
        guard let header = try peekHeader(), buffer.readableBytes >= header.frameLength else { return nil }
        buffer.moveReaderIndex(forwardBy: FrameHeader.byteCount)
        guard let body = buffer.readSlice(length: header.bodyLength) else { return nil }
        return RawFrame(header: header, body: body)
    }

    /// Gives back the space of frames that were taken.
    public mutating func discardReadBytes() {
        let before = buffer.readerIndex
        if buffer.discardReadBytes() { discarded += before - buffer.readerIndex }
    }
}
