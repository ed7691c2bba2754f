/// Changes to the text of a statement that keep everything else byte for byte.
public enum StatementRewriter {
    /// A text without its conditions.
    public struct Unconditional: Sendable, Hashable {
        /// The text.
        public let text: String
        /// Indices of the original markers that are still in the text, in order.
        public let keptMarkers: [Int]
    }

    /// Removes the `IF` clause of an INSERT, UPDATE or DELETE, or of every child of a text batch.
    ///
    /// Returns nil where the text does not parse, is not such a statement, or has no condition.
    public static func unconditional(_ text: String) -> Unconditional? {
        var parser = Parser(text)
        parser.acceptsDialects = true
        guard let statement = try? parser.wholeStatement() else { return nil }
        let clauses = statement.conditionClauses
        guard !clauses.isEmpty else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(parser.bytes.count)
        var position = 0
        for clause in clauses {
            result += parser.bytes[position..<Self.cut(before: clause, in: parser.bytes)]
            position = clause.end
        }
        result += parser.bytes[position...]
        return Unconditional(
            text: String(decoding: result, as: UTF8.self),
            keptMarkers: Self.markers(of: parser, outside: clauses)
        )
    }

    /// Blanks before the clause go with it, unless they part what stands around it. Line breaks stay: they may end a comment.
    private static func cut(before clause: SourceRange, in bytes: [UInt8]) -> Int {
        let next = clause.end < bytes.count ? bytes[clause.end] : UInt8(ascii: ";")
        guard next <= UInt8(ascii: " ") || next == UInt8(ascii: ";") else { return clause.start }
        var start = clause.start
        while start > 0, bytes[start - 1] == UInt8(ascii: " ") || bytes[start - 1] == UInt8(ascii: "\t") { start -= 1 }
        return start
    }

    private static func markers(of parser: Parser, outside clauses: [SourceRange]) -> [Int] {
        let analysis = parser.markerStarts
        var kept: [Int] = []
        var clause = 0
        for (index, start) in analysis.enumerated() {
            while clause < clauses.count, clauses[clause].end <= start { clause += 1 }
            if clause == clauses.count || start < clauses[clause].start { kept.append(index) }
        }
        return kept
    }
}

extension Statement {
    /// The ranges of `IF` clauses, in order of the text.
    fileprivate var conditionClauses: [SourceRange] {
        switch self {
        case .insert(let insert): insert.condition.map { [$0.range] } ?? []
        case .update(let update): update.condition.map { [$0.range] } ?? []
        case .delete(let delete): delete.condition.map { [$0.range] } ?? []
        case .batch(let batch): batch.children.flatMap(\.statement.conditionClauses)
        default: []
        }
    }
}
