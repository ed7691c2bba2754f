import CQLSyntax
import Testing

struct WrittenRowsTests {
    /// The columns of which a term is told, by write.
    private func columns(_ text: String) -> [[String]]? { WrittenRows(text)?.writes.map { $0.terms.keys.sorted() } }

    @Test(arguments: [
        ("INSERT INTO t (k, \"V\") VALUES (?, 1)", [["V", "k"]]), ("INSERT INTO t JSON '{\"k\": 1}'", [[]]),
        ("UPDATE t SET v = 1 WHERE k = ? AND c = 2", [["c", "k"]]), ("DELETE FROM t WHERE k = 1 AND c > 2", [["k"]]),
        ("DELETE FROM t WHERE k IN (1, 2) AND c = 2", [["c"]]), ("DELETE FROM t WHERE token(k) = 3", [[]]),
        ("DELETE FROM t WHERE k = 1 AND k = 2", [[]]), ("UPDATE t SET v = 1 WHERE (a, b) = (1, 2) AND k = 1", [["k"]]),
        (
            "BEGIN BATCH INSERT INTO t (k) VALUES (1); DELETE FROM t WHERE a = 1; APPLY BATCH", [["k"], ["a"]]
        ),
    ])
    func `a write tells the columns that it sets equal to something`(text: String, expected: [[String]]) {
        #expect(self.columns(text) == expected)
    }

    @Test func `terms and names are those of the text`() throws {
        let write = try #require(WrittenRows("INSERT INTO Ks.\"T\" (k, v) VALUES ('x', :v)")?.writes.first)
        #expect(write.keyspace == "ks" && write.table == "T")
        guard case .literal(let literal) = write.terms["k"], case .marker(let marker) = write.terms["v"] else {
            Issue.record("\(write.terms)")
            return
        }
        #expect(literal.text == "x" && marker.name == "v" && marker.index == 0)
    }

    @Test(arguments: ["SELECT * FROM t WHERE k = 1", "TRUNCATE t", "INSERT INTO t (k) VALUES (1) FROB", ""])
    func `what is no write tells nothing`(text: String) {
        #expect(WrittenRows(text) == nil)
    }
}
