/// What a walk over the bytes of a segment finds, however damaged they are.
struct SegmentScan {
    private(set) var end = SegmentHeader.byteCount
    private(set) var records = 0
    private(set) var openRecords = 0
    private(set) var openBytes = 0
    private(set) var lastSequence: UInt64 = 0
    private(set) var definitions: [JournalKey: Int] = [:]
    private(set) var definitionCount = 0
    /// Ranges between whole records, to be skipped by whoever walks.
    private(set) var gaps: [Range<Int>] = []
    /// Everything that was written, should be there and cannot be read, ``gaps`` included.
    private(set) var damaged: [Range<Int>] = []
    /// What cannot be read and had not been brought to the disk, ``gaps`` included.
    private(set) var unsynced: [Range<Int>] = []

    private let bytes: UnsafeRawBufferPointer
    private let number: UInt64
    private let marker: UInt16
    /// The end of what must be there.
    private let durableEnd: Int
    /// The end of what can be a record.
    private let limit: Int
    /// Bytes that may still be hashed in search of a whole record.
    private var budget: Int

    /// Scans `bytes`, the content of the segment `number` from its first byte on.
    ///
    /// - Parameters:
    ///   - trustsEnd: whether the header's end is as new as the records: true unless the machine stopped. If not, it is that of
    ///     the last sync or a later one, because each sync writes the header, too: what is lost behind it was not synced.
    ///   - visit: gets each whole record and definition in order.
    init(
        _ bytes: UnsafeRawBufferPointer,
        number: UInt64,
        header: SegmentHeader?,
        trustsEnd: Bool,
        visit: (RecordHeader, Int) -> Void = { _, _ in }
    ) {
        self.bytes = bytes
        self.number = number
        self.marker = RecordLayout.marker(ofSegment: number)
        self.limit = bytes.count
        self.budget = bytes.count * JournalLimits.resynchronisationFactor

        let told = header.flatMap { $0.number == number ? Int(clamping: $0.end) : nil }
        // The header of another life of the file: nothing of this one was synced, or nothing in it is owed.
        self.durableEnd = trustsEnd || header == nil ? .max : told ?? 0
        self.walk(hint: trustsEnd ? told : nil, visit)
        // The file is shorter than what was once written to it.
        if let told, told > self.limit, self.end < self.limit || header?.fileBytes ?? 0 > UInt64(self.limit) {
            self.damaged.append(self.end..<told)
        }
    }

    private mutating func walk(hint: Int?, _ visit: (RecordHeader, Int) -> Void) {
        // A hint that no record can end at is damaged itself.
        var hint = hint.flatMap { $0 >= SegmentHeader.byteCount && $0 <= self.limit && $0 & 7 == 0 ? $0 : nil }
        var offset = SegmentHeader.byteCount
        while true {
            while let header = self.record(at: offset) {
                self.take(header, at: offset, visit)
                offset = self.end
            }
            if let end = hint, offset > end { hint = nil }
            if offset == hint { return }
            guard let next = self.resynchronise(from: offset, to: hint ?? self.limit) else {
                if let hint {
                    self.lost(offset..<hint)
                    // Behind a damaged range that reaches the told end, a record would say that the end is wrong.
                    guard self.record(at: hint) != nil else { return }
                    self.gaps.append(offset..<hint)
                    offset = hint
                    continue
                }
                if let torn = self.tornRecord(at: offset) { self.lost(torn) }
                return
            }
            self.gaps.append(offset..<next)
            self.lost(offset..<next)
            offset = next
        }
    }

    private mutating func lost(_ range: Range<Int>) {
        if range.lowerBound < self.durableEnd { self.damaged.append(range) } else { self.unsynced.append(range) }
    }

    private mutating func take(_ header: RecordHeader, at offset: Int, _ visit: (RecordHeader, Int) -> Void) {
        switch header.recordClass {
        case .record:
            self.records += 1
            if header.isOpen {
                self.openRecords += 1
                self.openBytes += header.length
            }
        case .definition:
            self.definitionCount += 1
            let start = offset + RecordLayout.headerBytes
            let key = UnsafeRawBufferPointer(rebasing: self.bytes[start..<start + JournalKey.byteCount])
            if let key = JournalKey(key) { self.definitions[key] = offset }
        }
        self.lastSequence = max(self.lastSequence, header.sequence)
        self.end = offset + header.size
        visit(header, offset)
    }

    /// The record at `offset`, if there is a whole one.
    private mutating func record(at offset: Int) -> RecordHeader? {
        guard offset + RecordLayout.headerBytes <= self.limit, let base = self.bytes.baseAddress else { return nil }
        let record = base + offset
        guard UInt16(littleEndian: record.load(fromByteOffset: 2, as: UInt16.self)) == self.marker else { return nil }
        let length = Int(UInt32(littleEndian: record.load(fromByteOffset: 8, as: UInt32.self)))
        guard length <= self.limit - offset - RecordLayout.headerBytes else { return nil }
        let recordClass = RecordHeader.Class(rawValue: record.load(fromByteOffset: 13, as: UInt8.self))
        guard let recordClass, recordClass == .record || length >= JournalKey.byteCount else { return nil }
        let checksum = RecordChecksum.of(record, payload: length, segment: self.number)
        guard UInt32(littleEndian: record.load(fromByteOffset: 4, as: UInt32.self)) == checksum else {
            self.budget -= length
            return nil
        }
        return RecordHeader(trusting: record)
    }

    /// The first whole record behind `offset` and before `limit`.
    private mutating func resynchronise(from offset: Int, to limit: Int) -> Int? {
        var offset = offset + RecordLayout.alignment
        while offset < limit, self.budget > 0 {
            if self.record(at: offset) != nil { return offset }
            offset += RecordLayout.alignment
        }
        return nil
    }

    /// The range of a record that was begun at `offset` and is not whole; nil where none was begun.
    private func tornRecord(at offset: Int) -> Range<Int>? {
        guard offset + RecordLayout.headerBytes <= self.limit, let base = self.bytes.baseAddress else { return nil }
        let record = base + offset
        guard UInt16(littleEndian: record.load(fromByteOffset: 2, as: UInt16.self)) == self.marker else { return nil }
        let length = Int(UInt32(littleEndian: record.load(fromByteOffset: 8, as: UInt32.self)))
        return offset..<min(self.limit, offset + RecordLayout.size(payload: length))
    }
}
