extension Parser {
    /// A value with arithmetic.
    mutating func term() throws(CQLSyntaxError) -> Term {
        let outer = self.depth
        defer { self.depth = outer }
        try self.enter()
        return try self.sum()
    }

    /// The rest of a sum whose operators count as levels, as the tree grows to the left.
    private mutating func sum() throws(CQLSyntaxError) -> Term {
        var left = try self.product()
        while true {
            let operation: ArithmeticOperator
            if self.kind == .plus, !self.isPrependTail {
                operation = .add
            } else if self.kind == .minus {
                operation = .subtract
            } else {
                return left
            }
            self.advance()
            try self.enter()
            left = .arithmetic(left, operation, try self.product())
        }
    }

    /// `+ column` at the end of `SET column = term + column`: no part of the term, as terms hold no columns.
    private var isPrependTail: Bool {
        let name = self.peek(1)
        guard name.kind == .word || name.kind == .quotedName else { return false }
        let behind = self.peek(2).kind
        guard behind != .leftParenthesis, behind != .dot else { return false }
        return !(name.kind == .word && self.isConstantWord(at: 1))
    }

    private mutating func product() throws(CQLSyntaxError) -> Term {
        var left = try self.factor()
        while true {
            let operation: ArithmeticOperator
            switch self.kind {
            case .star: operation = .multiply
            case .slash: operation = .divide
            case .percent: operation = .remainder
            default: return left
            }
            self.advance()
            try self.enter()
            left = .arithmetic(left, operation, try self.factor())
        }
    }

    private mutating func factor() throws(CQLSyntaxError) -> Term {
        guard self.kind == .minus else { return try self.simpleTerm() }
        if let literal = self.literal() { return .literal(literal) }
        self.advance()
        try self.enter()
        return .negated(try self.factor())
    }

    /// A term without arithmetic.
    mutating func simpleTerm() throws(CQLSyntaxError) -> Term {
        if let literal = self.literal() { return .literal(literal) }
        if let marker = try self.marker() { return .marker(marker) }
        switch self.kind {
        case .leftBracket: return .list(try self.terms(.leftBracket, .rightBracket, "]"))
        case .leftBrace: return try self.braces()
        case .leftParenthesis: return try self.parenthesizedTerm()
        case .word, .quotedName: break
        default: throw self.unexpected()
        }
        if self.takeWord("null") { return .null }
        if self.isWord("cast"), self.peek(1).kind == .leftParenthesis { return try self.castTerm() }
        return .function(try self.functionCall())
    }

    private mutating func castTerm() throws(CQLSyntaxError) -> Term {
        self.advance()
        try self.expect(.leftParenthesis, "(")
        let operand = try self.term()
        try self.expectWord("as")
        let type = try self.type()
        try self.expect(.rightParenthesis, ")")
        return .cast(operand, type)
    }

    private mutating func functionCall() throws(CQLSyntaxError) -> FunctionCall {
        let start = self.start
        let name = try self.functionName()
        let arguments = try self.terms(.leftParenthesis, .rightParenthesis, ")")
        return FunctionCall(name: name, arguments: arguments, range: self.range(from: start))
    }

    /// `token` is reserved, and yet the name of a function.
    mutating func functionName() throws(CQLSyntaxError) -> QualifiedName {
        if self.isWord("token"), self.peek(1).kind == .leftParenthesis {
            self.advance()
            return QualifiedName(name: "token")
        }
        return try self.qualifiedName()
    }

    /// Terms between brackets, none included.
    mutating func terms(
        _ open: Token.Kind,
        _ close: Token.Kind,
        _ closeName: StaticString
    ) throws(CQLSyntaxError) -> [Term] {
        guard self.take(open) else { throw self.unexpected() }
        var terms: [Term] = []
        if self.take(close) { return terms }
        repeat { terms.append(try self.term()) } while self.take(.comma)
        try self.expect(close, closeName)
        return terms
    }

