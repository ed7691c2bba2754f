/// Parses one CQL statement. A value of its own per text; everything about it is linear in the length of the text.
public struct Parser {
    /// How deeply literals, types and expressions may be nested, operators in a row included.
    public static var maximumDepth: Int { 64 }

    /// Parses one statement, with optional semicolons at its end.
    public static func parse(_ text: String) throws(CQLSyntaxError) -> Statement {
        var parser = Parser(text)
        return try parser.wholeStatement()
    }

    let bytes: [UInt8]
    let tokens: [Token]
    /// Index of the next token.
    var position = 0
    var depth = 0
    /// Where each marker begins.
    var markerStarts: [Int] = []
    /// Also accepts what ScyllaDB adds: `USING TIMEOUT`, `BYPASS CACHE`.
    var acceptsDialects = false
    /// Tokens looked at or taken, for the tests of linearity.
    private(set) var steps = 0

    init(_ text: String) {
        self.bytes = Array(text.utf8)
        self.tokens = Lexer.tokens(of: self.bytes)
    }

    init(bytes: [UInt8], tokens: [Token], acceptsDialects: Bool) {
        self.bytes = bytes
        self.tokens = tokens
        self.acceptsDialects = acceptsDialects
    }

    mutating func wholeStatement() throws(CQLSyntaxError) -> Statement {
        let statement = try self.statement()
        while self.take(.semicolon) {}
        guard self.kind == .end else { throw self.mismatched("EOF") }
        return statement
    }

    // MARK: Tokens

    var kind: Token.Kind { self.tokens[self.position].kind }
    var token: Token { self.tokens[self.position] }
    /// Offset of the first byte of the next token.
    var start: Int { self.tokens[self.position].start }
    /// Offset behind the last token taken.
    var end: Int { self.position == 0 ? 0 : self.tokens[self.position - 1].end }

    func range(from start: Int) -> SourceRange { SourceRange(start: start, end: max(start, self.end)) }

    /// The token that many places ahead.
    func peek(_ distance: Int) -> Token { self.tokens[min(self.position + distance, self.tokens.count - 1)] }

    mutating func advance() {
        self.steps += 1
        if self.position < self.tokens.count - 1 { self.position += 1 }
    }

    mutating func take(_ kind: Token.Kind) -> Bool {
        guard self.kind == kind else { return false }
        self.advance()
        return true
    }

    mutating func expect(_ kind: Token.Kind, _ name: StaticString) throws(CQLSyntaxError) {
        guard self.take(kind) else { throw self.mismatched("'\(name)'") }
    }

    func text(of token: Token) -> String { String(decoding: self.bytes[token.start..<token.end], as: UTF8.self) }

    // MARK: Words

    func isWord(_ word: StaticString, at distance: Int = 0) -> Bool {
        self.tokens[min(self.position + distance, self.tokens.count - 1)].isWord(word, in: self.bytes)
    }

    mutating func takeWord(_ word: StaticString) -> Bool {
        guard self.isWord(word) else { return false }
        self.advance()
        return true
    }

    /// Takes both words or none.
    mutating func takeWords(_ first: StaticString, _ second: StaticString) -> Bool {
        guard self.isWord(first), self.isWord(second, at: 1) else { return false }
        self.advance()
        self.advance()
        return true
    }

    mutating func expectWord(_ word: StaticString) throws(CQLSyntaxError) {
        guard self.takeWord(word) else { throw self.mismatched("\(word)".uppercased()) }
    }

    /// The word as an unquoted name: lower case.
    func folded(_ token: Token) -> String {
        String(unsafeUninitializedCapacity: token.end - token.start) { buffer in
            for index in 0..<(token.end - token.start) {
                let byte = self.bytes[token.start + index]
                buffer[index] = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
            }
            return token.end - token.start
        }
    }

    /// Content of a token in quotes, with doubled quotes undone.
    func unquoted(_ token: Token) -> String {
        let quote = self.bytes[token.start]
        if quote == UInt8(ascii: "$") {
            return String(decoding: self.bytes[(token.start + 2)..<(token.end - 2)], as: UTF8.self)
        }
        let content = self.bytes[(token.start + 1)..<(token.end - 1)]
        guard content.contains(quote) else { return String(decoding: content, as: UTF8.self) }
        var result: [UInt8] = []
        result.reserveCapacity(content.count)
        var skipsNext = false
        for byte in content {
            if skipsNext {
                skipsNext = false
                continue
            }
            skipsNext = byte == quote
            result.append(byte)
        }
        return String(decoding: result, as: UTF8.self)
    }

