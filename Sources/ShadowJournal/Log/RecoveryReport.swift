/// What was found in a log when it was opened.
public struct RecoveryReport: Sendable, Equatable {
    /// A part of a segment that was written once and cannot be read any more.
    public struct DamagedRange: Sendable, Equatable {
        /// The number of the segment.
        public let segment: UInt64
        /// The first damaged byte.
        public let offset: Int
        /// How many bytes; the records in them are lost.
        public let bytes: Int
    }

    /// A file that could not be used.
    public struct UnreadableFile: Sendable, Equatable {
        /// Its name in the log's folder, after it was set aside where that was done.
        public let name: String
        /// What was wrong with it.
        public let reason: String
    }

    /// Segments that were read.
    public internal(set) var segments = 0
    /// Whole records.
    public internal(set) var records = 0
    /// Whole records that are not finished.
    public internal(set) var openRecords = 0
    /// Whole definitions.
    public internal(set) var definitions = 0
    /// Damaged ranges, the first ``JournalLimits/damagedRangesListedMax`` of them.
    public internal(set) var damaged: [DamagedRange] = []
    /// How many damaged ranges there are.
    public internal(set) var damagedCount = 0
    /// The bytes in all damaged ranges.
    public internal(set) var damagedBytes = 0
    /// The bytes that cannot be read and had not been brought to the disk when the machine stopped (``JournalSyncPolicy``): what
    /// is lost there was finished, or younger than the policy promises.
    public internal(set) var unsyncedBytes = 0
    /// Segments whose header cannot be read or belongs to another number; the records in them were looked for all the same.
    public internal(set) var damagedHeaders: [UInt64] = []
    /// Segments whose changes of state stay in memory, because the disk had no room for the holes of their files.
    public internal(set) var heldInMemory: [UInt64] = []
    /// Files that no record could be got from: renamed to `….damaged`, or left where they are.
    public internal(set) var unreadable: [UnreadableFile] = []
    /// Names in the folder that are not of the journal; they are left alone.
    public internal(set) var foreign: [String] = []

    /// Whether everything that was written was read.
    public var isComplete: Bool { self.damagedCount == 0 && self.damagedHeaders.isEmpty && self.unreadable.isEmpty }

    mutating func add(_ scan: SegmentScan, segment: UInt64) {
        self.segments += 1
        self.records += scan.records
        self.openRecords += scan.openRecords
        self.definitions += scan.definitionCount
        self.unsyncedBytes += scan.unsynced.reduce(0) { $0 + $1.count }
        for range in scan.damaged {
            self.damagedCount += 1
            self.damagedBytes += range.count
            guard self.damaged.count < JournalLimits.damagedRangesListedMax else { continue }
            self.damaged.append(DamagedRange(segment: segment, offset: range.lowerBound, bytes: range.count))
        }
    }
}
