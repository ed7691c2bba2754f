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

    @Test func `statements write rows with their timestamps`() throws {
        let schema = Schema()
        func run(_ text: String) throws {
            _ = try Executor(
                schema: schema,
                keyspace: "k",
                bindings: Bindings(values: .none, now: 1_000_000),
                timestamp: 7
            ).execute(try Parser.parse(text))
        }
        try run("CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        try run("CREATE TABLE t (a int, b int, v text, PRIMARY KEY (a, b))")
        try run("INSERT INTO t (a, b, v) VALUES (1, 2, 'x')")
        let table = try schema.table(QualifiedName(keyspace: "k", name: "t"), nil)
        let one = Int32(1).bytes
        let two = Int32(2).bytes
        let row = try #require(table.existingPartition([one])?.row([two], in: table))
        #expect(row.columns["v"]?.cells[[]] == Cell(timestamp: 7, value: Bytes("x".utf8)))
        try run("DELETE FROM t USING TIMESTAMP 8 WHERE a = 1 AND b = 2")
        #expect(table.existingPartition([one])?.row([two], in: table)?.isLive(at: 1) == false)
        #expect(throws: NodeError.self) { try run("SELECT * FROM t") }
    }
}
