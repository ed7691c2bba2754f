extension StatementRewriter {
    /// A text batch without some of its children.
    public struct BatchPart: Sendable, Hashable {
        /// The text.
        public let text: String
        /// Indices of the original markers that are still in the text, in order.
        public let keptMarkers: [Int]
    }

    /// Takes children out of a text batch; everything else, comments between them included, stays byte for byte.
    ///
    /// - Parameter wanted: whether the child with an index stays.
    /// - Returns: nil where the text is not a batch that the grammar knows.
    public static func part(of text: String, keeping wanted: (Int) -> Bool) -> BatchPart? {
        guard let parsed = ParsedWrites(text), parsed.isBatch else { return nil }
        let cuts = parsed.children.indices.filter { !wanted($0) }.map { Self.cut(parsed.children[$0], parsed.parser) }
        let bytes = parsed.parser.bytes
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var position = 0
        for cut in cuts {
            result += bytes[position..<cut.start]
            position = cut.end
            // What stood on both sides of the child must not run together.
            if let last = result.last, last > UInt8(ascii: " "), position < bytes.count {
                result.append(UInt8(ascii: " "))
            }
        }
        result += bytes[position...]
        let kept = parsed.parser.markerStarts.indices.filter { index in
            let start = parsed.parser.markerStarts[index]
            return !cuts.contains { $0.start <= start && start < $0.end }
        }
        return BatchPart(text: String(decoding: result, as: UTF8.self), keptMarkers: kept)
    }

    /// A child with its semicolon and the blanks behind it.
    private static func cut(_ child: ParsedWrites.Child, _ parser: Parser) -> SourceRange {
        let next = parser.tokens[parser.tokenIndex(at: child.range.end)]
        var end = next.kind == .semicolon ? next.end : child.range.end
        while end < parser.bytes.count, parser.bytes[end] <= UInt8(ascii: " ") { end += 1 }
        return SourceRange(start: child.range.start, end: end)
    }
}
