import Testing

@testable import CQLSyntax

struct LexerTests {
    private func kinds(_ text: String) -> [Token.Kind] {
        Lexer.tokens(of: Array(text.utf8)).dropLast().map(\.kind)
    }

    @Test(arguments: [
        ("a", [Token.Kind.word]), ("\"A b\"\"c\"", [.quotedName]), ("\"\"", [.quotedName]), ("'it''s'", [.string]),
        ("''", [.string]), ("$$it's \"x\" -- y$$", [.string]), ("12", [.integer]), ("1.", [.float]),
        ("1.5e-3", [.float]),
        ("1E10", [.float]), ("0xCAFE", [.blob]), ("0X", [.blob]), ("1h30m", [.duration]), ("5µs", [.duration]),
        ("12mo3ns", [.duration]), ("P0001-02-03T04:05:06", [.duration]),
        ("123e4567-e89b-12d3-a456-426614174000", [.uuid]), ("ABCDEF67-e89b-12d3-a456-426614174000", [.uuid]),
        ("?", [.questionMark]), (":name", [.colon, .word]), ("1..2", [.integer, .range, .integer]),
        ("a>=1", [.word, .greaterOrEqual, .integer]), ("a!=1", [.word, .notEqual, .integer]),
        ("c+=1", [.word, .plusEqual, .integer]), ("c-=1", [.word, .minusEqual, .integer]),
        ("{[()]}", [.leftBrace, .leftBracket, .leftParenthesis, .rightParenthesis, .rightBracket, .rightBrace]),
        ("ß", [.invalidCharacter]), ("🦊", [.invalidCharacter]), ("!", [.invalidCharacter]), ("$", [.invalidCharacter]),
        ("'x", [.unterminated]), ("\"x", [.unterminated]), ("$$x$", [.unterminated]), ("/* x", [.unterminated]),
        ("-- 'x", []), ("// \"x\n a", [.word]), ("/* it's -- \" */ a", [.word]), ("/**/a/***/", [.word]),
        ("'-- no comment'", [.string]), ("'/*' a", [.string, .word]), ("", []), (" \t\r\n\u{0C}", []),
    ])
    func `text is cut into tokens`(text: String, expected: [Token.Kind]) {
        #expect(self.kinds(text) == expected)
    }

    @Test func `ranges are byte offsets`() {
        let tokens = Lexer.tokens(of: Array("/*🦊*/ SELECT 'ß' x".utf8))
        #expect(tokens.map(\.start) == [9, 16, 21, 22])
        #expect(tokens.map(\.end) == [15, 20, 22, 22])
    }
}
