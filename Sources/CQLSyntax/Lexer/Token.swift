/// A token of CQL text.
struct Token: Sendable {
    enum Kind: UInt8, Sendable {
        /// An unquoted word: identifier or keyword, the parser decides.
        case word
        case quotedName
        /// `'…'` or `$$…$$`.
        case string
        case integer, float, blob, uuid, duration
        case questionMark, colon, comma, semicolon, dot, range
        case leftParenthesis, rightParenthesis, leftBracket, rightBracket, leftBrace, rightBrace
        case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
        case plus, minus, star, slash, percent, plusEqual, minusEqual
        case end
        /// A character that begins no token.
        case invalidCharacter
        /// A string, name or comment that does not end. Reaches to the end of the text.
        case unterminated
    }

    let kind: Kind
    let start: Int
    let end: Int

    var range: SourceRange { SourceRange(start: self.start, end: self.end) }
}
