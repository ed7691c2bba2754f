import Synchronization

/// One segment of an open log: its records in order, and how many of them are open.
///
/// Bound to the log.
final class Segment {
    let number: UInt64
    let file: SegmentFile
    private let base: UnsafeMutableRawPointer
    private let length: Int
    private let marker: UInt16
    private let synced: SyncedDescriptor

    /// The end of the last record.
    private(set) var end: Int
    /// Records that are not finished.
    private(set) var openRecords = 0
    /// Ranges between whole records that cannot be read, in order.
    let gaps: [Range<Int>]
    private var definitions: [JournalKey: Int] = [:]

    /// A segment without records in `file`, whose header is written.
    init(beginning file: SegmentFile, number: UInt64, sequenceBefore: UInt64, now: Int64) {
        self.number = number
        self.file = file
        self.base = file.base
        self.length = file.length
        self.synced = file.synced
        self.marker = RecordLayout.marker(ofSegment: number)
        self.end = SegmentHeader.byteCount
        self.gaps = []
        SegmentHeader(number: number, sequenceBefore: sequenceBefore, createdAt: now, fileBytes: file.length)
            .write(to: file.base)
        file.synced.markDirty()
    }

    /// A segment of an earlier process, as its scan found it.
    init(recovering file: SegmentFile, number: UInt64, header: SegmentHeader?, scan: SegmentScan) {
        self.number = number
        self.file = file
        self.base = file.base
        self.length = file.length
        self.synced = file.synced
        self.marker = RecordLayout.marker(ofSegment: number)
        self.end = scan.end
        self.gaps = scan.gaps
        self.openRecords = scan.openRecords
        self.definitions = scan.definitions
        // After a stop of the machine the header's end can be older than the records; the next opening may trust it again.
        guard let header, header.number == number, header.end < UInt64(scan.end), scan.end <= file.length else {
            return
        }
        self.writeEnd(scan.end)
    }

    @inline(__always)
    private func writeEnd(_ end: Int) {
        self.base.storeBytes(of: UInt64(end).littleEndian, toByteOffset: SegmentHeader.endOffset, as: UInt64.self)
        self.synced.markDirty()
    }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: self.base, count: self.length) }

    /// Bytes that can still be appended, headers of records included.
    @inline(__always)
    var room: Int { self.length - self.end }

    /// Appends a record and returns its offset. No allocation, no system call.
    @inline(__always)
    func append(
        _ recordClass: RecordHeader.Class,
        kind: UInt8,
        state: JournalState,
        flags: UInt16,
        sequence: UInt64,
        time: Int64,
        _ part0: UnsafeRawBufferPointer,
        _ part1: UnsafeRawBufferPointer,
        _ part2: UnsafeRawBufferPointer
    ) -> Int {
        let offset = self.end
        let length = part0.count + part1.count + part2.count
        let end = offset + RecordLayout.size(payload: length)
        precondition(end <= self.length, "more was appended to the journal than was reserved")
        let record = self.base + offset
        let payload = offset + RecordLayout.headerBytes
        self.put(part0, at: payload)
        self.put(part1, at: payload + part0.count)
        self.put(part2, at: payload + part0.count + part1.count)
        RecordHeader.seal(
            record,
            recordClass,
            kind: kind,
            state: state,
            flags: flags,
            sequence: sequence,
            time: time,
            length: length,
            segment: self.number,
            marker: self.marker
        )
        // A record that the header's end includes is whole, for whoever reads after the death of this process.
        atomicMemoryFence(ordering: .releasing)
        self.writeEnd(end)
        self.end = end
        if recordClass == .record, state != .finished { self.openRecords += 1 }
        return offset
    }

    /// Copies bytes to their place: short ones through the mapping, and long ones by the kernel, which has no page fault for each
    /// page then, nor to write-protect each of them when the disk takes it.
    @inline(__always)
    private func put(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        guard let source = bytes.baseAddress else { return }
        if bytes.count >= JournalLimits.writtenBytesMin, self.file.write(bytes, at: offset) { return }
        (self.base + offset).copyMemory(from: source, byteCount: bytes.count)
    }

    func append(definition bytes: UnsafeRawBufferPointer, for key: JournalKey, sequence: UInt64, time: Int64) {
        let keyBytes = (key.high.bigEndian, key.low.bigEndian)
        let offset = withUnsafeBytes(of: keyBytes) { keyBytes in
            self.append(
                .definition,
                kind: 0,
                state: .finished,
                flags: 0,
                sequence: sequence,
                time: time,
                keyBytes,
                bytes,
                UnsafeRawBufferPointer(start: nil, count: 0)
            )
        }
        self.definitions[key] = offset
    }

    func definition(_ key: JournalKey) -> UnsafeRawBufferPointer? {
        guard let offset = self.definitions[key] else { return nil }
        let payload = self.header(at: offset).payloadRange(at: offset).dropFirst(JournalKey.byteCount)
        return UnsafeRawBufferPointer(rebasing: self.bytes[payload])
    }

    /// Whether a record, not a definition, begins at `offset`.
    @inline(__always)
    func hasRecord(at offset: Int) -> Bool {
        guard offset >= SegmentHeader.byteCount, offset + RecordLayout.headerBytes <= self.end else { return false }
        let record = self.base + offset
        return UInt16(littleEndian: record.load(fromByteOffset: 2, as: UInt16.self)) == self.marker
            && record.load(fromByteOffset: 13, as: UInt8.self) == RecordHeader.Class.record.rawValue
    }

    @inline(__always)
    func header(at offset: Int) -> RecordHeader { RecordHeader(trusting: self.base + offset) }

    @inline(__always)
    func state(at offset: Int) -> JournalState {
        RecordLayout.state(ofWord: UInt16(littleEndian: (self.base + offset).load(as: UInt16.self)))
    }

    /// Changes the state of an open record.
    @inline(__always)
    func setState(_ state: JournalState, at offset: Int) {
        (self.base + offset).storeBytes(of: RecordLayout.stateWord(state).littleEndian, as: UInt16.self)
        if state == .finished { self.openRecords -= 1 }
        self.synced.markDirty()
    }

    /// Where the next record or definition begins after the one at `offset`; ``end`` after the last.
    func offset(after offset: Int) -> Int {
        self.skippingGap(offset + self.header(at: offset).size)
    }

    /// Where the first record or definition begins.
    var firstOffset: Int { self.skippingGap(SegmentHeader.byteCount) }

    private func skippingGap(_ offset: Int) -> Int {
        guard !self.gaps.isEmpty, let gap = self.gaps.first(where: { $0.lowerBound == offset }) else { return offset }
        return gap.upperBound
    }

    /// The first open record at or after `offset`, which must be where a record or definition begins, or ``end``.
    func openRecord(from offset: Int) -> Int? {
        guard self.openRecords > 0 else { return nil }
        var offset = offset
        while offset < self.end {
            let header = self.header(at: offset)
            if header.isOpen { return offset }
            offset = self.skippingGap(offset + header.size)
        }
        return nil
    }
}
