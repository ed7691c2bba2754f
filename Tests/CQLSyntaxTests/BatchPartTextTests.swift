import CQLSyntax
import TestSupport
import Testing

struct BatchPartTextTests {
    @Test(arguments: [
        (
            "BEGIN BATCH USING TIMESTAMP ? INSERT INTO a (k) VALUES (?); UPDATE b SET v = ? WHERE k = ?; APPLY BATCH",
            [1],
            "BEGIN BATCH USING TIMESTAMP ? UPDATE b SET v = ? WHERE k = ?; APPLY BATCH", [0, 2, 3]
        ),
        (
            "BEGIN BATCH INSERT INTO a (k) VALUES (?); UPDATE b SET v = ? WHERE k = ?; APPLY BATCH;", [0],
            "BEGIN BATCH INSERT INTO a (k) VALUES (?); APPLY BATCH;", [0]
        ),
        (
            "begin unlogged batch\n  delete from a where k = :x; -- first\n  delete from b where k = :y;\n/* end */ apply batch",
            [1],
            "begin unlogged batch\n  -- first\n  delete from b where k = :y;\n/* end */ apply batch", [1]
        ),
        (
            "BEGIN BATCH INSERT INTO a (k) VALUES ('ß;')DELETE FROM b WHERE k = ?/**/APPLY BATCH", [0],
            "BEGIN BATCH INSERT INTO a (k) VALUES ('ß;') /**/APPLY BATCH", []
        ),
        (
            "BEGIN BATCH DELETE FROM a WHERE k = 1 DELETE FROM b WHERE k = 2 DELETE FROM c WHERE k = 3 APPLY BATCH",
            [0, 2],
            "BEGIN BATCH DELETE FROM a WHERE k = 1 DELETE FROM c WHERE k = 3 APPLY BATCH", []
        ),
    ])
    func `unwanted children go and everything else stays`(text: String, kept: [Int], expected: String, markers: [Int]) {
        let part = StatementRewriter.part(of: text, keeping: kept.contains)
        #expect(part?.text == expected)
        #expect(part?.keptMarkers == markers)
    }

    @Test(arguments: ["INSERT INTO a (k) VALUES (1)", "SELECT * FROM t", "BEGIN BATCH FROB APPLY BATCH", ""])
    func `what is no batch has no part`(text: String) {
        #expect(StatementRewriter.part(of: text) { _ in true } == nil)
    }

    @Test func `a part is a batch of the wanted children with their markers`() throws {
        var random = SeededRandom(seed: 20_261_126)
        for _ in 0..<3_000 {
            let text = random.batch()
            let before = StatementAnalysis.analyze(text)
            let wanted = before.children.indices.filter { _ in Bool.random(using: &random) }
            let part = try #require(StatementRewriter.part(of: text, keeping: wanted.contains), "\(text)")
            let after = StatementAnalysis.analyze(part.text)
            #expect(after.precision == .parsed, "\(text) became \(part.text)")
            #expect(after.batchKind == before.batchKind)
            let (old, new) = (Array(text.utf8), Array(part.text.utf8))
            #expect(
                after.children.map { Array(new[$0.range.start..<$0.range.end]) }
                    == wanted.map { Array(old[before.children[$0].range.start..<before.children[$0].range.end]) }
            )
            #expect(after.markers.map(\.role) == part.keptMarkers.map { before.markers[$0].role }, "\(part.text)")
            #expect(after.markers.map(\.name) == part.keptMarkers.map { before.markers[$0].name })
            if wanted.count == before.children.count { #expect(part.text == text) }
        }
    }
}
