import DualWriteCore
public import ShadowJournal
public import SystemPackage
import Synchronization

/// What is kept beyond the life of the process: the journals of what the clusters are owed, the dirty set, the dead letters.
///
/// Thread-safe. One process at a time owns its folder. It survives the death of the process at any moment; what it takes to
/// survive that of the machine is said by the sync policy.
public final class ShadowStore: Sendable {
    /// What can be set.
    public struct Configuration: Sendable {
        /// When appended bytes must be on the disk.
        public var sync = JournalSyncPolicy.interval(milliseconds: 10)
        /// What one loop may keep for one cluster, in bytes.
        public var bytesMax = 1 << 30
        /// The greatest length of a file, in bytes (``JournalLimits/shortSegmentBytes``).
        public var segmentBytes = 16 << 20
        /// The dirty set, in bytes.
        public var dirtyBytesMax = 64 << 20
        /// The dead letters, in bytes.
        public var deadLetterBytesMax = 64 << 20
        /// What reserves the blocks of a file in the place of the system, for tests of a full disk: its descriptor and its
        /// length, and what `posix_fallocate` answers.
        package var reserveBlocks: (@Sendable (Int32, Int) -> Int32)?

        /// The defaults documented on each property.
        public init() {}

        fileprivate func log(segmentBytes: Int, bytesMax: Int) -> JournalConfiguration {
            var log = JournalConfiguration(segmentBytes: segmentBytes, bytesMax: bytesMax)
            if let reserveBlocks { log.reserveBlocks = reserveBlocks }
            return log
        }
    }

    static let dirtyName = "dirty"
    static let dirtyTablesName = "dirty-tables"
    /// Room for the names of some thousand tables.
    private static let dirtyTablesBytes = 256 << 10
    static let deadLettersName = "dead-letters"

    let dirty: DirtySet
    let deadLetters: DeadLetters
    /// Whether no change of a state can be lost: the machine has not stopped since.
    let statesAreCurrent: Bool
    /// The last write timestamp of each loop.
    let timestamps: HighestNumbers
    /// Whether partitions in doubt, or dead letters, were found damaged: what they said is not known any more.
    let mayHaveForgottenDoubts: Bool
    private let directory: JournalDirectory
    private let configuration: Configuration
    private let complaints: Mutex<[String]>

    /// Takes possession of a folder.
    ///
    /// - Parameters:
    ///   - onSyncFailure: told the first time that the disk does not take bytes, on whichever thread that was found.
    /// - Throws: ``JournalError`` with what is wrong with the folder and what to do.
    public init(
        _ path: FilePath,
        _ configuration: Configuration = Configuration(),
        onSyncFailure: (@Sendable (JournalError) -> Void)? = nil
    ) throws(JournalError) {
        self.configuration = configuration
        self.directory = try JournalDirectory(path, sync: configuration.sync, onSyncFailure: onSyncFailure)
        self.timestamps = try self.directory.highestNumbers()
        self.statesAreCurrent = self.directory.previousEnd != .machineStopped
        let dirty = try self.directory.openLog(
            named: Self.dirtyName,
            configuration: configuration.log(segmentBytes: 1 << 20, bytesMax: configuration.dirtyBytesMax)
        )
        let tables = try self.directory.openLog(
            named: Self.dirtyTablesName,
            configuration: configuration.log(
                segmentBytes: Self.dirtyTablesBytes,
                bytesMax: 2 * Self.dirtyTablesBytes
            )
        )
        // Its room is taken before there is none.
        _ = tables.reserve(Self.dirtyTablesBytes / 2, now: 0)
        var remarks = Self.remarks(on: dirty.recovery, Self.dirtyName)
        remarks += Self.remarks(on: tables.recovery, Self.dirtyTablesName)
        let isDirtyComplete = dirty.recovery.isComplete && tables.recovery.isComplete
        self.dirty = DirtySet(partitions: dirty, tables: tables)
        let letters = try self.directory.openLog(
            named: Self.deadLettersName,
            configuration: configuration.log(segmentBytes: 1 << 20, bytesMax: configuration.deadLetterBytesMax)
        )
        remarks += Self.remarks(on: letters.recovery, Self.deadLettersName)
        self.mayHaveForgottenDoubts = !isDirtyComplete || !letters.recovery.isComplete
        self.deadLetters = DeadLetters(letters)
        self.complaints = Mutex(remarks)
    }

    /// How long the answers of a tick must wait for the disk: true where they must not leave before everything is there.
    var answersWaitForDisk: Bool { self.configuration.sync == .always }

    /// What one loop may keep for one cluster, in bytes.
    var bytesMax: Int { self.configuration.bytesMax }

    /// How often the disk did not take bytes.
    var syncFailures: Int { self.directory.sync.failures }

    private static func name(_ cluster: Cluster, _ loop: Int) -> String { "\(cluster)-\(loop)" }

    /// Opens the journal of what one loop owes one cluster. To be used on the loop's thread only.
    func openLog(of cluster: Cluster, loop: Int) throws(JournalError) -> sending JournalLog {
        let name = Self.name(cluster, loop)
        let log = try self.directory.openLog(
            named: name,
            configuration: self.configuration.log(
                segmentBytes: self.configuration.segmentBytes,
                bytesMax: self.configuration.bytesMax
            )
        )
        let remarks = Self.remarks(on: log.recovery, name)
        self.complaints.withLock { $0 += remarks }
        return log
    }

    /// Moves into a log what a process with more loops has left in others of the same cluster.
    ///
    /// - Parameter loops: how many loops there are now.
    func takeOver(into log: JournalLog, of cluster: Cluster, loops: Int) throws(JournalError) {
        let used = Set((0..<loops).map { Self.name(cluster, $0) })
        for name in try self.directory.logNames where name.hasPrefix("\(cluster)-") && !used.contains(name) {
            let orphan = try self.directory.openLog(named: name, configuration: .init(bytesMax: .max))
            var last: JournalPosition?
            while let record = orphan.next(after: last) {
                last = record.position
                let entry = PortableEntry(record.payload, of: record, in: orphan)
                // Where there is no room it stays where it is, for the next start.
                guard entry.append(to: log, state: record.state, now: record.time) != nil else { break }
                orphan.setState(.finished, at: record.position)
            }
            orphan.close()
        }
    }

    /// What was found damaged when the logs were opened; each is told once.
    func remarks() -> [String] {
        self.complaints.withLock { remarks in
            defer { remarks = [] }
            return remarks
        }
    }

    private static func remarks(on report: RecoveryReport, _ name: String) -> [String] {
        guard !report.isComplete else { return [] }
        let unreadable = report.unreadable.map { "\($0.name) (\($0.reason))" }.joined(separator: ", ")
        return [
            "\(name): \(report.damagedCount) damaged ranges with \(report.damagedBytes) bytes, "
                + "\(report.damagedHeaders.count) damaged headers"
                + (unreadable.isEmpty ? "" : ", unreadable files: \(unreadable)")
        ]
    }

    /// Marks the folder as cleanly closed. The logs of the loops must be closed before.
    public func close() {
        self.dirty.close()
        self.deadLetters.close()
        _ = try? self.directory.close()
    }
}
