#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// How segments begin and end.
extension JournalLog {
    /// Begins a segment that so many bytes fit into. Called where the present one has no room for them.
    func roll(_ byteCount: Int, now: Int64) -> Result<UInt64, JournalRefusal> {
        guard !self.isClosed else { return .failure(.closed) }
        let payloadMax = JournalLimits.payloadBytesMax
        guard byteCount <= RecordLayout.size(payload: payloadMax) else {
            return .failure(.tooLong(bytesMax: payloadMax))
        }
        guard self.nextNumber <= JournalLimits.segmentNumberMax else { return .failure(.failed(errno: EOVERFLOW)) }
        if let pause = self.refusedUntil, now >= pause.from, now < pause.until { return .failure(pause.refusal) }
        self.refusedUntil = nil

        let standard = self.standardLength
        // Of a time when more was owed, or less.
        for file in self.spares where file.length != standard { self.delete(file) }
        self.spares.removeAll { $0.length != standard }
        let length = max(standard, Self.pages(SegmentHeader.byteCount + byteCount))
        let file: SegmentFile
        switch self.file(length: length, now: now) {
        case .success(let made): file = made
        case .failure(let refusal):
            // Being full ends when something is finished, and costs nothing to find out; a system call does.
            if case .full = refusal { return .failure(refusal) }
            self.refusedUntil = (now, now + JournalLimits.retryMilliseconds, refusal)
            return .failure(refusal)
        }
        let segment = Segment(beginning: file, number: self.nextNumber, sequenceBefore: self.lastSequence, now: now)
        let renamed = file.synced.rename(to: "\(self.path)/\(SegmentName.ofSegment(segment.number))")
        // A file under its old name would be taken for what it was.
        guard renamed == 0 else {
            self.delete(file)
            let refusal = JournalRefusal.failed(errno: renamed)
            self.refusedUntil = (now, now + JournalLimits.retryMilliseconds, refusal)
            return .failure(refusal)
        }
        self.nextNumber += 1
        self.folder.markDirty()
        // Until the disk has its first header, a file that is empty after a stop of the machine cannot be told from a damaged
        // one.
        if !file.synced.hasArrived { self.syncSoon() }
        self.sync.add(file.synced)
        let previous = self.segments.last
        self.segments.append(segment)
        self.active = segment
        if let previous, previous.openRecords == 0 { self.free(previous) }
        return .success(segment.number)
    }

    /// A file for the next segment: the last one's where nothing in it is owed, a spare one, or a new one.
    private func file(length: Int, now: Int64) -> Result<SegmentFile, JournalRefusal> {
        if let last = self.segments.last, last.openRecords == 0, last.file.length == length, !last.file.isPrivate {
            self.segments.removeLast()
            self.sync.remove(last.file.synced)
            self.active = nil
            self.forgetRecent()
            return .success(last.file)
        }
        if let index = self.spares.lastIndex(where: { $0.length == length }) {
            return .success(self.spares.remove(at: index))
        }
        while self.diskBytes + length > self.configuration.bytesMax, !self.spares.isEmpty {
            self.delete(self.spares.removeFirst())
        }
        guard self.diskBytes + length <= self.configuration.bytesMax else {
            return .failure(.full(bytesMax: self.configuration.bytesMax))
        }
        // Under a name that recovery passes over, until the header is there.
        let path = "\(self.path)/\(SegmentName.ofSpare(self.nextNumber))"
        let (file, number) = SegmentFile.create(path, length: length, reserve: self.configuration.reserveBlocks)
        guard let file else {
            return .failure(SystemCalls.isDiskFull(number) ? .diskFull(errno: number) : .failed(errno: number))
        }
        self.diskBytes += length
        return .success(file)
    }

    /// Takes back the file of a segment in which everything is finished. The last segment stays, whatever is in it.
    func free(_ segment: Segment) {
        guard segment !== self.segments.last else { return }
        let index = self.index(ofFirstSegmentFrom: segment.number)
        precondition(self.segments[index] === segment, "a segment of the journal was freed twice")
        self.segments.remove(at: index)
        self.forgetRecent()
        self.sync.remove(segment.file.synced)
        self.folder.markDirty()
        let isOfStandardLength = segment.file.length == self.standardLength
        let spare = "\(self.path)/\(SegmentName.ofSpare(segment.number))"
        guard isOfStandardLength, !segment.file.isPrivate, self.spares.count < JournalLimits.spareSegmentsMax,
            segment.file.synced.rename(to: spare) == 0
        else { return self.delete(segment.file) }
        self.spares.append(segment.file)
    }

    func trimSpares(to count: Int) {
        while self.spares.count > count { self.delete(self.spares.removeFirst()) }
    }

    private func delete(_ file: SegmentFile) {
        self.diskBytes -= file.length
        file.unlink()
        self.directory.sync.retire(file)
    }

    /// The length of the next file, unless a record needs a longer one: short where little is owed, so that a log whose shadow
    /// keeps up stays in the processor's cache, and longer behind a backlog, whose files are then few.
    private var standardLength: Int {
        let lengthMax = Self.pages(self.configuration.segmentBytes)
        var length = min(lengthMax, JournalLimits.shortSegmentBytes)
        while length < lengthMax, 2 * length <= self.bytes { length = min(lengthMax, 2 * length) }
        return length
    }

    private static func pages(_ bytes: Int) -> Int {
        (bytes + SegmentFile.pageBytes - 1) & ~(SegmentFile.pageBytes - 1)
    }
}