    /// Set, map or user-defined type.
    private mutating func braces() throws(CQLSyntaxError) -> Term {
        let isName = self.peek(1).kind == .word || self.peek(1).kind == .quotedName
        if isName, self.peek(2).kind == .colon, !self.isConstantWord(at: 1) {
            self.advance()
            var fields: [FieldEntry] = []
            repeat {
                let name = try self.identifier()
                try self.expect(.colon, ":")
                fields.append(FieldEntry(name: name, value: try self.term()))
            } while self.take(.comma)
            try self.expect(.rightBrace, "}")
            return .userType(fields)
        }
        self.advance()
        if self.take(.rightBrace) { return .set([]) }
        let first = try self.term()
        if self.take(.colon) {
            var entries = [MapEntry(key: first, value: try self.term())]
            while self.take(.comma) {
                let key = try self.term()
                try self.expect(.colon, ":")
                entries.append(MapEntry(key: key, value: try self.term()))
            }
            try self.expect(.rightBrace, "}")
            return .map(entries)
        }
        var elements = [first]
        while self.take(.comma) { elements.append(try self.term()) }
        try self.expect(.rightBrace, "}")
        return .set(elements)
    }

    /// `(type) term` or a tuple.
    private mutating func parenthesizedTerm() throws(CQLSyntaxError) -> Term {
        if let behind = self.typeEnd(from: 1), self.peek(behind).kind == .rightParenthesis, !self.isConstantWord(at: 1)
        {
            self.advance()
            let type = try self.type()
            try self.expect(.rightParenthesis, ")")
            try self.enter()
            return .typeHint(type, try self.factor())
        }
        return .tuple(try self.parenthesized { (parser) throws(CQLSyntaxError) in try parser.term() })
    }

    /// Distance of the token behind what looks like a type at `distance`.
    func typeEnd(from distance: Int) -> Int? {
        var at = distance
        guard self.peek(at).kind == .word || self.peek(at).kind == .quotedName else { return nil }
        at += 1
        if self.peek(at).kind == .dot {
            guard self.peek(at + 1).kind == .word || self.peek(at + 1).kind == .quotedName else { return nil }
            at += 2
        }
        guard self.peek(at).kind == .less else { return at }
        var open = 0
        while true {
            switch self.peek(at).kind {
            case .less: open += 1
            case .greater: open -= 1
            case .word, .quotedName, .comma, .dot, .integer, .string: break
            default: return nil
            }
            at += 1
            if open == 0 { return at }
        }
    }

    // MARK: Literals

    /// `true`, `null`, `NaN` … are words for the lexer, and so are durations such as `P3DT4H`.
    func isConstantWord(at distance: Int) -> Bool {
        let words: [StaticString] = ["true", "false", "null", "nan", "infinity"]
        return words.contains { self.isWord($0, at: distance) } || self.isISODuration(self.peek(distance))
    }

    /// The literal that comes next, a sign directly before its number included.
    mutating func literal() -> Literal? {
        let start = self.token
        var number = start
        if start.kind == .minus {
            number = self.peek(1)
            guard number.start == start.end else { return nil }
        }
        let kind: Literal.Kind
        switch number.kind {
        case .integer: kind = .integer
        case .float: kind = .float
        case .duration: kind = .duration
        case .string where number.start == start.start: kind = .string
        case .blob where number.start == start.start: kind = .blob
        case .uuid where number.start == start.start: kind = .uuid
        case .word:
            guard let wordKind = self.literalKind(ofWord: number, isSigned: start.kind == .minus) else { return nil }
            kind = wordKind
        default: return nil
        }
        if start.kind == .minus { self.advance() }
        self.advance()
        let text: String
        if kind == .string {
            text = self.unquoted(number)
        } else {
            text = String(decoding: self.bytes[start.start..<number.end], as: UTF8.self)
        }
        return Literal(kind: kind, text: text, range: SourceRange(start: start.start, end: number.end))
    }

