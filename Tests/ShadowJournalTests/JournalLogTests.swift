import ShadowJournal
import SystemPackage
import Testing

#if canImport(Glibc)
import Glibc
#else
import Musl
#endif

struct JournalLogTests {
    let scratch = Scratch()

    private func open(_ configuration: JournalConfiguration = small()) throws -> JournalLog {
        try JournalDirectory(at: self.scratch.journal).openLog(named: "target-0", configuration: configuration)
    }

    @Test func `what is appended is read in order with its fields, parts joined`() throws {
        let log = try self.open()
        let (a, b, c): ([UInt8], [UInt8], [UInt8]) = ([1, 2, 3], [], [4])
        _ = try log.reserve(JournalLog.byteCount(ofRecord: 4), now: 5).get()
        let position = a.withUnsafeBytes { a in
            b.withUnsafeBytes { b in
                c.withUnsafeBytes { c in log.append(kind: 9, state: .sent, time: -7, flags: 0xBEEF, a, b, c) }
            }
        }
        let second = try log.add([])
        let view = try #require(log.next(after: nil))
        #expect(view.position == position && view.kind == 9 && view.state == .sent && view.flags == 0xBEEF)
        #expect(view.time == -7 && view.sequence == 1 && Array(view.payload) == [1, 2, 3, 4])
        let next = try #require(log.next(after: position))
        #expect(next.position == second && next.sequence == 2 && next.payload.isEmpty && position < second)
        #expect(log.next(after: second) == nil)
        #expect(log.openRecords == 2 && log.bytes == 4 && log.lastSequence == 2)
        #expect(JournalPosition(rawValue: second.rawValue) == second)
    }

    @Test(arguments: [-1, 0, 1, 100_000])
    func `a long record is written by the kernel and read as any other, by a later process, too`(beyond: Int) throws {
        let payload = (0..<JournalLimits.writtenBytesMin + beyond).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        try self.open().use { log in
            _ = try log.add([1])
            let position = try log.add(payload)
            #expect(log.record(at: position).map { Array($0.payload) } == payload)
            #expect(log.setState(.sent, at: position))
            _ = try log.add([2])
        }
        #expect(try self.open().open().map(\.payload) == [[1], payload, [2]])
    }

    @Test func `a long record that the kernel does not take goes through the mapping`() throws {
        let log = try self.open(JournalConfiguration(segmentBytes: 1 << 20, bytesMax: 1 << 20))
        _ = try log.add([1])
        let file = self.scratch.file(self.scratch.files()[0])
        let descriptor = try #require(Scratch.descriptor(of: file))
        let closed = try FileDescriptor.pipe()
        defer { try? closed.readEnd.close() }
        #expect(dup2(closed.writeEnd.rawValue, descriptor) == descriptor)
        try closed.writeEnd.close()
        let payload = [UInt8](repeating: 0xA5, count: 50_000)
        let position = try log.add(payload)
        #expect(log.record(at: position).map { Array($0.payload) } == payload)
    }

    @Test func `a state is changed in place, and finished is final`() throws {
        let log = try self.open()
        let position = try log.add([1, 2])
        #expect(log.setState(.sent, at: position))
        #expect(log.state(at: position) == .sent)
        #expect(log.setState(.finished, at: position))
        #expect(!log.setState(.sent, at: position) && !log.setState(.finished, at: position))
        #expect(log.state(at: position) == .finished)
        #expect(log.openRecords == 0 && log.bytes == 0 && log.next(after: nil) == nil)
        #expect(log.record(at: position)?.payload.count == 2)
    }

    @Test func `a position that no record has names nothing`() throws {
        let log = try self.open()
        let position = try log.add([UInt8](repeating: 0, count: 100))
        for raw in [0, position.rawValue + 1, position.rawValue - 1, position.rawValue + 400, .max, 99 << 32] {
            let position = JournalPosition(rawValue: raw)
            #expect(log.state(at: position) == nil && log.record(at: position) == nil)
            #expect(!log.setState(.finished, at: position))
        }
        #expect(log.openRecords == 1)
    }

    @Test func `records that are born finished owe nothing`() throws {
        let log = try self.open()
        _ = try log.add([1], state: .finished)
        #expect(log.openRecords == 0 && log.bytes == 0 && log.lastSequence == 1)
    }

