import CDeflate

/// The CRC-32 of gzip, which is what Cassandra puts behind chunks and into `Digest.crc32`.
enum Checksum {
    static func of(_ bytes: UnsafeRawBufferPointer, after start: UInt32 = 0) -> UInt32 {
        // Of no address the library answers 0, whatever came before.
        guard !bytes.isEmpty else { return start }
        return libdeflate_crc32(start, bytes.baseAddress, bytes.count)
    }
}

/// The checksum of a file that is read from its first byte on, made of its parts.
struct RunningDigest {
    /// The byte of the file up to which parts have come without a gap.
    private(set) var end: Int64 = 0
    /// The checksum of the bytes before `end`.
    private(set) var sum: UInt32 = 0

    /// A part; one that does not come next is not counted, and so none behind it is.
    mutating func add(_ bytes: UnsafeRawBufferPointer, at place: Int64) {
        guard place == self.end else { return }
        self.sum = Checksum.of(bytes, after: self.sum)
        self.end += Int64(bytes.count)
    }

    /// The checksum of the whole file: reads what has not come.
    ///
    /// After all data that is a few bytes, because Cassandra ends a compressed file with a chunk that holds none.
    func finished(_ data: DataFile) throws(SSTableError) -> UInt32 {
        var whole = self
        var ahead = ReadAhead(data.file, data.limits.readAheadBytes)
        while whole.end < data.file.size {
            let count = Int(min(Int64(data.limits.readAheadBytes), data.file.size - whole.end))
            try ahead.with(whole.end, count, "the data") { (bytes) throws(SSTableError) in
                whole.add(bytes, at: whole.end)
            }
        }
        return whole.sum
    }
}
