import Testing

@testable import EmbeddedNode

struct Murmur3Tests {
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
        #expect(Murmur3.token(key) == token)
    }

    /// Cassandra gives an empty key the smallest token instead of its hash (Murmur3Partitioner.getToken).
    @Test func `an empty key has the smallest token`() {
        #expect(Murmur3.token([]) == .min)
    }
}
