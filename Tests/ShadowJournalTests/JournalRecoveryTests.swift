import ShadowJournal
import SystemPackage
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

struct JournalRecoveryTests {
    let scratch = Scratch(inMemory: true)

    private func open(_ path: String, _ configuration: JournalConfiguration = small()) throws -> JournalLog {
        try JournalDirectory(at: path).openLog(named: "target-0", configuration: configuration)
    }

    /// Leaves a journal behind as a process does that dies: nothing is closed.
    private func leave(_ body: (JournalLog) throws -> Void) throws {
        try body(try self.open(self.scratch.journal))
    }

    private static func stopMachine(_ journal: String) {
        Scratch.write(Array("cluster-sync journal 1\nboot another\nend open\n".utf8), to: journal + "/JOURNAL")
    }

    @Test func `everything is there after an abrupt end, states included`() throws {
        var positions: [JournalPosition] = []
        var expected: [Entry] = []
        try self.leave { log in
            positions = try (0..<200).map { try log.add([UInt8](repeating: UInt8($0), count: $0)) }
            for index in stride(from: 0, to: 200, by: 3) { log.setState(.finished, at: positions[index]) }
            log.setState(.sent, at: positions[100])
            expected = log.open()
        }
        let log = try self.open(self.scratch.journal)
        #expect(log.open() == expected && expected.count == 133)
        #expect(log.state(at: positions[100]) == .sent)
        #expect(log.recovery.isComplete && log.recovery.openRecords == 133)
        #expect(log.bytes == expected.reduce(0) { $0 + $1.payload.count } && log.lastSequence == 200)
        let next = try log.add([1])
        #expect(next > positions[199] && log.record(at: next)?.sequence == 201)
    }

    @Test func `a copy of the folder of a living journal can be opened`() throws {
        let log = try self.open(self.scratch.journal)
        for index in 0..<100 { _ = try log.add([UInt8](repeating: UInt8(index), count: 70)) }
        let copy = try self.open(self.scratch.copy(to: "copy"))
        #expect(copy.open() == log.open() && copy.recovery.isComplete)
    }

    @Test func `sequences and segment numbers go on over restarts, even when nothing is owed`() throws {
        var last = JournalPosition(rawValue: 0)
        for round in 1...5 {
            for path in [self.scratch.journal] {
                let directory = try JournalDirectory(at: path)
                let log = try directory.openLog(named: "target-0", configuration: small())
                #expect(log.lastSequence == UInt64(round - 1) * 100)
                for _ in 0..<100 {
                    let position = try log.add([UInt8](repeating: 1, count: 200))
                    #expect(position > last)
                    last = position
                    log.setState(.finished, at: position)
                }
                if round.isMultiple(of: 2) {
                    log.close()
                    try directory.close()
                }
            }
        }
        let log = try self.open(self.scratch.journal)
        #expect(log.lastSequence == 500 && log.open() == [] && log.diskBytes <= 3 * 4_096)
    }

    @Test func `definitions are found again`() throws {
        let key = JournalKey(high: 7, low: 8)
        var segment: UInt64 = 0
        try self.leave { log in
            segment = try log.reserve(1_000, now: 0).get()
            Array("text".utf8).withUnsafeBytes { log.define(key, $0, time: 0) }
            _ = try log.add([1])
        }
        let log = try self.open(self.scratch.journal)
        #expect(log.definition(key, in: segment).map(Array.init) == Array("text".utf8))
        #expect(log.recovery.definitions == 1 && log.recovery.records == 1)
    }

    @Test func `what a reused file held before never comes back`() throws {
        let old = [UInt8](repeating: 0xAA, count: 40)
        let new = [UInt8](repeating: 0xBB, count: 40)
        try self.leave { log in
            // Fill, finish and begin again in the same file: the new records end in the middle of the old ones.
            for position in try (0..<56).map({ _ in try log.add(old) }) { log.setState(.finished, at: position) }
            for _ in 0..<9 { _ = try log.add(new) }
            #expect(log.diskBytes == 4_096)
        }
        Self.stopMachine(self.scratch.journal)
        let log = try self.open(self.scratch.journal)
        #expect(log.open().map(\.payload) == Array(repeating: new, count: 9))
        #expect(log.recovery.records == 9 && log.recovery.isComplete)
        #expect(log.lastSequence > 65, "what was given out and lost is not given out again")
        let position = try log.add(new)
        #expect(position.segment > 60_000)
    }

