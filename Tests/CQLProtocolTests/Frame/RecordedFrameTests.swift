import CQLProtocol
import NIOCore
import Testing

@Suite(.enabled(if: RecordedFrames.areThere, "the recorded conversations are not beside the package"))
struct RecordedFrameTests {
    private static func compression(of file: String) -> BodyCompression {
        file.contains("/snappy/") ? .snappy : .lz4
    }

    /// Decodes and encodes a frame in its own direction.
    private static func again(_ frame: RawFrame) throws -> ByteBuffer {
        frame.header.isResponse
            ? try ResponseFrame(decoding: frame).encoded() : try RequestFrame(decoding: frame).encoded()
    }

    @Test(arguments: RecordedFrames.files)
    func `every recorded frame decodes and encodes to the same bytes`(file: String) throws {
        for recorded in try RecordedFrames.frames(of: file) {
            let plain = try recorded.frame.decompressed(with: Self.compression(of: file))
            var expected = ByteBuffer()
            plain.write(into: &expected)
            #expect(try Self.again(plain) == expected, "\(file) at \(recorded.offset)")
        }
    }

    @Test(arguments: RecordedFrames.files)
    func `every truncation of a recorded frame is a clear error`(file: String) throws {
        // Long bodies repeat the same rows: their first kilobytes hold every kind of field.
        for recorded in try RecordedFrames.frames(of: file) where recorded.frame.body.readableBytes < 1_024 {
            let plain = try recorded.frame.decompressed(with: Self.compression(of: file))
            for length in 0..<plain.body.readableBytes {
                let body = try #require(plain.body.getSlice(at: plain.body.readerIndex, length: length))
                let short = RawFrame(header: plain.header, body: body)
                // Write timeouts of a CAS may end before their count of contentions, which v4 servers leave out.
                guard let bytes = try? Self.again(short) else { continue }
                var expected = ByteBuffer()
                short.write(into: &expected)
                #expect(bytes == expected, "\(file) at \(recorded.offset) cut to \(length)")
            }
        }
    }

    @Test(arguments: RecordedFrames.files)
    func `no length field of a recorded frame makes more than a clear error`(file: String) throws {
        for recorded in try RecordedFrames.frames(of: file) where recorded.frame.body.readableBytes < 768 {
            let plain = try recorded.frame.decompressed(with: Self.compression(of: file))
            for offset in 0..<plain.body.readableBytes {
                var body = plain.body
                body.setInteger(UInt8(0x7f), at: body.readerIndex + offset)
                // Whatever is accepted must say the same thing again.
                let changed = RawFrame(header: plain.header, body: body)
                guard let bytes = try? Self.again(changed) else { continue }
                #expect(bytes.readableBytes <= changed.header.frameLength + 65_536)
            }
        }
    }

    @Test(arguments: BodyCompression.allCases)
    func `bodies survive compression and damaged ones are refused`(compression: BodyCompression) throws {
        for size in [1, 15, 512, 70_000] {
            let plain = ByteBuffer(bytes: (0..<size).map { UInt8(truncatingIfNeeded: $0 / 7) })
            let packed = try compression.compress(plain)
            #expect(try compression.decompress(packed) == plain)
            #expect(throws: CQLProtocolError.self) { try compression.decompress(packed, maximumLength: size - 1) }
            for length in 0..<min(packed.readableBytes, 64) {
                let short = try #require(packed.getSlice(at: packed.readerIndex, length: length))
                #expect(throws: CQLProtocolError.self) { try compression.decompress(short) }
            }
        }
        let hostile = ByteBuffer(bytes: [0x7f, 0xff, 0xff, 0xff, 0x07])
        #expect(throws: CQLProtocolError.self) { try compression.decompress(hostile) }
    }
}
