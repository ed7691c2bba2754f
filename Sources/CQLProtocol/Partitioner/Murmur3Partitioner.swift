public import NIOCore

/// The tokens of `org.apache.cassandra.dht.Murmur3Partitioner`: the first half of MurmurHash3 x64 128, with the tail's
/// bytes taken as signed, as Cassandra has done since its first release with it.
public enum Murmur3Partitioner {
    /// The class name that `system.local` shows.
    public static var className: String { "org.apache.cassandra.dht.Murmur3Partitioner" }
    /// The token before all others; no key but the empty one has it.
    public static var minimumToken: Int64 { .min }

    /// The token of a partition key's bytes.
    public static func token(of key: ByteBuffer) -> Int64 {
        key.withUnsafeReadableBytes { token(of: $0) }
    }

    /// The token of a partition key's bytes.
    public static func token(of key: UnsafeRawBufferPointer) -> Int64 {
        guard !key.isEmpty else { return minimumToken }
        let hash = hash(key)
        return hash == .min ? .max : hash
    }

    /// The bytes of a partition key from its components: one stands for itself, of several each is a short length, the
    /// bytes and a zero byte.
    public static func partitionKey(_ components: [ByteBuffer]) throws(CQLProtocolError) -> ByteBuffer {
        if components.count == 1 { return components[0] }
        var key = ByteBuffer()
        for component in components {
            guard let length = UInt16(exactly: component.readableBytes) else {
                throw CQLProtocolError(.notEncodable, "component of a partition key above 65535 bytes")
            }
            key.writeInteger(length)
            key.writeImmutableBuffer(component)
            key.writeInteger(UInt8(0))
        }
        return key
    }

    private static var c1: UInt64 { 0x87c3_7b91_1142_53d5 }
    private static var c2: UInt64 { 0x4cf5_ad43_2745_937f }

    private static func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 { value << bits | value >> (64 - bits) }

    private static func finalMix(_ value: UInt64) -> UInt64 {
        var k = value
        k ^= k >> 33
        k = k &* 0xff51_afd7_ed55_8ccd
        k ^= k >> 33
        k = k &* 0xc4ce_b9fe_1a85_ec53
        k ^= k >> 33
        return k
    }

    private static func hash(_ bytes: UnsafeRawBufferPointer) -> Int64 {
        var h1: UInt64 = 0
        var h2: UInt64 = 0
        let blocks = bytes.count / 16
        for block in 0..<blocks {
            let k1 = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: block * 16, as: UInt64.self))
            let k2 = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: block * 16 + 8, as: UInt64.self))
            h1 ^= rotate(k1 &* c1, 31) &* c2
            h1 = (rotate(h1, 27) &+ h2) &* 5 &+ 0x52dc_e729
            h2 ^= rotate(k2 &* c2, 33) &* c1
            h2 = (rotate(h2, 31) &+ h1) &* 5 &+ 0x3849_5ab5
        }
        var k1: UInt64 = 0
        var k2: UInt64 = 0
        for (place, byte) in bytes[(blocks * 16)...].enumerated() {
            // Sign extension: this is where Cassandra differs from the published hash.
            let signed = UInt64(bitPattern: Int64(Int8(bitPattern: byte)))
            if place < 8 { k1 ^= signed << UInt64(place * 8) } else { k2 ^= signed << UInt64((place - 8) * 8) }
        }
        h2 ^= rotate(k2 &* c2, 33) &* c1
        h1 ^= rotate(k1 &* c1, 31) &* c2
        h1 ^= UInt64(bytes.count)
        h2 ^= UInt64(bytes.count)
        h1 = h1 &+ h2
        h2 = h2 &+ h1
        return Int64(bitPattern: finalMix(h1) &+ finalMix(h2))
    }
}
