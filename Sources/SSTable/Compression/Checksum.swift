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

/// The checksum of a file that is read from its first byte on, made of those of its parts.
///
/// Of chunks it takes the checksum that was taken of them anyway: to join two is a hundredth of the work of making one.
struct RunningDigest {
    /// The byte of the file up to which parts have come without a gap.
    private(set) var end: Int64 = 0
    /// The checksum of the bytes before `end`.
    private(set) var sum: UInt32 = 0

    /// A part with its checksum; one that does not come next is not counted, and so none behind it is.
    mutating func add(_ sum: UInt32, of count: Int, at place: Int64) {
        guard place == self.end else { return }
        self.sum = UInt32(truncatingIfNeeded: crc32_combine(UInt(self.sum), UInt(sum), count))
        self.end += Int64(count)
    }

    /// The bytes of a part, whose checksum nobody has.
    mutating func add(_ bytes: UnsafeRawBufferPointer, at place: Int64) {
        guard place == self.end else { return }
        self.sum = Checksum.of(bytes, after: self.sum)
        self.end += Int64(bytes.count)
    }
}
