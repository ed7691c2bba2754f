import ShadowJournal
import SystemPackage
import Testing

struct JournalLogTests {
    let scratch = Scratch()

    @Test func `what is appended is read in order with its fields, parts joined`() throws {
        let directory = try JournalDirectory(at: self.scratch.journal)
        let log = try directory.openLog(named: "target-0")
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
}
