import CQLProtocol
import NIOCore
import Testing

struct Murmur3PartitionerTests {
    /// Tokens that the Python driver computes. Bytes above 0x7f in the tail are where Cassandra's variant differs from
    /// the published hash; 15, 16, 23 and 33 bytes cover whole blocks with and without one.
    @Test(
        arguments: [
            (Array("a".utf8), -8_839_064_797_231_613_815), (Array("hello".utf8), -3_758_069_500_696_749_310),
            ([0xff, 0x80, 0x7f], 38_824_423_781_480_973), (Array(0xf0...0xff), -9_084_739_235_461_062_116),
            (Array(0xe9...0xff), -6_575_677_280_682_274_215),
            ([UInt8](repeating: 0xff, count: 15), -2_195_530_867_418_009_455),
            ([UInt8](repeating: 0x6b, count: 33), 6_771_836_372_259_126_081), ([], .min),
        ] as [([UInt8], Int64)]
    )
    func `tokens are those that drivers compute`(key: [UInt8], token: Int64) {
        #expect(Murmur3Partitioner.token(of: ByteBuffer(bytes: key)) == token)
    }

    @Test(.enabled(if: RecordedFrames.areThere, "the recorded conversations are not beside the package"))
    func `tokens are those that recorded servers returned`() throws {
        var compared = 0
        for row in try RecordedFrames.files.flatMap({ try RecordedFrames.rows(of: $0) }) {
            guard let place = row.columns.firstIndex(where: { $0.name == "system.token(p)" }), let key = row["p"],
                case .bigint(let token) = try row.value(at: place)
            else { continue }
            #expect(Murmur3Partitioner.token(of: key) == token)
            compared += 1
        }
        #expect(compared > 0)
    }

    @Test func `components of a composite key have their length before and a zero behind`() throws {
        let parts = [ByteBuffer(bytes: [0, 0, 0, 1]), ByteBuffer(string: "x")]
        let key = try Murmur3Partitioner.partitionKey(parts)
        #expect(Array(key.readableBytesView) == [0, 4, 0, 0, 0, 1, 0, 0, 1, 0x78, 0])
        #expect(try Murmur3Partitioner.partitionKey([parts[1]]) == parts[1])
        let long = ByteBuffer(repeating: 1, count: 65_536)
        #expect(throws: CQLProtocolError.self) { try Murmur3Partitioner.partitionKey([long, long]) }
    }
}

struct Murmur3VectorTests {
    /// Tokens computed by the Python driver 3.x, both by its C and its Python code. Bytes above 0x7f in the tail are where
    /// Cassandra's variant differs from the published hash; 15, 16, 23 and 33 bytes cover whole blocks with and without one.
    @Test(
        arguments: [
            (Array("a".utf8), -8_839_064_797_231_613_815), (Array("hello".utf8), -3_758_069_500_696_749_310),
            ([0xff, 0x80, 0x7f], 38_824_423_781_480_973), (Array(0xf0...0xff), -9_084_739_235_461_062_116),
            (Array(0xe9...0xff), -6_575_677_280_682_274_215),
            ([UInt8](repeating: 0xff, count: 15), -2_195_530_867_418_009_455),
            ([UInt8](repeating: 0x6b, count: 33), 6_771_836_372_259_126_081),
        ] as [([UInt8], Int64)]
    )
    func `tokens are those that drivers compute`(key: [UInt8], token: Int64) {
        #expect(key.withUnsafeBytes { Murmur3Partitioner.token(of: $0) } == token)
    }

    /// Cassandra gives an empty key the smallest token instead of its hash (Murmur3Partitioner.getToken).
    @Test func `an empty key has the smallest token`() {
        #expect(Murmur3Partitioner.token(of: ByteBuffer()) == .min)
    }
}
