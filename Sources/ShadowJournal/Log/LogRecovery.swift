#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Reads the files of a log before it is opened. Damage is reported, never a reason to refuse.
struct LogRecovery {
    let path: String
    let folder: SyncedDescriptor
    private(set) var report = RecoveryReport()
    private(set) var segments: [Segment] = []
    private(set) var spares: [SegmentFile] = []
    private(set) var nextNumber: UInt64 = 1
    private(set) var lastSequence: UInt64 = 0
    private(set) var openBytes = 0
    private let reserve: @Sendable (Int32, Int) -> Int32
    private let machineStopped: Bool

    init(path: String, machineStopped: Bool, configuration: JournalConfiguration) throws(JournalError) {
        self.path = path
        self.machineStopped = machineStopped
        self.reserve = configuration.reserveBlocks
        let (descriptor, number) = SystemCalls.open(path, O_RDONLY | O_DIRECTORY)
        guard descriptor >= 0 else { throw .failed("open", path, number) }
        self.folder = SyncedDescriptor(taking: descriptor, path: path, isFolder: true)
        let (names, failure) = SystemCalls.names(in: path)
        guard failure == 0 else { throw .failed("reading", path, failure) }
        for name in names {
            switch SegmentName(name) {
            case .segment(let number): try self.recover(name, number)
            case .spare(let number): self.keepSpare(name, number)
            case .damaged: self.report.unreadable.append(.init(name: name, reason: "set aside before"))
            case nil: self.report.foreign.append(name)
            }
        }
        guard machineStopped, !names.isEmpty else { return }
        self.nextNumber += JournalLimits.segmentNumbersSkipped
        self.lastSequence += JournalLimits.sequencesSkipped
    }

    private mutating func recover(_ name: String, _ number: UInt64) throws(JournalError) {
        self.nextNumber = max(self.nextNumber, number + 1)
        let path = "\(self.path)/\(name)"
        let (file, failure) = SegmentFile.open(path, reserve: self.reserve)
        guard let file else {
            guard failure == ENODATA else {
                self.report.unreadable.append(.init(name: name, reason: SystemCalls.reason(failure)))
                return
            }
            self.setAside(name, reason: "it is empty, or no file at all")
            return
        }
        let header = SegmentHeader(file.bytes)
        if let header, header.version != SegmentHeader.version {
            throw JournalError(
                .version,
                path,
                "'\(path)' has format \(header.version), this program reads \(SegmentHeader.version). Run the newer program "
                    + "until the journal is empty, or move the file away and check the partitions that it concerns"
            )
        }
        if let header { self.lastSequence = max(self.lastSequence, header.sequenceBefore) }
        let scan = SegmentScan(file.bytes, number: number, header: header, trustsEnd: !self.machineStopped)
        if let header, header.number > number {
            // The file was about to become another segment, so nothing in it was owed.
            self.nextNumber = max(self.nextNumber, min(header.number, JournalLimits.segmentNumberMax) + 1)
        } else if header?.number != number {
            guard header != nil || scan.records > 0 || scan.definitionCount > 0 else {
                self.setAside(name, reason: "neither its header nor any record can be read")
                return
            }
            // After a stop of the machine the header of the file's life before says that nothing of this one was synced.
            if !self.machineStopped || header == nil { self.report.damagedHeaders.append(number) }
        }
        if file.isPrivate { self.report.heldInMemory.append(number) }
        self.report.add(scan, segment: number)
        self.lastSequence = max(self.lastSequence, scan.lastSequence)
        self.openBytes += scan.openBytes
        self.segments.append(Segment(recovering: file, number: number, header: header, scan: scan))
    }

    private mutating func keepSpare(_ name: String, _ number: UInt64) {
        self.nextNumber = max(self.nextNumber, number + 1)
        let path = "\(self.path)/\(name)"
        let (file, _) = SegmentFile.open(path, reserve: self.reserve)
        guard let file, !file.isPrivate, file.length >= SegmentHeader.byteCount else {
            _ = unlink(path)
            return
        }
        // It may have been about to become the segment that its header says.
        if let header = SegmentHeader(file.bytes), header.number <= JournalLimits.segmentNumberMax {
            self.nextNumber = max(self.nextNumber, header.number + 1)
            self.lastSequence = max(self.lastSequence, header.sequenceBefore)
        }
        self.spares.append(file)
    }

    private mutating func setAside(_ name: String, reason: String) {
        let damaged = name + SegmentName.damagedSuffix
        let isRenamed = rename("\(self.path)/\(name)", "\(self.path)/\(damaged)") == 0
        self.report.unreadable.append(.init(name: isRenamed ? damaged : name, reason: reason))
    }
}