    @Test func `a definition belongs to the segment it was made in`() throws {
        let log = try self.open()
        let key = JournalKey(high: 1, low: 2)
        let text = Array("SELECT".utf8)
        var definedIn: UInt64?
        var definitions = 0
        var positions: [JournalPosition] = []
        for _ in 0..<60 {
            let count = JournalLog.byteCount(ofDefinition: text.count) + JournalLog.byteCount(ofRecord: 300)
            let segment = try log.reserve(count, now: 0).get()
            if definedIn != segment {
                text.withUnsafeBytes { log.define(key, $0, time: 0) }
                definedIn = segment
                definitions += 1
            }
            let payload = [UInt8](repeating: 5, count: 300)
            positions.append(payload.withUnsafeBytes { log.append(kind: 1, state: .waiting, time: 0, $0) })
        }
        #expect(definitions > 3)
        #expect(log.lastSequence == 60, "definitions take no sequence")
        for position in positions {
            #expect(log.definition(key, in: position.segment).map(Array.init) == text)
        }
        #expect(log.definition(JournalKey(high: 1, low: 3), in: positions[0].segment) == nil)
        #expect(log.definition(key, in: 4_711) == nil)
        #expect(log.open().count == 60, "definitions are not read as records")
    }

    @Test func `a shadow that keeps up needs no second file`() throws {
        let log = try self.open()
        for _ in 0..<1_000 {
            let position = try log.add([UInt8](repeating: 1, count: 100))
            log.setState(.finished, at: position)
        }
        #expect(log.diskBytes == 4_096 && self.scratch.files().count == 1)
        #expect(log.lastSequence == 1_000)
    }

    @Test func `finished segments are used again and the rest of them deleted`() throws {
        let log = try self.open()
        let positions = try (0..<300).map { _ in try log.add([UInt8](repeating: 1, count: 100)) }
        let files = self.scratch.files().count
        #expect(files > 8 && log.diskBytes == files * 4_096)
        for position in positions { log.setState(.finished, at: position) }
        #expect(self.scratch.files().count == 1 + JournalLimits.spareSegmentsMax)
        #expect(log.diskBytes == (1 + JournalLimits.spareSegmentsMax) * 4_096)
        for _ in 0..<60 { _ = try log.add([UInt8](repeating: 2, count: 100)) }
        #expect(self.scratch.files().count == 3, "\(self.scratch.files())")
        #expect(log.open().map(\.payload) == Array(repeating: [UInt8](repeating: 2, count: 100), count: 60))
    }

    @Test func `a segment in the middle is free as soon as nothing in it is owed`() throws {
        let log = try self.open()
        let positions = try (0..<300).map { _ in try log.add([UInt8](repeating: 1, count: 100)) }
        let numbers = Set(positions.map(\.segment)).sorted()
        let middle = numbers[3]
        for position in positions.reversed() where position.segment == middle { log.setState(.finished, at: position) }
        let first = try #require(positions.first { $0.segment == middle })
        #expect(log.state(at: first) == nil && log.record(at: first) == nil)
        let before = try #require(positions.last { $0.segment < middle })
        #expect(log.next(after: before)?.position.segment == numbers[4])
        #expect(log.next(after: first)?.position.segment == numbers[4], "reading goes on behind what is gone")
        #expect(log.open().count == positions.filter { $0.segment != middle }.count)
    }

    @Test func `the oldest open record moves forward as records are finished`() throws {
        let log = try self.open()
        #expect(log.oldestOpen() == nil)
        let positions = try (0..<100).map { try log.add([UInt8](repeating: 1, count: 100), time: Int64($0)) }
        #expect(log.oldestOpen()?.time == 0)
        for index in [1, 2, 50, 0] { log.setState(.finished, at: positions[index]) }
        #expect(log.oldestOpen()?.time == 3 && log.oldestOpen()?.position == positions[3])
        for index in 3..<100 where index != 50 { log.setState(.finished, at: positions[index]) }
        #expect(log.oldestOpen() == nil)
        _ = try log.add([], time: 500)
        #expect(log.oldestOpen()?.time == 500)
    }

    @Test func `a record longer than a segment has one of its own`() throws {
        let log = try self.open()
        // The segment's header, the record's, and the payload: whole pages.
        let long = [UInt8](repeating: 3, count: 25 * 4_096 - 64 - 32)
        let positions = [try log.add([1]), try log.add(long), try log.add([2])]
        #expect(log.open().map(\.payload) == [[1], long, [2]])
        #expect(Set(positions.map(\.segment)).count == 3)
        log.setState(.finished, at: positions[1])
        #expect(log.open().map(\.payload) == [[1], [2]])
        #expect(log.diskBytes == 2 * 4_096, "a file of unusual length is not kept")
    }

    @Test func `a log that is closed refuses and answers nothing`() throws {
        let log = try self.open()
        let position = try log.add([1])
        #expect(log.close() && log.close())
        #expect(log.reserve(32, now: 0) == .failure(.closed))
        #expect(log.next(after: nil) == nil && log.state(at: position) == nil && log.openRecords == 0)
        #expect(log.oldestOpen() == nil)
    }
}
