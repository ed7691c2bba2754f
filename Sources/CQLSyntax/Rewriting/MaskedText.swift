/// A statement as it may be shown to people who must not see customers' data.
public enum MaskedText {
    /// What stands in the place of a value.
    public static var mark: String { "…" }

    /// Words before numbers that are no data.
    private static let harmless: Set<String> = ["ttl", "timestamp", "limit"]

    /// A text on one line, with ``mark`` for every string, number, blob, uuid and duration that stands in it. Names, bind
    /// markers, and the numbers behind TTL, TIMESTAMP and LIMIT stay; comments go.
    ///
    /// - Parameter bytesMax: what is behind so many bytes is cut off, with ``mark`` for the rest.
    public static func of(_ text: String, bytesMax: Int = .max) -> String {
        let bytes = Array(text.utf8)
        var masked = ""
        var end = 0
        var word = ""
        for token in Lexer.tokens(of: bytes) where token.kind != .end {
            let gap = token.start > end && !masked.isEmpty ? " " : ""
            end = token.end
            let piece: String
            switch token.kind {
            case .string, .float, .blob, .uuid, .duration, .unterminated, .invalidCharacter: piece = Self.mark
            case .integer where !Self.harmless.contains(word): piece = Self.mark
            default: piece = String(decoding: bytes[token.start..<token.end], as: UTF8.self)
            }
            guard masked.utf8.count + gap.utf8.count + piece.utf8.count <= bytesMax else { return masked + Self.mark }
            masked += gap + piece
            word = token.kind == .word ? piece.lowercased() : ""
        }
        return masked
    }
}
