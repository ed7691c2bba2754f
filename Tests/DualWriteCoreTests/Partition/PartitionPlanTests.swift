import CQLProtocol
import CQLSyntax
import DualWriteCore
import TestSupport
import Testing

struct PartitionPlanTests {
    private static func table(_ key: [(String, String)]) -> TableShape {
        TableShape(columns: [:], partitionKey: key.map { TableShape.KeyColumn(name: $0, type: $1) })
    }

    /// `ks.one` has one key column, `ks.two` has two, the second of which comes first in the table's columns.
    private static let schema = SchemaShapes(
        tables: [
            "ks": [
                "one": Self.table([("k", "int")]), "two": Self.table([("b", "text"), ("a", "int")]),
                "frozen": Self.table([("k", "frozen<set<int>>")]), "unknown": Self.table([]),
                "names": Self.table([("k", "varchar")]),
            ],
            "other": ["one": Self.table([("k", "uuid")])],
        ]
    )

    private func keys(_ text: String, _ values: QueryValues = .none) -> [[UInt8]?] {
        PartitionPlan(WriteStatement(text), schema: Self.schema).partitions(values).map(\.key)
    }

    @Test func `one column is its own bytes, several have their lengths before them`() {
        #expect(self.keys("INSERT INTO one (k, v) VALUES (258, 1)") == [[0, 0, 1, 2]])
        #expect(
            self.keys("INSERT INTO one (v, k) VALUES (?, ?)", .positional([.int(9), .int(258)])) == [[0, 0, 1, 2]]
        )
        let both: [UInt8] = [0, 2, 0x68, 0x69, 0, 0, 4, 0, 0, 0, 5, 0]
        #expect(self.keys("UPDATE two SET v = 1 WHERE a = 5 AND b = 'hi' AND c = 3") == [both])
        #expect(self.keys("DELETE FROM two WHERE a = ? AND b = 'hi' AND c > 3", .positional([.int(5)])) == [both])
        let named = QueryValues.named([.init(name: "b", value: .text("hi")), .init(name: "at", value: .int(5))])
        #expect(self.keys("UPDATE two SET v = 1 WHERE a = :at AND b = ?", named) == [both])
        #expect(self.keys("INSERT INTO two (a, b) VALUES (0, '')") == [[0, 0, 0, 0, 4, 0, 0, 0, 0, 0]])
        #expect(self.keys("INSERT INTO one (k) VALUES ((int) ?)", .positional([.int(1)])) == [[0, 0, 0, 1]])
    }

    @Test func `tables and keyspaces are told beside the key`() {
        let text =
            "BEGIN BATCH INSERT INTO one (k) VALUES (1); INSERT INTO other.one (k) VALUES (?); DELETE FROM one WHERE k = 1; "
            + "UPDATE two SET v = 1 WHERE a = 1; APPLY BATCH"
        let uuid = [UInt8](1...16)
        #expect(
            PartitionPlan(WriteStatement(text), schema: Self.schema).partitions(.positional([BoundValue(bytes: uuid)]))
                == [
                    WrittenPartition(keyspace: "ks", table: "one", key: [0, 0, 0, 1]),
                    WrittenPartition(keyspace: "other", table: "one", key: uuid),
                    WrittenPartition(keyspace: "ks", table: "two", key: nil),
                ]
        )
    }

    @Test(arguments: [
        "UPDATE one SET v = 1 WHERE k IN (1, 2)", "DELETE FROM one WHERE token(k) = 5",
        "INSERT INTO one (v) VALUES (1)",
        "INSERT INTO one (k) VALUES (blobAsInt(0x00000001))", "INSERT INTO one (k) VALUES (1 + 1)",
        "INSERT INTO one JSON '{\"k\": 1}'", "INSERT INTO one (k) VALUES (null)", "DELETE FROM one WHERE k > 1",
        "INSERT INTO one (k) VALUES ('text')", "INSERT INTO one (k) VALUES (3000000000)",
        "UPDATE two SET v = 1 WHERE a = 1",
        "INSERT INTO frozen (k) VALUES ({1, 2})", "INSERT INTO unknown (k) VALUES (1)",
        "INSERT INTO elsewhere (k) VALUES (1)",
        "INSERT INTO names (k) VALUES ('')", "TRUNCATE one", "UPDATE one FROB SET v = 1 WHERE k = 1",
    ])
    func `what cannot be told is not guessed`(text: String) {
        #expect(self.keys(text) == [nil])
    }

    @Test func `values that are no key are not told`() {
        let text = "INSERT INTO names (k) VALUES (?)"
        for value in [BoundValue.null, .unset, BoundValue(bytes: []), .text(String(repeating: "x", count: 65_536))] {
            #expect(self.keys(text, .positional([value])) == [nil])
        }
        #expect(self.keys(text, .positional([])) == [nil] && self.keys(text, .none) == [nil])
        #expect(self.keys(text, .positional([.text("ß")])) == [[0xc3, 0x9f]])
        #expect(self.keys("INSERT INTO frozen (k) VALUES (?)", .positional([.int(1)])) == [nil])
    }

    @Test func `nobody who does not know the tables tells their keys`() {
        let plan = PartitionPlan(WriteStatement("INSERT INTO one (k) VALUES (1)"), schema: nil)
        #expect(plan.partitions(.none) == [WrittenPartition(keyspace: "ks", table: "one", key: nil)])
    }

    @Test func `a request tells each partition once`() {
        let texts = ["INSERT INTO one (k, v) VALUES (?, 1)", "DELETE FROM one WHERE k = 7", "INSERT INTO two JSON ?"]
        let batch = Request.batch([
            .prepared(1, [.int(7)]), Batch.Child(.text(texts[1])), .prepared(1, [.int(8)]), .prepared(2, [.text("{}")]),
        ])
        let statements = [texts[0], texts[1], texts[0], texts[2]].map { WriteStatement($0) }
        #expect(
            PartitionPlan.partitions(of: batch, statements, schema: Self.schema) == [
                WrittenPartition(keyspace: "ks", table: "one", key: [0, 0, 0, 7]),
                WrittenPartition(keyspace: "ks", table: "one", key: [0, 0, 0, 8]),
                WrittenPartition(keyspace: "ks", table: "two", key: nil),
            ]
        )
        let execute = PartitionPlan.partitions(
            of: .execute(.positional([.int(7)])),
            [WriteStatement(texts[0])],
            schema: Self.schema
        )
        #expect(execute.map(\.key) == [[0, 0, 0, 7]])
    }

    /// The same key as CQLProtocol's own composition, whose tokens are checked against recorded ones.
    @Test func `keys are those that tokens are made of`() throws {
        var random = SeededRandom(seed: 20_261_127)
        for _ in 0..<200 {
            let number = Int32.random(in: .min ... .max, using: &random)
            let name = String(repeating: "ß'x", count: Int.random(in: 0...30, using: &random))
            let literal = name.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
            let components = [
                try #require(try CQLValue.text(name).encoded(as: .varchar)),
                try #require(try CQLValue.int(number).encoded(as: .int)),
            ]
            let expected = BoundValue.value(try Murmur3Partitioner.partitionKey(components)).bytes
            #expect(self.keys("INSERT INTO two (a, b) VALUES (\(number), '\(literal)')") == [expected])
        }
    }
}