    /// Five records and a definition in one segment, and where each record begins and ends.
    private func original() throws -> (path: String, bytes: [UInt8], entries: [Entry], ranges: [Range<Int>]) {
        var entries: [Entry] = []
        var starts: [Int] = []
        try self.leave { log in
            _ = try log.reserve(1_000, now: 0).get()
            [1, 2, 3].withUnsafeBytes { log.define(JournalKey(high: 1, low: 1), $0, time: 0) }
            starts = try [5, 0, 24, 17, 8].map { try log.add([UInt8](repeating: UInt8(0x40 + $0), count: $0)).offset }
            entries = log.open()
        }
        let path = self.scratch.file(self.scratch.files()[0])
        // A small file: the tail of zeros is cut, but for some.
        let ranges = zip(starts, entries).map { $0..<$0 + 32 + $1.payload.count }
        let bytes = Array(Scratch.read(path).prefix((ranges.last?.upperBound ?? 0) + 40))
        return (path, bytes, entries, ranges)
    }

    @Test(arguments: [false, true])
    func `a segment file cut anywhere gives every record before the cut`(machineStopped: Bool) throws {
        let (path, bytes, entries, ranges) = try self.original()
        let written = ranges.last?.upperBound ?? 0
        for length in 0...bytes.count {
            Scratch.write(Array(bytes.prefix(length)), to: path)
            if machineStopped { Self.stopMachine(self.scratch.journal) }
            let log = try self.open(self.scratch.journal)
            let whole = zip(entries, ranges).filter { length >= 64 && $1.upperBound <= length }.map(\.0)
            #expect(log.open() == whole, "cut at \(length)")
            #expect(log.recovery.isComplete == (length >= written), "cut at \(length): \(log.recovery)")
            _ = try log.add([1])
            self.reset()
        }
    }

    @Test(arguments: [false, true])
    func `a damaged byte costs no record but its own`(machineStopped: Bool) throws {
        let (path, bytes, entries, ranges) = try self.original()
        for index in bytes.indices {
            for mask in [UInt8(0xFF), 0x01] {
                var damaged = bytes
                damaged[index] ^= mask
                Scratch.write(damaged, to: path)
                if machineStopped { Self.stopMachine(self.scratch.journal) }
                let log = try self.open(self.scratch.journal)
                let expected = zip(entries, ranges).compactMap { entry, range -> Entry? in
                    guard range.contains(index) else { return entry }
                    // The state and its inverse: the record is whole, what was done with it is not known.
                    guard index - range.lowerBound < 2 else { return nil }
                    var entry = entry
                    entry.state = JournalState.damaged.rawValue
                    return entry
                }
                #expect(log.open() == expected, "byte \(index), mask \(mask)")
                if expected.count < entries.count, !machineStopped {
                    #expect(!log.recovery.isComplete, "byte \(index): \(log.recovery)")
                }
                self.reset()
            }
        }
    }

    /// Takes away what opening the damaged file has made, but for the file itself, which the next round writes anew.
    private func reset() {
        for name in self.scratch.files() { unlink(self.scratch.file(name)) }
    }

    @Test func `garbage of any kind in place of a segment is reported`() throws {
        try self.leave { log in _ = try log.add([1]) }
        let name = self.scratch.files()[0]
        var random = SeededRandom(seed: 42)
        let contents: [[UInt8]] = [
            [], [0], [UInt8](repeating: 0, count: 4_096), [UInt8](repeating: 0xFF, count: 5_000),
            (0..<20_000).map { _ in UInt8.random(in: 0...255, using: &random) },
        ]
        for content in contents {
            Scratch.write(content, to: self.scratch.file(name))
            let log = try self.open(self.scratch.journal)
            #expect(log.open() == [] && log.recovery.unreadable.map(\.name) == [name + ".damaged"])
            let position = try log.add([2])
            #expect(position.segment > 1, "the number is not used again")
            self.reset()
        }
        mkdir(self.scratch.file(name), 0o700)
        symlink("/etc/hostname", self.scratch.file("segment-0000000009.log"))
        Scratch.write([1], to: self.scratch.file("notes.txt"))
        let log = try self.open(self.scratch.journal)
        #expect(log.recovery.unreadable.count == 2 && log.recovery.foreign == ["notes.txt"])
        _ = try log.add([1])
        #expect(Scratch.read("/etc/hostname").count > 0)
    }

    @Test func `a segment of a newer format is not touched`() throws {
        try self.leave { log in _ = try log.add([1]) }
        let path = self.scratch.file(self.scratch.files()[0])
        let bytes = JournalFormat.withVersion(2, Scratch.read(path))
        Scratch.write(bytes, to: path)
        let directory = try JournalDirectory(at: self.scratch.journal)
        let error = #expect(throws: JournalError.self) { _ = try directory.openLog(named: "target-0") }
        #expect(error?.code == .version)
        #expect(Scratch.read(path) == bytes)
    }

