/// What is before the payload of a record, without what only guards it.
struct RecordHeader {
    enum Class: UInt8 {
        case record = 0
        /// Bytes that records refer to; the payload begins with the key.
        case definition = 1
    }

    var state: JournalState
    var length: Int
    var kind: UInt8
    var recordClass: Class
    var flags: UInt16
    var sequence: UInt64
    var time: Int64

    var size: Int { RecordLayout.size(payload: self.length) }

    var isOpen: Bool { self.recordClass == .record && self.state != .finished }

    func payloadRange(at offset: Int) -> Range<Int> {
        let start = offset + RecordLayout.headerBytes
        return start..<start + self.length
    }

    /// Reads a header that is known to be whole.
    @inline(__always)
    init(trusting bytes: UnsafeRawPointer) {
        let word = UInt64(littleEndian: bytes.load(fromByteOffset: 8, as: UInt64.self))
        self.state = RecordLayout.state(ofWord: UInt16(littleEndian: bytes.load(as: UInt16.self)))
        self.length = Int(UInt32(truncatingIfNeeded: word))
        self.kind = UInt8(truncatingIfNeeded: word >> 32)
        self.recordClass = UInt8(truncatingIfNeeded: word >> 40) == Class.record.rawValue ? .record : .definition
        self.flags = UInt16(truncatingIfNeeded: word >> 48)
        self.sequence = UInt64(littleEndian: bytes.load(fromByteOffset: 16, as: UInt64.self))
        self.time = Int64(littleEndian: bytes.load(fromByteOffset: 24, as: Int64.self))
    }

    /// Writes the header and its checksum over a payload that is in its place already.
    @inline(__always)
    static func seal(
        _ record: UnsafeMutableRawPointer,
        _ recordClass: Class,
        kind: UInt8,
        state: JournalState,
        flags: UInt16,
        sequence: UInt64,
        time: Int64,
        length: Int,
        segment: UInt64,
        marker: UInt16
    ) {
        let word =
            UInt64(UInt32(truncatingIfNeeded: length)) | UInt64(kind) << 32 | UInt64(recordClass.rawValue) << 40
            | UInt64(flags) << 48
        record.storeBytes(of: word.littleEndian, toByteOffset: 8, as: UInt64.self)
        record.storeBytes(of: sequence.littleEndian, toByteOffset: 16, as: UInt64.self)
        record.storeBytes(of: time.littleEndian, toByteOffset: 24, as: Int64.self)
        let checksum = RecordChecksum.of(record, payload: length, segment: segment)
        let guardWord = UInt64(RecordLayout.stateWord(state)) | UInt64(marker) << 16 | UInt64(checksum) << 32
        record.storeBytes(of: guardWord.littleEndian, as: UInt64.self)
    }
}
