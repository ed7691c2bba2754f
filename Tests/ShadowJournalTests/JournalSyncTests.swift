import ShadowJournal
import Synchronization
import SystemPackage
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

struct JournalSyncTests {
    let scratch = Scratch()

    /// A descriptor that `fdatasync` refuses: the end of a pipe.
    private func unsyncable() -> SyncedDescriptor {
        let path = self.scratch.path + "/pipe"
        mkfifo(path, 0o600)
        return SyncedDescriptor(taking: open(path, O_RDWR), path: path, isFolder: false)
    }

    @Test func `what was appended is clean after a sync, and dirty after the next append`() throws {
        let directory = try JournalDirectory(FilePath(self.scratch.journal), sync: .always)
        let log = try directory.openLog(named: "target-0", configuration: small())
        let position = try log.add([1])
        #expect(log.isDirty)
        #expect(log.syncNow() && !log.isDirty)
        log.setState(.sent, at: position)
        #expect(log.isDirty)
        #expect(directory.sync.syncNow() && !log.isDirty && directory.sync.failures == 0)
    }

    @Test(.timeLimit(.minutes(1)))
    func `the thread syncs by itself while records are appended and segments come and go`() async throws {
        let directory = try JournalDirectory(FilePath(self.scratch.journal), sync: .interval(milliseconds: 1))
        let log = try directory.openLog(named: "target-0", configuration: small())
        for round in 0..<2_000 {
            let position = try log.add([UInt8](repeating: UInt8(truncatingIfNeeded: round), count: 500))
            if round % 3 != 0 { log.setState(.finished, at: position) }
            if round % 900 == 899 {
                while let view = log.next(after: nil) { log.setState(.finished, at: view.position) }
            }
            if log.openRecords > 100, let oldest = log.oldestOpen() { log.setState(.finished, at: oldest.position) }
        }
        while log.isDirty { await Task.yield() }
        #expect(directory.sync.failures == 0 && directory.sync.firstFailure == nil)
        log.close()
        #expect(try directory.close())
    }

    @Test func `the disk is not asked while the shadow keeps up, but for a new file and now and then`() throws {
        let log = try JournalDirectory(at: self.scratch.journal).openLog(named: "target-0")
        var turns: [Int] = []
        for turn in 0..<300 {
            for _ in 0..<20 { log.setState(.finished, at: try log.add([UInt8](repeating: 1, count: 400))) }
            guard let noticed = log.sync.endTurn() else { continue }
            turns.append(turn)
            log.sync.arrived(noticed)
        }
        #expect(turns.first == 1, "the first file")
        #expect(
            turns.count <= 5 && zip(turns, turns.dropFirst()).allSatisfy { $1 - $0 <= Int(LogSync.idleTurnsMax) + 1 }
        )
    }

    @Test func `what an earlier process has left is brought to the disk again`() throws {
        do {
            let log = try JournalDirectory(at: self.scratch.journal).openLog(named: "target-0", configuration: small())
            _ = try log.add([1])
        }
        let log = try JournalDirectory(at: self.scratch.journal).openLog(named: "target-0", configuration: small())
        #expect(log.isDirty && log.sync.endTurn() != nil)
    }

    @Test(.timeLimit(.minutes(1)))
    func `a disk that refuses is counted each time and told once`() async throws {
        let told = Mutex<[JournalError]>([])
        let directory = try JournalDirectory(FilePath(self.scratch.journal), sync: .interval(milliseconds: 1)) {
            error in
            told.withLock { $0.append(error) }
        }
        let target = self.unsyncable()
        target.markDirty()
        let log = LogSync(folder: target)
        var debt = SyncDebt(openRecords: 0, end: JournalPosition(rawValue: 0))
        debt.appended()
        log.tell(debt.word)
        directory.sync.add(log)
        while directory.sync.failures < 3 { await Task.yield() }
        #expect(told.withLock { $0.count } == 1)
        #expect(target.isDirty && !directory.sync.syncNow())
        #expect(directory.sync.firstFailure?.path == self.scratch.path + "/pipe")
        directory.sync.remove(log)
        #expect(directory.sync.syncNow(), "the others are not held up")
    }

    @Test func `a log that did not reach the disk leaves no mark of a clean end`() throws {
        let directory = try JournalDirectory(at: self.scratch.journal)
        let log = try directory.openLog(named: "target-0", configuration: small())
        _ = try log.add([1])
        // The descriptor of the segment's file becomes one that cannot be synced; the mapping stays.
        let file = self.scratch.file(self.scratch.files()[0])
        let descriptor = try #require(Scratch.descriptor(of: file))
        let unsyncable = self.unsyncable()
        #expect(withExtendedLifetime(unsyncable) { dup2(unsyncable.descriptor, descriptor) } == descriptor)
        _ = try log.add([2])
        #expect(!log.syncNow() && log.isDirty)
        #expect(!log.close())
        #expect(directory.sync.firstFailure?.path == file)
        #expect(try !directory.close())
        #expect(try JournalDirectory(at: self.scratch.journal).previousEnd == .killed)
    }
}
