import CQLProtocol
import CQLSyntax
import Testing

@testable import EmbeddedNode

@Suite struct StorageTests {
    @Test func `a tombstone beats a value of the same timestamp`() {
        let value = Cell(timestamp: 5, value: [9])
        let tombstone = Cell(timestamp: 5, value: nil)
        #expect(tombstone.supersedes(value))
        #expect(!value.supersedes(tombstone))
    }

    @Test func `the larger value wins at the same timestamp`() {
        #expect(Cell(timestamp: 5, value: [2]).supersedes(Cell(timestamp: 5, value: [1])))
        #expect(!Cell(timestamp: 5, value: [1]).supersedes(Cell(timestamp: 5, value: [2])))
    }

    @Test func `an older write under a row deletion stays deleted`() {
        var row = StoredRow(clustering: [])
        row.delete(at: 10)
        row.write(Cell(timestamp: 9, value: [1]), column: "v", path: [])
        #expect(!row.isLive(at: 0))
        row.write(Cell(timestamp: 11, value: [1]), column: "v", path: [])
        #expect(row.isLive(at: 0))
    }

    @Test func `the digest of nothing is the one of RFC 1321`() {
        #expect(MD5.digest([]) == ValueType.hex("d41d8cd98f00b204e9800998ecf8427e"))
        #expect(MD5.digest(Bytes("abc".utf8)) == ValueType.hex("900150983cd24fb0d6963f7d28e17f72"))
    }
}