    // MARK: Names

    /// A name: quoted, or a word that is not reserved.
    mutating func identifier() throws(CQLSyntaxError) -> String {
        let token = self.token
        switch token.kind {
        case .quotedName:
            self.advance()
            return self.unquoted(token)
        case .word:
            let name = self.folded(token)
            guard !Keywords.reserved.contains(name) else { throw self.unexpected() }
            self.advance()
            return name
        default:
            throw self.unexpected()
        }
    }

    mutating func qualifiedName() throws(CQLSyntaxError) -> QualifiedName {
        let first = try self.identifier()
        guard self.take(.dot) else { return QualifiedName(name: first) }
        return QualifiedName(keyspace: first, name: try self.identifier())
    }

    /// A role's name, which may also be a string.
    mutating func roleName() throws(CQLSyntaxError) -> String {
        self.kind == .string ? try self.string() : try self.identifier()
    }

    mutating func string() throws(CQLSyntaxError) -> String {
        let token = self.token
        guard token.kind == .string else { throw self.mismatched("STRING_LITERAL") }
        self.advance()
        return self.unquoted(token)
    }

    mutating func ifNotExists() throws(CQLSyntaxError) -> Bool {
        guard self.takeWord("if") else { return false }
        try self.expectWord("not")
        try self.expectWord("exists")
        return true
    }

    mutating func ifExists() throws(CQLSyntaxError) -> Bool {
        guard self.takeWord("if") else { return false }
        try self.expectWord("exists")
        return true
    }

    /// `( element, element … )` with at least one element.
    mutating func parenthesized<Element>(
        _ element: (inout Parser) throws(CQLSyntaxError) -> Element
    ) throws(CQLSyntaxError) -> [Element] {
        try self.expect(.leftParenthesis, "(")
        var elements: [Element] = []
        repeat { elements.append(try element(&self)) } while self.take(.comma)
        try self.expect(.rightParenthesis, ")")
        return elements
    }

    // MARK: Depth

    mutating func enter() throws(CQLSyntaxError) {
        guard self.depth < Self.maximumDepth else {
            throw self.failure(.tooDeep, "nested deeper than \(Self.maximumDepth) levels")
        }
        self.depth += 1
    }

    // MARK: Errors

    func unexpected() -> CQLSyntaxError {
        switch self.kind {
        case .invalidCharacter: self.failure(.lexical, "no viable alternative at character '\(self.excerpt)'")
        case .unterminated: self.failure(.lexical, "mismatched character '<EOF>' behind \(self.excerpt)")
        default: self.failure(.unexpectedToken, "no viable alternative at input '\(self.excerpt)'")
        }
    }

    func mismatched(_ expected: String) -> CQLSyntaxError {
        switch self.kind {
        case .invalidCharacter, .unterminated: self.unexpected()
        default: self.failure(.unexpectedToken, "mismatched input '\(self.excerpt)' expecting \(expected)")
        }
    }

    func invalid(_ reason: String) -> CQLSyntaxError { self.failure(.invalid, reason) }

    /// The next token, cut to a bearable length.
    private var excerpt: String {
        let token = self.token
        if token.kind == .end { return "<EOF>" }
        if token.kind == .unterminated { return String(decoding: self.bytes[token.start...token.start], as: UTF8.self) }
        return String(self.text(of: token).prefix(64))
    }

    private func failure(_ code: CQLSyntaxError.Code, _ reason: String) -> CQLSyntaxError {
        var line = 1
        var column = 0
        for byte in self.bytes[..<self.start] {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 0
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        return CQLSyntaxError(code: code, line: line, column: column, reason: reason)
    }
}

extension Token {
    /// Whether it is that word; `word` is lower case.
    func isWord(_ word: StaticString, in bytes: [UInt8]) -> Bool {
        guard self.kind == .word, self.end - self.start == word.utf8CodeUnitCount else { return false }
        return word.withUTF8Buffer { word in
            for index in 0..<word.count where bytes[self.start + index].lowercasedASCII != word[index] { return false }
            return true
        }
    }
}

extension UInt8 {
    var lowercasedASCII: UInt8 { self >= UInt8(ascii: "A") && self <= UInt8(ascii: "Z") ? self | 0x20 : self }
}
