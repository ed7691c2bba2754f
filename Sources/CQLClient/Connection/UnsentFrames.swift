import CQLProtocol
import NIOCore

/// What was never handed to a channel, and so was certainly not sent.
enum UnsentFrames {
    /// The streams of whole frames that stand back to back.
    static func streams(in outbound: ByteBuffer) -> Set<Int16> {
        var streams: Set<Int16> = []
        var offset = 0
        outbound.withUnsafeReadableBytes { bytes in
            while offset <= bytes.count, let header = FrameHeader(UnsafeRawBufferPointer(rebasing: bytes[offset...])) {
                streams.insert(header.stream)
                offset += header.frameLength
            }
        }
        return streams
    }
}
