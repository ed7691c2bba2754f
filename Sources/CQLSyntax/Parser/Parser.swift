/// Parses one CQL statement. A value of its own per text; everything about it is linear in the length of the text.
public struct Parser {
    /// How deeply literals, types and expressions may be nested.
    public static var maximumDepth: Int { 64 }

    /// Parses one statement, with an optional semicolon at its end.
    public static func parse(_ text: String) throws(CQLSyntaxError) -> Statement {
        throw CQLSyntaxError(code: .unexpectedToken, line: 1, column: 0, reason: "not built yet: \(text.utf8.count)")
    }
}
