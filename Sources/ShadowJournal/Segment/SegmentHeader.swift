/// The first 64 bytes of a segment file. Little-endian.
///
/// | bytes | |
/// |---|---|
/// | 0–7 | `CSYNCJNL` |
/// | 8–11 | version of the format |
/// | 12–15 | zero |
/// | 16–23 | number of the segment |
/// | 24–31 | sequence of the last record before the segment |
/// | 32–39 | when the segment was begun, milliseconds since 1970 |
/// | 40–47 | length of the file |
/// | 48–51 | checksum of what is before |
/// | 52–55 | zero |
/// | 56–63 | end of the last record: written after each one, a hint that recovery checks |
struct SegmentHeader {
    static var byteCount: Int { 64 }
    static var version: UInt32 { 1 }
    static var endOffset: Int { 56 }
    private static var coveredBytes: Int { 48 }
    private static let magic = UInt64(littleEndian: 0x4C4E_4A43_4E59_5343)

    var number: UInt64
    var sequenceBefore: UInt64
    var createdAt: Int64
    var fileBytes: UInt64
    /// Where the writer said that the records end.
    var end: UInt64
    var version: UInt32 = Self.version

    init(number: UInt64, sequenceBefore: UInt64, createdAt: Int64, fileBytes: Int) {
        self.number = number
        self.sequenceBefore = sequenceBefore
        self.createdAt = createdAt
        self.fileBytes = UInt64(fileBytes)
        self.end = UInt64(Self.byteCount)
    }

    /// Nil where the bytes are too few or damaged.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.byteCount, let base = bytes.baseAddress else { return nil }
        func word(_ offset: Int) -> UInt64 {
            UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        let checksum = RecordChecksum.of(base, count: Self.coveredBytes, seed: 0)
        guard word(0) == Self.magic.littleEndian, word(48) == UInt64(checksum) else { return nil }
        self.version = UInt32(truncatingIfNeeded: word(8))
        self.number = word(16)
        self.sequenceBefore = word(24)
        self.createdAt = Int64(bitPattern: word(32))
        self.fileBytes = word(40)
        self.end = word(Self.endOffset)
    }

    func write(to base: UnsafeMutableRawPointer) {
        func store(_ value: UInt64, _ offset: Int) {
            base.storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt64.self)
        }
        base.storeBytes(of: Self.magic, as: UInt64.self)
        store(UInt64(self.version), 8)
        store(self.number, 16)
        store(self.sequenceBefore, 24)
        store(UInt64(bitPattern: self.createdAt), 32)
        store(self.fileBytes, 40)
        store(UInt64(RecordChecksum.of(base, count: Self.coveredBytes, seed: 0)), 48)
        store(self.end, Self.endOffset)
    }
}
