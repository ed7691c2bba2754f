public import SystemPackage

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Reads a journal without owning it, also while its owner writes. Changes nothing.
///
/// Each answer is a look at the files of that moment: a segment that becomes free meanwhile is passed over.
public struct JournalInspector: Sendable {
    /// The folder.
    public let path: FilePath
    /// How often a folder is read at most because its writer goes on meanwhile.
    private static let listingsMax = 4

    private let folder: String
    private let state: DirectoryState?

    /// Opens the folder of a journal for reading.
    public init(_ path: FilePath) throws(JournalError) {
        self.path = path
        self.folder = path.string
        let (status, number) = SystemCalls.status(of: self.folder)
        guard let status else {
            throw number == ENOENT
                ? JournalError(
                    .missing,
                    self.folder,
                    "there is no journal '\(self.folder)'; name the folder that holds it"
                )
                : .failed("looking up", self.folder, number)
        }
        try LogFolder.checkFolder(status, self.folder)
        switch try DirectoryState.read(in: self.folder) {
        case .state(let state): self.state = state
        // What can be read is shown, so that damage can be looked at.
        case .damaged: self.state = nil
        case .missing:
            guard try !LogFolder.names(in: self.folder).isEmpty else { throw Self.foreign(self.folder) }
            self.state = nil
        case .foreign: throw Self.foreign(self.folder)
        case .version(let version):
            throw JournalError(
                .version,
                self.folder,
                "the journal '\(self.folder)' has format \(version), which this program does not know"
            )
        }
    }

    private static func foreign(_ folder: String) -> JournalError {
        JournalError(.foreign, folder, "'\(folder)' is no journal; name the folder that holds one")
    }

    /// Whether a process owns the journal now, and which, where that is known.
    public var owner: (isOwned: Bool, pid: Int?) { DirectoryLock.owner(of: self.folder) }

    /// Whether the last owner closed the journal; nil where one has it open now, or that cannot be read.
    public var wasClosed: Bool? { self.owner.isOwned ? nil : self.state.map { !$0.isOpen } }

    /// The logs, sorted.
    public var logNames: [String] { get throws(JournalError) { try LogFolder.names(in: self.folder) } }

    /// Counts what a log holds, and verifies every checksum. Reads all of its files.
    public func summary(of log: String) throws(JournalError) -> LogSummary {
        var summary = LogSummary(name: log)
        let path = try self.path(of: log)
        let (names, number) = SystemCalls.names(in: path)
        guard number == 0 else { throw .failed("reading", path, number) }
        for name in names {
            switch SegmentName(name) {
            case .segment: continue
            case .spare:
                guard let status = SystemCalls.status(of: "\(path)/\(name)").status else { continue }
                summary.spares += 1
                summary.diskBytes += Int(status.st_size)
            case .damaged:
                let reason = "set aside when the log was opened"
                summary.content.unreadable.append(.init(name: name, reason: reason))
            case nil: summary.content.foreign.append(name)
            }
        }
        try self.forEachSegment(in: path) { name, number in
            self.add("\(path)/\(name)", name, number, to: &summary)
            return true
        }
        return summary
    }

    private func add(_ path: String, _ name: String, _ number: UInt64, to summary: inout LogSummary) {
        let (snapshot, failure) = SegmentSnapshot.take(path, number: number)
        guard let snapshot else {
            if failure != 0 {
                summary.content.unreadable.append(.init(name: name, reason: SystemCalls.reason(failure)))
            }
            return
        }
        let scan = self.scan(snapshot, number) { header, _ in
            guard header.recordClass == .record else { return }
            summary.newest = max(summary.newest ?? header.time, header.time)
            if header.isOpen, summary.oldestOpen == nil { summary.oldestOpen = header.time }
        }
        // After a stop of the machine the header may be that of the file's life before (``LogRecovery``).
        if snapshot.header?.number != number, snapshot.header == nil || self.endsAreCurrent {
            summary.content.damagedHeaders.append(number)
        }
        summary.segments += 1
        summary.diskBytes += snapshot.fileBytes
        summary.openBytes += scan.openBytes
        summary.lastSequence = max(summary.lastSequence, scan.lastSequence, snapshot.header?.sequenceBefore ?? 0)
        summary.content.add(scan, segment: number)
    }