    @Test func `pages that the machine lost cost the records in them alone`() throws {
        let payload = [UInt8](repeating: 6, count: 100)
        var positions: [JournalPosition] = []
        try JournalDirectory(at: self.scratch.journal).openLog(
            named: "target-0",
            configuration: JournalConfiguration(segmentBytes: 5 * 4_096)
        ).use { log in positions = try (0..<140).map { _ in try log.add(payload) } }
        let path = self.scratch.file(self.scratch.files()[0])
        for page in 0..<4 {
            var bytes = Scratch.read(path)
            for index in page * 4_096..<(page + 1) * 4_096 { bytes[index] = 0 }
            let copy = self.scratch.copy(to: "copy-\(page)")
            Scratch.write(bytes, to: "\(copy)/target-0/\(self.scratch.files()[0])")
            Self.stopMachine(copy)
            let log = try self.open(copy)
            let lost = positions.filter { $0.offset + 132 > page * 4_096 && $0.offset < (page + 1) * 4_096 }
            #expect(log.openRecords == 140 - lost.count, "page \(page)")
            #expect(
                log.open().map(\.sequence)
                    == positions.indices.filter { !lost.contains(positions[$0]) }.map { UInt64($0 + 1) }
            )
            #expect(log.recovery.damagedCount == 1 && log.recovery.damagedBytes >= lost.count * 132)
        }
    }

    @Test func `records behind a lost page stay, whatever becomes of the first process after the stop`() throws {
        let payload = [UInt8](repeating: 6, count: 100)
        let configuration = JournalConfiguration(segmentBytes: 4 * 4_096)
        try JournalDirectory(at: self.scratch.journal).openLog(named: "target-0", configuration: configuration)
            .use { log in for _ in 0..<110 { _ = try log.add(payload) } }
        // The second page is lost, and the header on the disk is older than it: it tells the end of the last record before.
        let path = self.scratch.file(self.scratch.files()[0])
        var bytes = Scratch.read(path)
        for index in 4_096..<8_192 { bytes[index] = 0 }
        bytes.replaceSubrange(56..<64, with: [UInt8](JournalFormat.bytes(ofEnd: 64 + 29 * 136)))
        Scratch.write(bytes, to: path)
        Self.stopMachine(self.scratch.journal)

        do { #expect(try JournalDirectory(at: self.scratch.journal).previousEnd == .machineStopped) }
        var found: [Entry] = []
        do {
            let directory = try JournalDirectory(at: self.scratch.journal)
            #expect(directory.previousEnd == .machineStopped, "a process that opened no log changes nothing")
            let log = try directory.openLog(named: "target-0", configuration: configuration)
            found = log.open()
            #expect(found.count > 70 && found.last?.sequence == 110)
            log.close()
            #expect(try directory.close())
        }
        let directory = try JournalDirectory(at: self.scratch.journal)
        #expect(directory.previousEnd == .clean)
        #expect(try directory.openLog(named: "target-0", configuration: configuration).open() == found)
    }

    @Test func `a payload full of headers does not make opening slow`() throws {
        let log = try self.open(self.scratch.journal, JournalConfiguration(segmentBytes: 1 << 20, bytesMax: 1 << 22))
        let first = try log.add([1])
        let record = Array(Scratch.read(self.scratch.file(self.scratch.files()[0]))[first.offset..<first.offset + 32])
        // Each of them claims to be half a megabyte long.
        var header = record
        (header[8], header[9], header[10], header[11]) = (0, 0, 8, 0)
        let hostile = Array(repeatElement(header, count: 16_000).joined())
        let position = try log.add(hostile)
        let last = try log.add([3])
        let copy = self.scratch.copy(to: "copy")
        let path = "\(copy)/target-0/\(self.scratch.files()[0])"
        var bytes = Scratch.read(path)
        bytes[position.offset + 20] ^= 1
        Scratch.write(bytes, to: path)
        let clock = ContinuousClock()
        let time = try clock.measure {
            let again = try self.open(copy)
            #expect(again.record(at: first) != nil && again.recovery.damagedCount == 1)
            #expect(again.open().first?.payload == [1])
        }
        #expect(time < .seconds(2))
        #expect(last > position)
    }
}

extension JournalLog {
    /// Uses the log and drops it without closing it.
    func use(_ body: (JournalLog) throws -> Void) rethrows { try body(self) }
}
