import CXXHash

/// The low half of XXH3's 64 bits, seeded with the segment's number: what an earlier life of the file left behind never fits.
enum RecordChecksum {
    /// The checksum of the record at `record`, whose header but for its first word, and whose payload, are in place.
    @inline(__always)
    static func of(_ record: UnsafeRawPointer, payload: Int, segment: UInt64) -> UInt32 {
        let count = RecordLayout.headerBytes - RecordLayout.coveredOffset + payload
        return self.of(record + RecordLayout.coveredOffset, count: count, seed: segment)
    }

    @inline(__always)
    static func of(_ bytes: UnsafeRawPointer, count: Int, seed: UInt64) -> UInt32 {
        UInt32(truncatingIfNeeded: xxh3_64bits_with_seed(bytes, count, seed))
    }
}