    /// Hands out every record of a log in order, finished ones too.
    ///
    /// - Parameter body: gets the record and what its segment defines for a key; both are good until it returns. It answers
    ///   whether to go on.
    public func forEachRecord(
        in log: String,
        _ body: (JournalRecordView, (JournalKey) -> UnsafeRawBufferPointer?) -> Bool
    ) throws(JournalError) {
        let path = try self.path(of: log)
        try self.forEachSegment(in: path) { name, number in
            guard let snapshot = SegmentSnapshot.take("\(path)/\(name)", number: number).snapshot else { return true }
            return self.forEachRecord(in: snapshot, number, body)
        }
    }

    /// Calls `body` for each segment in order, until it answers false. A writer can turn the last segment into the next one
    /// while it is looked for, so the folder is read again until nothing new comes.
    private func forEachSegment(in path: String, _ body: (String, UInt64) -> Bool) throws(JournalError) {
        var last: UInt64?
        for _ in 0..<Self.listingsMax {
            let (names, number) = SystemCalls.names(in: path)
            guard number == 0 else { throw .failed("reading", path, number) }
            var isNew = false
            for name in names {
                guard case .segment(let number) = SegmentName(name), last.map({ number > $0 }) ?? true else { continue }
                isNew = true
                last = number
                guard body(name, number) else { return }
            }
            guard isNew else { return }
        }
    }

    private func forEachRecord(
        in snapshot: SegmentSnapshot,
        _ number: UInt64,
        _ body: (JournalRecordView, (JournalKey) -> UnsafeRawBufferPointer?) -> Bool
    ) -> Bool {
        let bytes = snapshot.bytes
        var definitions: [JournalKey: Range<Int>] = [:]
        var goesOn = true
        _ = self.scan(snapshot, number) { header, offset in
            guard goesOn else { return }
            let payload = header.payloadRange(at: offset)
            switch header.recordClass {
            case .definition:
                let key = UnsafeRawBufferPointer(rebasing: bytes[payload.prefix(JournalKey.byteCount)])
                if let key = JournalKey(key) { definitions[key] = payload.dropFirst(JournalKey.byteCount) }
            case .record:
                let position = JournalPosition(segment: number, offset: offset)
                goesOn = body(JournalRecordView(header, position: position, in: bytes)) { key in
                    definitions[key].map { UnsafeRawBufferPointer(rebasing: bytes[$0]) }
                }
            }
        }
        return goesOn
    }

    private func scan(
        _ snapshot: SegmentSnapshot,
        _ number: UInt64,
        _ visit: (RecordHeader, Int) -> Void
    ) -> SegmentScan {
        SegmentScan(
            snapshot.bytes,
            number: number,
            header: snapshot.header,
            trustsEnd: self.endsAreCurrent,
            visit: visit
        )
    }

    /// Whether the ends that the headers tell hold: while the same boot goes on, or after a clean end.
    private var endsAreCurrent: Bool {
        let isSameBoot = self.state.map { state in
            !state.machineStopped && (!state.isOpen || state.bootID == DirectoryState.currentBootID())
        }
        return isSameBoot ?? false || self.owner.isOwned
    }

    private func path(of log: String) throws(JournalError) -> String {
        let path = "\(self.folder)/\(log)"
        try LogFolder.check(log, path)
        guard let status = SystemCalls.status(of: path).status else {
            let names = try self.logNames.joined(separator: ", ")
            throw JournalError(.missing, path, "there is no log '\(log)' in '\(self.folder)'; it holds: \(names)")
        }
        try LogFolder.checkFolder(status, path)
        return path
    }
}