    private func literalKind(ofWord token: Token, isSigned: Bool) -> Literal.Kind? {
        if token.isWord("nan", in: self.bytes) || token.isWord("infinity", in: self.bytes) { return .float }
        if self.isISODuration(token) { return .duration }
        if isSigned { return nil }
        return token.isWord("true", in: self.bytes) || token.isWord("false", in: self.bytes) ? .boolean : nil
    }

    /// `P[nY][nM][nD][T[nH][nM][nS]]` or `PnW`, with at least one number.
    private func isISODuration(_ token: Token) -> Bool {
        guard token.kind == .word, token.end - token.start >= 3, token.end - token.start <= 64,
            self.bytes[token.start].lowercasedASCII == UInt8(ascii: "p")
        else { return false }
        var units: [UInt8] = Array("ymdw".utf8)
        var hasNumber = false
        var at = token.start + 1
        while at < token.end {
            if self.bytes[at].lowercasedASCII == UInt8(ascii: "t"), units.count > 0, units.last != UInt8(ascii: "s") {
                units = Array("hms".utf8)
                at += 1
                continue
            }
            let digits = at
            while at < token.end, self.bytes[at].isDigit { at += 1 }
            guard at > digits, at < token.end, let unit = units.firstIndex(of: self.bytes[at].lowercasedASCII) else {
                return false
            }
            units.removeFirst(unit + 1)
            if units.isEmpty, at + 1 < token.end { return false }
            hasNumber = true
            at += 1
        }
        return hasNumber
    }

    // MARK: Markers

    mutating func marker() throws(CQLSyntaxError) -> BindMarker? {
        let start = self.start
        var name: String?
        switch self.kind {
        case .questionMark:
            self.advance()
        case .colon:
            self.advance()
            name = try self.identifier()
        default:
            return nil
        }
        self.markerStarts.append(start)
        return BindMarker(index: self.markerStarts.count - 1, name: name, range: self.range(from: start))
    }

    /// An integer or a marker.
    mutating func integerTerm() throws(CQLSyntaxError) -> Term {
        if let marker = try self.marker() { return .marker(marker) }
        let isInteger = self.kind == .integer || (self.kind == .minus && self.peek(1).kind == .integer)
        guard isInteger, let literal = self.literal() else { throw self.unexpected() }
        return .literal(literal)
    }

    // MARK: Types

    mutating func type() throws(CQLSyntaxError) -> CQLType {
        let outer = self.depth
        defer { self.depth = outer }
        try self.enter()
        if self.kind == .string { return .custom(try self.string()) }
        guard self.kind == .word, self.peek(1).kind != .dot else { return .userDefined(try self.qualifiedName()) }
        if self.peek(1).kind == .less { return try self.parameterizedType() }
        let name = self.folded(self.token)
        if Keywords.nativeTypes.contains(name) {
            self.advance()
            return .native(name)
        }
        return .userDefined(try self.qualifiedName())
    }

    private mutating func parameterizedType() throws(CQLSyntaxError) -> CQLType {
        let name = self.folded(self.token)
        guard ["list", "set", "map", "tuple", "frozen", "vector"].contains(name) else { throw self.unexpected() }
        self.advance()
        try self.expect(.less, "<")
        let first = try self.type()
        let result: CQLType
        switch name {
        case "list": result = .list(first)
        case "set": result = .set(first)
        case "frozen": result = .frozen(first)
        case "map":
            try self.expect(.comma, ",")
            result = .map(first, try self.type())
        case "vector":
            try self.expect(.comma, ",")
            guard self.kind == .integer, let count = Int(self.text(of: self.token)) else { throw self.unexpected() }
            self.advance()
            result = .vector(first, count)
        default:
            var elements = [first]
            while self.take(.comma) { elements.append(try self.type()) }
            result = .tuple(elements)
        }
        try self.expect(.greater, ">")
        return result
    }
}
