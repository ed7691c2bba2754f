import NIOCore

/// The proxy's own id of a prepared statement: 16 bytes made of keyspace and text, the same on every sidecar and after every
/// restart, so that a driver's ids stay good wherever its next connection ends (DESIGN §7).
///
/// 128-bit FNV-1a. It has to be stable and well spread, not secret: a client can only reach texts that it could send itself.
struct StatementID: Hashable, Sendable {
    static var byteCount: Int { 16 }

    let high: UInt64
    let low: UInt64

    init(keyspace: String?, text: String) {
        // Offset basis and prime of FNV-1a for 128 bits (draft-eastlake-fnv, section 5).
        var hash: UInt128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d
        func mix(_ byte: UInt8) {
            hash ^= UInt128(byte)
            hash = hash &* 0x0000_0000_0100_0000_0000_0000_0000_013b
        }
        if let keyspace {
            for byte in keyspace.utf8 { mix(byte) }
        } else {
            // No keyspace is another thing than any name, the empty one included.
            mix(0xff)
        }
        mix(0)
        for byte in text.utf8 { mix(byte) }
        self.high = UInt64(truncatingIfNeeded: hash >> 64)
        self.low = UInt64(truncatingIfNeeded: hash)
    }

    /// Reads an id; nil unless there are exactly 16 bytes.
    @inline(__always)
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.byteCount else { return nil }
        self.high = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self))
        self.low = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }

    /// The id as the protocol's *short bytes*: its length, then its 16 bytes.
    func withShortBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withUnsafeTemporaryAllocation(byteCount: 2 + Self.byteCount, alignment: 1) { bytes in
            bytes.storeBytes(of: UInt16(Self.byteCount).bigEndian, toByteOffset: 0, as: UInt16.self)
            bytes.storeBytes(of: self.high.bigEndian, toByteOffset: 2, as: UInt64.self)
            bytes.storeBytes(of: self.low.bigEndian, toByteOffset: 10, as: UInt64.self)
            return body(UnsafeRawBufferPointer(bytes))
        }
    }
}
