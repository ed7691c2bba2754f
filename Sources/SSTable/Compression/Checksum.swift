import CZlib

/// The CRC-32 of zlib, which is what Cassandra puts behind chunks and into `Digest.crc32`.
enum Checksum {
    static func of(_ bytes: UnsafeRawBufferPointer, after start: UInt32 = 0) -> UInt32 {
        var sum = UInt(start)
        var rest = bytes
        // The library counts in 32 bits.
        while !rest.isEmpty {
            let part = rest.prefix(1 << 30)
            let piece = UnsafeRawBufferPointer(rebasing: part)
            sum = UInt(crc32(numericCast(sum), piece.bindMemory(to: UInt8.self).baseAddress, UInt32(piece.count)))
            rest = UnsafeRawBufferPointer(rebasing: rest[piece.count...])
        }
        return UInt32(truncatingIfNeeded: sum)
    }
}
