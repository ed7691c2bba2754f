import CLZ4
import CSnappy
public import NIOCore

/// How frame bodies are compressed on one connection (native protocol v4 §5).
public enum BodyCompression: String, Sendable, Hashable, CaseIterable {
    /// A four-byte big-endian length of the plain body, then one LZ4 block.
    case lz4
    /// One Snappy block, which holds its plain length itself.
    case snappy

    /// The algorithm that STARTUP names; nil for any other.
    public init?(name: String) {
        self.init(rawValue: name)
    }

    /// The compressed form of a body.
    ///
    /// - Throws: ``CQLProtocolError`` where the library refuses, as it does for bodies above 2 GiB.
    public func compress(_ body: ByteBuffer) throws(CQLProtocolError) -> ByteBuffer {
        let count = body.readableBytes
        guard count <= Int(LZ4_MAX_INPUT_SIZE) else {
            throw CQLProtocolError(.compression, "\(count) bytes are too many to compress")
        }
        var packed = ByteBuffer()
        let written: Int
        switch self {
        case .lz4:
            packed.writeInteger(UInt32(count))
            let bound = Int(LZ4_compressBound(Int32(count)))
            written = packed.writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { target in
                body.withUnsafeReadableBytes { source in
                    Int(
                        LZ4_compress_default(
                            source.bindMemory(to: CChar.self).baseAddress,
                            target.bindMemory(to: CChar.self).baseAddress,
                            Int32(count),
                            Int32(bound)
                        )
                    )
                }
            }
            if written <= 0 { throw CQLProtocolError(.compression, "LZ4 refuses \(count) bytes") }
        case .snappy:
            let bound = snappy_max_compressed_length(count)
            written = packed.writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { target in
                body.withUnsafeReadableBytes { source in
                    var length = bound
                    let status = snappy_compress(
                        source.bindMemory(to: CChar.self).baseAddress,
                        count,
                        target.bindMemory(to: CChar.self).baseAddress,
                        &length
                    )
                    return status == SNAPPY_OK ? length : 0
                }
            }
            if written <= 0 { throw CQLProtocolError(.compression, "Snappy refuses \(count) bytes") }
        }
        return packed
    }

    /// The plain form of a body.
    ///
    /// - Parameter maximumLength: a body that claims to be longer is refused before anything is allocated for it.
    public func decompress(
        _ body: ByteBuffer,
        maximumLength: Int = FrameHeader.maximumBodyLength
    ) throws(CQLProtocolError) -> ByteBuffer {
        var packed = body
        let length: Int
        switch self {
        case .lz4:
            guard let claimed = packed.readInteger(as: UInt32.self) else {
                throw CQLProtocolError(.truncated, "length of an LZ4 body")
            }
            length = Int(claimed)
        case .snappy:
            var claimed = 0
            let status = packed.withUnsafeReadableBytes {
                snappy_uncompressed_length($0.bindMemory(to: CChar.self).baseAddress, $0.count, &claimed)
            }
            guard status == SNAPPY_OK else { throw CQLProtocolError(.compression, "length of a Snappy body") }
            length = claimed
        }
        // LZ4 packs at most 255 to 1 and Snappy 64 bytes into 3: a longer claim cannot be true and costs nothing.
        guard length <= maximumLength, length <= max(64, packed.readableBytes) * 256 else {
            throw CQLProtocolError(.oversized, "a compressed body that claims \(length) bytes")
        }
        // The libraries count in 32 bits.
        guard length <= Int(Int32.max), packed.readableBytes <= Int(Int32.max) else {
            throw CQLProtocolError(.oversized, "a compressed body above 2 GiB")
        }
        guard length > 0 else { return ByteBuffer() }
        var plain = ByteBuffer()
        let written = plain.writeWithUnsafeMutableBytes(minimumWritableBytes: length) { target in
            packed.withUnsafeReadableBytes { source in
                self.unpack(source, into: UnsafeMutableRawBufferPointer(rebasing: target[..<length]))
            }
        }
        guard written == length else { throw CQLProtocolError(.compression, "a damaged \(self.rawValue) body") }
        return plain
    }

    /// Returns how many bytes were written; 0 for damaged input.
    private func unpack(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Int {
        let from = source.bindMemory(to: CChar.self).baseAddress
        let to = target.bindMemory(to: CChar.self).baseAddress
        switch self {
        case .lz4:
            return max(0, Int(LZ4_decompress_safe(from, to, Int32(source.count), Int32(target.count))))
        case .snappy:
            var length = target.count
            return snappy_uncompress(from, source.count, to, &length) == SNAPPY_OK ? length : 0
        }
    }
}
