import NIOCore

/// `Summary.db`: every so many-th entry of `Index.db` (Cassandra's `IndexSummary`). It is searched in the file.
struct Summary {
    private static var headBytes: Int { 24 }
    /// Each entry ends with its place in `Index.db`.
    private static var placeBytes: Int { 8 }
    private static var entryBytesMax: Int64 { 66 << 10 }

    private let file: ComponentFile
    let count: Int
    private let bytes: Int64

    init(_ path: String) throws(SSTableError) {
        self.file = try ComponentFile(path)
        var head = try self.file.bytes(at: 0, Self.headBytes, "the head")
        guard let (_, count, bytes, _, _) = head.readMultipleIntegers(as: (Int32, Int32, Int64, Int32, Int32).self),
            count >= 0, bytes >= Int64(count) * 4, bytes <= self.file.size - Int64(Self.headBytes)
        else { throw SSTableError(.malformed, path, at: 0, "the head names more entries than the file has") }
        self.count = Int(count)
        self.bytes = bytes
    }

    /// The key of an entry, and where it is in `Index.db`. Numbers are little-endian: the file is a copy of memory.
    func entry(_ index: Int) throws(SSTableError) -> (key: ByteBuffer, place: Int64) {
        let isLast = index == self.count - 1
        let table = Int64(Self.headBytes) + Int64(index) * 4
        var offsets = try self.file.bytes(at: table, isLast ? 4 : 8, "the places of entries")
        let start = Int64(offsets.readInteger(endianness: .little, as: UInt32.self) ?? 0)
        let end = offsets.readInteger(endianness: .little, as: UInt32.self).map(Int64.init) ?? self.bytes
        guard start >= Int64(self.count) * 4, start + Int64(Self.placeBytes) <= end, end <= self.bytes,
            end - start <= Self.entryBytesMax
        else {
            throw SSTableError(.malformed, self.file.path, at: table, "entry \(index) would lie outside of the file")
        }
        var entry = try self.file.bytes(at: Int64(Self.headBytes) + start, Int(end - start), "an entry")
        let key = entry.readSlice(length: entry.readableBytes - Self.placeBytes) ?? ByteBuffer()
        guard let place = entry.readInteger(endianness: .little, as: Int64.self), place >= 0 else {
            throw SSTableError(.malformed, self.file.path, at: table, "entry \(index) names no place")
        }
        return (key, place)
    }

    /// Where in `Index.db` to begin: at the last entry whose key is before what is sought.
    func place(_ isBefore: (ByteBuffer) -> Bool) throws(SSTableError) -> Int64 {
        var (low, high) = (0, self.count)
        while low < high {
            let middle = (low + high) / 2
            if isBefore(try self.entry(middle).key) { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? 0 : try self.entry(low - 1).place
    }
}
