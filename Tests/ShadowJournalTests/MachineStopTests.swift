import ShadowJournal
import SystemPackage
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A log on a machine that stops: what was synced is on the disk, of the rest the kernel has written some pages, as they were at
/// some moment, and some names.
struct MachineStopTests {
    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `what was owed for two turns is there after a stop of the machine, and what was lost is no damage`(
        seed: UInt64
    ) throws {
        let life = try StoppableLife(seed: seed)
        for step in 0..<1_500 {
            try life.take(step)
            if step % 25 == 24 { try life.stopMachine() }
        }
        #expect(life.syncs > 10 && life.quietTurns > 0, "seed \(seed): \(life.syncs) syncs, \(life.quietTurns) without")
    }

    @Test func `a file that was used again and not synced since is no damage, and nothing in it comes back`() throws {
        let life = try StoppableLife(seed: 1, shadowKeepsUp: true)
        for step in 0..<200 { try life.take(step) }
        life.syncAll()
        let number = life.log.segmentNumber
        // The file gets its next number and other records; of that the disk has the new name alone.
        while life.log.segmentNumber < number + 3 { try life.appendAndFinish() }
        life.writeNames()
        let (log, _) = try life.imageAfterStop()
        #expect(log.recovery.isComplete && log.open() == [], "\(log.recovery)")
    }

    @Test func `a file that was given back does not come back under its old name after a fence`() throws {
        let life = try StoppableLife(seed: 1)
        for _ in 0..<100 { try life.append() }
        life.syncAll()
        let first = life.log.next(after: nil)?.position.segment ?? 0
        life.finish(until: first + 1)
        life.log.syncSoon()
        for _ in 0..<2 { life.endTurn() }
        let (log, _) = try life.imageAfterStop()
        #expect(log.open().count == life.log.openRecords && log.openRecords > 0)
    }

    @Test func `a page that was synced and is gone is damage`() throws {
        let life = try StoppableLife(seed: 1)
        for _ in 0..<40 { try life.append() }
        life.syncAll()
        life.losePage(1)
        let (log, _) = try life.imageAfterStop()
        #expect(!log.recovery.isComplete && log.recovery.unsyncedBytes == 0)
        #expect(log.openRecords > 0 && log.openRecords < 40)
    }
}

extension JournalLog {
    fileprivate var segmentNumber: UInt64 { (try? self.reserve(8, now: 0).get()) ?? 0 }
}

private final class StoppableLife {
    private struct Known {
        var position: JournalPosition
        var payload: [UInt8]
        var sequence: UInt64
        var turn: Int
    }

    private static let pageBytes = 4_096
    private static let configuration = JournalConfiguration(segmentBytes: 4 * 4_096, bytesMax: 1 << 20)

    private let seed: UInt64
    private var random: SeededRandom
    private let scratch = Scratch(inMemory: true)
    private let directory: JournalDirectory
    let log: JournalLog
    private let shadowKeepsUp: Bool

    private var open: [Known] = []
    private var payloads: [UInt64: [UInt8]] = [:]
    private var turn = 0
    /// Sequences that were finished before a moment that must be on the disk, and the turn of that moment.
    private var mustStayFinished: (sequences: Set<UInt64>, turn: Int) = ([], 0)
    private var finished: Set<UInt64> = []
    /// When a file was begun last whose first header the disk does not have.
    private var newFileTurn = 0
    private var namesSeen: Set<String> = []
    private(set) var syncs = 0
    private(set) var quietTurns = 0

    /// The disk: pages by file, and the names that it knows.
    private var pages: [UInt64: [UInt8]] = [:]
    private var names: [String: UInt64] = [:]

    init(seed: UInt64, shadowKeepsUp: Bool = false) throws {
        self.seed = seed
        self.random = SeededRandom(seed: seed)
        self.shadowKeepsUp = shadowKeepsUp
        self.directory = try JournalDirectory(at: self.scratch.journal)
        self.log = try self.directory.openLog(named: "target-0", configuration: Self.configuration)
    }

    func take(_ step: Int) throws {
        switch Int.random(in: 0..<100, using: &self.random) {
        case 0..<50: try self.append()
        case 50..<(self.shadowKeepsUp ? 100 : 88): self.finish()
        case 88..<94: self.endTurn()
        case 94..<96: self.writeBack()
        case 96: self.writeNames()
        case 97:
            self.log.syncSoon()
            self.mustStayFinished = (self.finished, self.turn)
        default:
            // The shadow catches up.
            while self.open.count > 3 { self.finish() }
        }
    }

    func append() throws {
        let payload = [UInt8](
            repeating: UInt8.random(in: 0...255, using: &self.random),
            count: Int.random(in: 50...900, using: &self.random)
        )
        let position = try self.log.add(payload)
        self.payloads[self.log.lastSequence] = payload
        self.open.append(.init(position: position, payload: payload, sequence: self.log.lastSequence, turn: self.turn))
        for (name, file) in self.currentNames() where name.hasPrefix("segment-") {
            let isNew = self.namesSeen.insert(name).inserted
            let hasHeader = self.pages[file]?.prefix(8).contains { $0 != 0 } ?? false
            if isNew, !hasHeader { self.newFileTurn = self.turn }
        }
    }

