/// Cassandra's Murmur3 partitioner: the first half of MurmurHash3 x64 128 with sign-extended tail bytes.
enum Murmur3 {
    /// The token of a serialized partition key.
    static func token(_ key: Bytes) -> Int64 {
        if key.isEmpty { return .min }
        let c1: UInt64 = 0x87c3_7b91_1142_53d5
        let c2: UInt64 = 0x4cf5_ad43_2745_937f
        var h1: UInt64 = 0
        var h2: UInt64 = 0
        let blocks = key.count / 16
        for block in 0..<blocks {
            h1 ^= self.rotate(self.word(key, block * 16) &* c1, 31) &* c2
            h1 = (self.rotate(h1, 27) &+ h2) &* 5 &+ 0x52dc_e729
            h2 ^= self.rotate(self.word(key, block * 16 + 8) &* c2, 33) &* c1
            h2 = (self.rotate(h2, 31) &+ h1) &* 5 &+ 0x3849_5ab5
        }
        var k1: UInt64 = 0
        var k2: UInt64 = 0
        for (index, byte) in key[(blocks * 16)...].enumerated() {
            let extended = UInt64(bitPattern: Int64(Int8(bitPattern: byte)))
            if index < 8 { k1 ^= extended << (8 * UInt64(index)) } else { k2 ^= extended << (8 * UInt64(index - 8)) }
        }
        h2 ^= self.rotate(k2 &* c2, 33) &* c1
        h1 ^= self.rotate(k1 &* c1, 31) &* c2
        h1 ^= UInt64(key.count)
        h2 ^= UInt64(key.count)
        h1 = h1 &+ h2
        h2 = h2 &+ h1
        h1 = self.mix(h1) &+ self.mix(h2)
        let token = Int64(bitPattern: h1)
        return token == .min ? .max : token
    }

    private static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 { value << bits | value >> (64 - bits) }

    private static func word(_ key: Bytes, _ offset: Int) -> UInt64 {
        var word: UInt64 = 0
        for index in 0..<8 { word |= UInt64(key[offset + index]) << UInt64(8 * index) }
        return word
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var value = (value ^ value >> 33) &* 0xff51_afd7_ed55_8ccd
        value = (value ^ value >> 33) &* 0xc4ce_b9fe_1a85_ec53
        return value ^ value >> 33
    }
}

/// MD5 (RFC 1321), which names prepared statements.
enum MD5 {
    private static let shifts: [UInt32] = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]
    private static let sines: [UInt32] = [
        0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee, 0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501,
        0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be, 0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821,
        0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa, 0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
        0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed, 0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a,
        0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c, 0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70,
        0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05, 0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
        0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039, 0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1,
        0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1, 0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
    ]

    /// The sixteen bytes of the digest.
    static func digest(_ message: Bytes) -> Bytes {
        var padded = message + [0x80]
        while padded.count % 64 != 56 { padded.append(0) }
        padded += (UInt64(message.count) &* 8).bytes.reversed()
        var state: [UInt32] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476]
        for start in stride(from: 0, to: padded.count, by: 64) {
            var (a, b, c, d) = (state[0], state[1], state[2], state[3])
            for index in 0..<64 {
                var mixed: UInt32
                let word: Int
                switch index / 16 {
                case 0: (mixed, word) = (b & c | ~b & d, index)
                case 1: (mixed, word) = (d & b | ~d & c, (5 * index + 1) % 16)
                case 2: (mixed, word) = (b ^ c ^ d, (3 * index + 5) % 16)
                default: (mixed, word) = (c ^ (b | ~d), 7 * index % 16)
                }
                let offset = start + word * 4
                var value: UInt32 = 0
                for byte in 0..<4 { value |= UInt32(padded[offset + byte]) << UInt32(8 * byte) }
                mixed = mixed &+ a &+ self.sines[index] &+ value
                (a, d, c) = (d, c, b)
                let shift = self.shifts[index / 16 * 4 + index % 4]
                b = b &+ (mixed << shift | mixed >> (32 - shift))
            }
            state = [state[0] &+ a, state[1] &+ b, state[2] &+ c, state[3] &+ d]
        }
        return state.flatMap { Bytes($0.bytes.reversed()) }
    }
}
