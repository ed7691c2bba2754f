/// A durable, bounded log of records, each of which is open until its owner sets it to ``JournalState/finished``.
///
/// Records lie in memory-mapped segment files; appending is a copy, without a system call or an allocation, and survives the
/// death of the process. Not `Sendable`: bound to one event loop, or guarded by its owner's lock. Appending goes in two
/// steps: ``reserve(_:now:)``, then any of ``define(_:_:time:)`` and ``append(kind:state:time:flags:_:_:_:)`` that fit.
public final class JournalLog {
    /// The name in the journal's folder.
    public let name: String
    /// What was found when the log was opened.
    public let recovery: RecoveryReport
    let configuration: JournalConfiguration
    let directory: JournalDirectory
    let path: String
    let folder: SyncedDescriptor
    /// What is shared with the thread that syncs, and what it must be told.
    package let sync: LogSync
    private var debt: SyncDebt

    /// By number. The last one is never freed: it remembers numbers and sequences over restarts.
    var segments: [Segment]
    /// The last segment, while it takes records. A segment of an earlier process takes none.
    var active: Segment? {
        didSet { self.writer = self.active.map { .passUnretained($0) } }
    }
    /// ``active``, uncounted: each append and each change of a state uses it.
    private var writer: Unmanaged<Segment>?
    var spares: [SegmentFile]
    var nextNumber: UInt64
    var refusedUntil: (from: Int64, until: Int64, refusal: JournalRefusal)?
    /// The segment that was looked up last, uncounted: it is one of ``segments``.
    private var recent: Unmanaged<Segment>?
    /// No record before it is open.
    private var oldestCursor = JournalPosition(rawValue: 0)
    private(set) var isClosed = false

    /// The sequence of the last record, over restarts; 0 before the first.
    public private(set) var lastSequence: UInt64
    /// Records that are not finished.
    public private(set) var openRecords: Int
    /// The payload of the records that are not finished, in bytes.
    public private(set) var bytes: Int
    /// The sum of the log's files, those that wait for reuse included, in bytes.
    public internal(set) var diskBytes: Int

    init(name: String, configuration: JournalConfiguration, directory: JournalDirectory, recovered: LogRecovery) {
        self.name = name
        self.configuration = configuration
        self.directory = directory
        self.path = recovered.path
        self.folder = recovered.folder
        self.recovery = recovered.report
        self.segments = recovered.segments
        self.spares = recovered.spares
        self.nextNumber = recovered.nextNumber
        self.lastSequence = recovered.lastSequence
        self.openRecords = recovered.report.openRecords
        self.bytes = recovered.openBytes
        self.diskBytes = 0
        self.sync = LogSync(folder: self.folder)
        self.debt = SyncDebt(
            openRecords: recovered.report.openRecords,
            end: JournalPosition(segment: recovered.nextNumber, offset: 0)
        )
        for segment in self.segments {
            // An earlier process may not have come to it.
            segment.file.synced.markDirty()
            self.sync.add(segment.file.synced)
        }
        self.sync.tell(self.debt.word)
        self.directory.sync.add(self.sync)
        self.diskBytes = self.segments.reduce(0) { $0 + $1.file.length } + self.spares.reduce(0) { $0 + $1.length }
        for segment in self.segments where segment.openRecords == 0 { self.free(segment) }
        self.trimSpares(to: JournalLimits.spareSegmentsMax)
    }

    deinit {
        guard !self.isClosed else { return }
        self.letGo()
        self.directory.logEnded(self.name, isClean: false)
    }

    // MARK: Appending

    /// The bytes that a record with so much payload takes from a reservation.
    public static func byteCount(ofRecord payloadBytes: Int) -> Int { RecordLayout.size(payload: payloadBytes) }

    /// The bytes that a definition of so many bytes takes from a reservation.
    public static func byteCount(ofDefinition bytes: Int) -> Int {
        RecordLayout.size(payload: JournalKey.byteCount + bytes)
    }

    /// Makes sure that so many bytes fit into one segment, beginning a new one where they do not.
    ///
    /// What is appended next lies in the segment whose number is returned; definitions that it needs must be in there too, so
    /// their bytes belong in the reservation even if they are defined in the present segment.
    ///
    /// - Parameters:
    ///   - byteCount: the sum of ``byteCount(ofRecord:)`` and ``byteCount(ofDefinition:)`` of what comes.
    ///   - now: milliseconds of a clock; kept as the time of a new segment, and used to pause after a failure.
    @inline(__always)
    public func reserve(_ byteCount: Int, now: Int64) -> Result<UInt64, JournalRefusal> {
        if let number = self.writer?._withUnsafeGuaranteedRef({ $0.room >= byteCount ? $0.number : nil }) {
            return .success(number)
        }
        return self.roll(byteCount, now: now)
    }