    func appendAndFinish() throws {
        try self.append()
        while !self.open.isEmpty { self.finish() }
    }

    private func finish() {
        guard !self.open.isEmpty else { return }
        let range = Int.random(in: 0..<6, using: &self.random) > 0 ? min(3, self.open.count) : self.open.count
        let known = self.open.remove(at: Int.random(in: 0..<range, using: &self.random))
        #expect(self.log.setState(.finished, at: known.position))
        self.finished.insert(known.sequence)
    }

    /// Finishes all records before a segment.
    func finish(until segment: UInt64) {
        for known in self.open where known.position.segment < segment {
            self.log.setState(.finished, at: known.position)
        }
        self.open.removeAll { $0.position.segment < segment }
    }

    /// What the thread does at the end of an interval.
    func endTurn() {
        self.turn += 1
        guard let turn = self.log.sync.endTurn() else {
            self.quietTurns += 1
            return
        }
        self.syncs += 1
        self.syncAll()
        self.log.sync.arrived(turn)
    }

    func syncAll() {
        if self.log.sync.descriptors[0].isDirty { self.writeNames() }
        #expect(self.log.syncNow())
        for (name, file) in self.currentNames() where name.hasPrefix("segment-") {
            self.pages[file] = Scratch.read(self.scratch.file(name))
        }
    }

    // MARK: The kernel's own doing

    /// Brings some pages of a file to the disk: the first one, which tells the end of the records, with all of the others, or not
    /// at all, as the kernel writes a file from its begin to its end.
    private func writeBack() {
        guard let (name, file) = self.currentNames().randomElement(using: &self.random) else { return }
        let now = Scratch.read(self.scratch.file(name))
        var disk = self.pages[file] ?? [UInt8](repeating: 0, count: now.count)
        let isWhole = Int.random(in: 0..<4, using: &self.random) == 0
        // A name is in the journal of the file system within seconds, long before a page is written because of its age.
        if !isWhole { self.writeNames() }
        for page in (isWhole ? 0 : 1)..<now.count / Self.pageBytes {
            guard isWhole || Bool.random(using: &self.random) else { continue }
            let range = page * Self.pageBytes..<(page + 1) * Self.pageBytes
            disk.replaceSubrange(range, with: now[range])
        }
        self.pages[file] = disk
    }

    func writeNames() { self.names = self.currentNames() }

    func losePage(_ page: Int) {
        for file in self.pages.keys {
            self.pages[file]?.replaceSubrange(
                page * Self.pageBytes..<(page + 1) * Self.pageBytes,
                with: repeatElement(0, count: Self.pageBytes)
            )
        }
    }

    private func currentNames() -> [String: UInt64] {
        var names: [String: UInt64] = [:]
        for name in self.scratch.files() {
            var status = stat()
            guard lstat(self.scratch.file(name), &status) == 0 else { continue }
            names[name] = UInt64(status.st_ino)
        }
        return names
    }

    // MARK: The stop

    func imageAfterStop() throws -> (JournalLog, Scratch) {
        let image = Scratch(inMemory: true)
        mkdir(image.journal, 0o700)
        mkdir(image.journal + "/target-0", 0o700)
        Scratch.write(Array("cluster-sync journal 1\nboot another\nend open\n".utf8), to: image.journal + "/JOURNAL")
        for (name, file) in self.names {
            let empty = [UInt8](repeating: 0, count: Self.configuration.segmentBytes)
            Scratch.write(self.pages[file] ?? empty, to: image.file(name))
        }
        let log = try JournalDirectory(at: image.journal)
            .openLog(named: "target-0", configuration: Self.configuration)
        return (log, image)
    }

    func stopMachine() throws {
        let context: Comment = "seed \(self.seed), turn \(self.turn)"
        let (log, image) = try self.imageAfterStop()
        defer { withExtendedLifetime(image) {} }
        let found = log.open()
        let sequences = Set(found.map(\.sequence))
        for known in self.open where known.turn + 2 <= self.turn {
            #expect(sequences.contains(known.sequence), "\(context): #\(known.sequence) of turn \(known.turn) is lost")
        }
        for entry in found { #expect(entry.payload == self.payloads[entry.sequence], context) }
        if self.mustStayFinished.turn + 2 <= self.turn {
            #expect(self.mustStayFinished.sequences.isDisjoint(with: sequences), context)
        }
        // The first header of a file is on the disk two turns after it was made.
        if self.newFileTurn + 2 <= self.turn { #expect(log.recovery.isComplete, "\(context): \(log.recovery)") }
    }
}
