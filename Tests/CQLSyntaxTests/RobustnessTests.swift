import TestSupport
import Testing

@testable import CQLSyntax

struct RobustnessTests {
    private func check(_ text: String) {
        let analysis = StatementAnalysis.analyze(text)
        let length = text.utf8.count
        #expect(analysis.markers.allSatisfy { $0.range.start < $0.range.end && $0.range.end <= length })
        #expect(analysis.children.allSatisfy { $0.range.start < $0.range.end && $0.range.end <= length })
        #expect(analysis.markers.map(\.index) == Array(0..<analysis.markers.count))
        if let result = StatementRewriter.unconditional(text) {
            #expect(!StatementAnalysis.analyze(result.text).hasConditions)
        }
    }

    @Test func `random bytes never trap`() {
        var random = SeededRandom(seed: 41)
        for _ in 0..<3_000 {
            let bytes = (0..<Int.random(in: 0...60, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            self.check(String(decoding: bytes, as: UTF8.self))
        }
    }

    @Test func `token soup never traps`() {
        var random = SeededRandom(seed: 42)
        let pieces = Set(Accepted.all.flatMap { $0.split(separator: " ").map(String.init) }).sorted()
        for _ in 0..<3_000 {
            let count = Int.random(in: 1...25, using: &random)
            self.check((0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined(separator: " "))
        }
    }

    @Test func `every truncation and every mutation of a statement is survived`() {
        var random = SeededRandom(seed: 43)
        for text in Accepted.all {
            let bytes = Array(text.utf8)
            for length in stride(from: 0, to: bytes.count, by: 3) {
                self.check(String(decoding: bytes[..<length], as: UTF8.self))
            }
            for _ in 0..<5 {
                var mutated = bytes
                mutated[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0x20...0x7E, using: &random)
                self.check(String(decoding: mutated, as: UTF8.self))
            }
        }
    }

    @Test(arguments: [
        ("INSERT INTO t (a) VALUES ([", "1, ", "1])"), ("SELECT * FROM t WHERE k IN (", "?, ", "?)"),
        ("BEGIN BATCH ", "INSERT INTO t (a) VALUES (?); ", "APPLY BATCH"), ("SELECT ", "a, ", "a FROM t"),
        ("SELECT * FROM t WHERE a = 1 ", "AND b = 'x' ", ""), ("SELECT ", "(a<b,", " FROM t"), ("SELECT ", "(a, ", ""),
        ("BEGIN BATCH FROB ", "DELETE ", "FROM"), ("CREATE ", "OR ", "x"), ("INSERT INTO t (a) VALUES (", "{a:", ""),
    ])
    func `a megabyte costs steps in proportion`(start: String, piece: String, end: String) {
        func steps(_ bytes: Int) -> (tokens: Int, steps: Int) {
            let text = start + String(repeating: piece, count: bytes / piece.utf8.count) + end
            var parser = Parser(text)
            _ = try? parser.wholeStatement()
            return (parser.tokens.count, parser.steps)
        }
        let large = steps(1 << 20)
        #expect(large.steps <= 2 * large.tokens)
        // The tolerant path as well comes to its end at once.
        _ = StatementAnalysis.analyze(start + String(repeating: piece, count: (1 << 20) / piece.utf8.count) + end)
    }

    @Test func `a megabyte in one token is one token`() {
        let long = String(repeating: "x", count: 1 << 20)
        for text in [
            "SELECT * FROM t WHERE a = '\(long)'", "SELECT \(long) FROM t", "/* \(long) */ USE k", "-- \(long)\nUSE k",
        ] {
            #expect(Lexer.tokens(of: Array(text.utf8)).count < 12)
            #expect(StatementAnalysis.analyze(text).precision == .parsed)
        }
    }
}