    /// Writes the bytes that `key` stands for into the present segment. They must have been reserved.
    public func define(_ key: JournalKey, _ bytes: UnsafeRawBufferPointer, time: Int64) {
        guard let active = self.active else { preconditionFailure("nothing was reserved in the journal") }
        active.append(definition: bytes, for: key, sequence: self.lastSequence, time: time)
    }

    /// Appends a record whose payload is the parts as one. Its bytes must have been reserved.
    ///
    /// - Parameter time: milliseconds since 1970, given back by ``oldestOpen()`` and the record's view.
    public func append(
        kind: UInt8,
        state: JournalState,
        time: Int64,
        flags: UInt16 = 0,
        _ part0: UnsafeRawBufferPointer,
        _ part1: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0),
        _ part2: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)
    ) -> JournalPosition {
        guard let writer = self.writer else { preconditionFailure("nothing was reserved in the journal") }
        self.noticeTurn()
        let sequence = self.lastSequence + 1
        let position = writer._withUnsafeGuaranteedRef { active in
            let offset = active.append(
                .record,
                kind: kind,
                state: state,
                flags: flags,
                sequence: sequence,
                time: time,
                part0,
                part1,
                part2
            )
            return JournalPosition(segment: active.number, offset: offset)
        }
        self.lastSequence = sequence
        if state != .finished {
            self.openRecords += 1
            self.bytes += part0.count + part1.count + part2.count
            self.debt.appended()
            self.sync.tell(self.debt.word)
        }
        return position
    }

    // MARK: State

    /// Changes the state of an open record. `finished` is final: the segment of the record may be freed at once.
    ///
    /// - Returns: false, and nothing is changed, where the record is finished already or does not exist.
    @discardableResult
    public func setState(_ state: JournalState, at position: JournalPosition) -> Bool {
        guard let segment = self.uncounted(position.segment) else { return false }
        let change = segment._withUnsafeGuaranteedRef { self.setState(state, at: position, in: $0) }
        if case .lastFinished = change { self.free(segment.takeUnretainedValue()) }
        return change != .none
    }

    private enum Change {
        case none, made
        /// Nothing in the segment is open any more, and it takes no records.
        case lastFinished
    }

    @inline(__always)
    private func setState(_ state: JournalState, at position: JournalPosition, in segment: Segment) -> Change {
        guard segment.hasRecord(at: position.offset), segment.state(at: position.offset) != .finished else {
            return .none
        }
        self.noticeTurn()
        segment.setState(state, at: position.offset)
        if state == .finished { self.debt.finished(at: position) } else { self.debt.changed(at: position) }
        self.sync.tell(self.debt.word)
        guard state == .finished else { return .made }
        self.openRecords -= 1
        self.bytes -= segment.header(at: position.offset).length
        return segment.openRecords == 0 && segment !== self.segments.last ? .lastFinished : .made
    }

    /// The state of a record; nil where its segment was freed, because everything in it was finished, or never was.
    public func state(at position: JournalPosition) -> JournalState? {
        guard let segment = self.segment(position.segment), segment.hasRecord(at: position.offset) else { return nil }
        return segment.state(at: position.offset)
    }

    // MARK: Reading

    /// The first open record behind `position`, which need not exist any more; the first of all for nil.
    public func next(after position: JournalPosition?) -> JournalRecordView? {
        var index = 0
        if let position {
            index = self.index(ofFirstSegmentFrom: position.segment)
            if index < self.segments.count, self.segments[index].number == position.segment {
                let segment = self.segments[index]
                // A position is one that this log gave: between its records is nothing to be found.
                let isRecord = segment.hasRecord(at: position.offset)
                let start = isRecord ? segment.offset(after: position.offset) : segment.firstOffset
                if let offset = segment.openRecord(from: start), offset > position.offset {
                    return self.view(segment, offset)
                }
                index += 1
            }
        }
        while index < self.segments.count {
            let segment = self.segments[index]
            if let offset = segment.openRecord(from: segment.firstOffset) { return self.view(segment, offset) }
            index += 1
        }
        return nil
    }

    /// The record at a position that the log gave, finished or not; nil where its segment was freed.
    public func record(at position: JournalPosition) -> JournalRecordView? {
        guard let segment = self.segment(position.segment), segment.hasRecord(at: position.offset) else { return nil }
        return self.view(segment, position.offset)
    }

    /// The bytes that were defined for `key` in a segment, good as long as a record there is open; nil where there are none, or
    /// where they were damaged.
    public func definition(_ key: JournalKey, in segment: UInt64) -> UnsafeRawBufferPointer? {
        self.segment(segment)?.definition(key)
    }

    /// When the oldest open record was appended, in milliseconds since 1970, and where it is.
    public func oldestOpen() -> (time: Int64, position: JournalPosition)? {
        guard self.openRecords > 0 else { return nil }
        var start = self.oldestCursor
        // The record at the cursor itself may still be open.
        if let segment = self.segment(start.segment), segment.hasRecord(at: start.offset) {
            let header = segment.header(at: start.offset)
            if header.isOpen { return (header.time, start) }
        } else {
            start = JournalPosition(segment: start.segment, offset: 0)
        }
        guard let view = self.next(after: start) else { return nil }
        self.oldestCursor = view.position
        return (view.time, view.position)
    }

    // MARK: End

    /// Returns when everything that was appended to this log before is on the disk. Waits for the disk.
    ///
    /// - Returns: whether everything arrived; if not, ``JournalSync/firstFailure`` says why.
    @discardableResult
    public func syncNow() -> Bool {
        self.directory.sync.sync(self.sync)
    }

    /// Has what was appended and changed so far on the disk soon (``JournalSyncPolicy/interval(milliseconds:)``), although all of
    /// it may be finished: for a record that must not come back after a stop of the machine.
    public func syncSoon() {
        self.noticeTurn()
        self.debt.require()
        self.sync.tell(self.debt.word)
    }

    @inline(__always)
    private func noticeTurn() {
        let turn = self.sync.currentTurn
        if turn != self.debt.turn { self.turnBegan(turn) }
    }

    @inline(never)
    private func turnBegan(_ turn: UInt32) {
        let number = self.active?.number ?? self.nextNumber
        let end = JournalPosition(segment: number, offset: self.active?.end ?? 0)
        self.debt.began(turn, arrived: self.sync.arrivedTurn, end: end)
    }

    /// Whether something was written that may not be on the disk yet.
    public var isDirty: Bool { self.sync.isDirty }

    /// Brings everything to the disk and lets go of the files. Views are not valid any more, appends are refused. Once is enough.
    ///
    /// - Returns: whether everything arrived on the disk.
    @discardableResult
    public func close() -> Bool {
        guard !self.isClosed else { return true }
        let isComplete = self.syncNow()
        self.letGo()
        self.directory.logEnded(self.name, isClean: isComplete)
        return isComplete
    }

    private func letGo() {
        self.isClosed = true
        self.directory.sync.remove(self.sync)
        self.segments = []
        self.spares = []
        self.active = nil
        self.recent = nil
        self.openRecords = 0
        self.bytes = 0
        self.diskBytes = 0
    }

    // MARK: Segments

    func segment(_ number: UInt64) -> Segment? { self.uncounted(number)?.takeUnretainedValue() }

    @inline(__always)
    private func uncounted(_ number: UInt64) -> Unmanaged<Segment>? {
        if let writer = self.writer, writer._withUnsafeGuaranteedRef({ $0.number == number }) { return writer }
        if let recent = self.recent, recent._withUnsafeGuaranteedRef({ $0.number == number }) { return recent }
        return self.lookUp(number)
    }

    private func lookUp(_ number: UInt64) -> Unmanaged<Segment>? {
        let index = self.index(ofFirstSegmentFrom: number)
        guard index < self.segments.count, self.segments[index].number == number else { return nil }
        let found = Unmanaged.passUnretained(self.segments[index])
        self.recent = found
        return found
    }

    /// The index of the first segment whose number is not below `number`.
    func index(ofFirstSegmentFrom number: UInt64) -> Int {
        var low = 0
        var high = self.segments.count
        while low < high {
            let middle = (low + high) / 2
            if self.segments[middle].number < number { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func forgetRecent() { self.recent = nil }

    private func view(_ segment: Segment, _ offset: Int) -> JournalRecordView {
        JournalRecordView(
            segment.header(at: offset),
            position: JournalPosition(segment: segment.number, offset: offset),
            in: segment.bytes
        )
    }
}
