import CQLSyntax
import Testing

struct StatementRewriterTests {
    @Test(arguments: [
        (
            "INSERT INTO t (a, b) VALUES (?, ?) IF NOT EXISTS USING TTL ?",
            "INSERT INTO t (a, b) VALUES (?, ?) USING TTL ?", [0, 1, 2]
        ),
        ("UPDATE t SET a = ? WHERE k = ? IF a = ? AND b IN (?, :x)", "UPDATE t SET a = ? WHERE k = ?", [0, 1]),
        ("DELETE FROM t WHERE k = ? IF EXISTS;", "DELETE FROM t WHERE k = ?;", [0]),
        ("DELETE FROM t WHERE k = ? -- note\nIF EXISTS ;", "DELETE FROM t WHERE k = ? -- note\n ;", [0]),
        (
            "BEGIN BATCH UPDATE t SET a = ? WHERE k = 1 IF a = ?; /* ß */ INSERT INTO t (a) VALUES (?) IF NOT EXISTS "
                + "DELETE FROM t WHERE k = ? APPLY BATCH",
            "BEGIN BATCH UPDATE t SET a = ? WHERE k = 1; /* ß */ INSERT INTO t (a) VALUES (?) "
                + "DELETE FROM t WHERE k = ? APPLY BATCH", [0, 2, 3]
        ),
        (
            "BEGIN BATCH UPDATE t SET a=1 WHERE k=1 IF a='x'DELETE FROM t WHERE k=2 APPLY BATCH",
            "BEGIN BATCH UPDATE t SET a=1 WHERE k=1 DELETE FROM t WHERE k=2 APPLY BATCH", []
        ),
    ])
    func `conditions go and everything else stays`(text: String, expected: String, kept: [Int]) throws {
        let result = try #require(StatementRewriter.unconditional(text))
        #expect(result.text == expected)
        #expect(result.keptMarkers == kept)
        #expect(StatementAnalysis.analyze(result.text).precision == .parsed)
        #expect(!StatementAnalysis.analyze(result.text).hasConditions)
        #expect(StatementAnalysis.analyze(result.text).markers.count == kept.count)
    }

    @Test(arguments: [
        "SELECT * FROM t", "UPDATE t SET a = 1 WHERE k = 1", "DROP TABLE IF EXISTS t", "nonsense IF EXISTS", "",
    ])
    func `what has no condition is left alone`(text: String) {
        #expect(StatementRewriter.unconditional(text) == nil)
    }
}
