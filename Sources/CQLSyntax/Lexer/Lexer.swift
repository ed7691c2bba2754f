/// Cuts the UTF-8 bytes of a text into tokens. It always comes to the end: what is no token becomes one of the two error kinds.
struct Lexer {
    private let bytes: [UInt8]
    private var position = 0
    private(set) var tokens: [Token] = []

    /// All tokens, closed by one of kind `end`.
    static func tokens(of bytes: [UInt8]) -> [Token] {
        var lexer = Lexer(bytes: bytes)
        lexer.run()
        return lexer.tokens
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
        self.tokens.reserveCapacity(bytes.count / 4 + 2)
    }

    private func byte(at offset: Int) -> UInt8 {
        offset < self.bytes.count ? self.bytes[offset] : 0
    }

    private mutating func run() {
        while self.position < self.bytes.count {
            self.next()
        }
        self.emit(.end, to: self.bytes.count)
    }

    private mutating func emit(_ kind: Token.Kind, to end: Int) {
        self.tokens.append(Token(kind: kind, start: self.position, end: end))
        self.position = end
    }

    private mutating func next() {
        let first = self.bytes[self.position]
        let second = self.byte(at: self.position + 1)
        switch first {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), 0x0C:
            self.position += 1
        case UInt8(ascii: "-") where second == first, UInt8(ascii: "/") where second == first:
            self.skipLineComment()
        case UInt8(ascii: "/") where second == UInt8(ascii: "*"):
            self.skipBlockComment()
        case UInt8(ascii: "'"):
            self.quoted(by: first, as: .string)
        case UInt8(ascii: "\""):
            self.quoted(by: first, as: .quotedName)
        case UInt8(ascii: "$") where second == first:
            self.dollarString()
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            self.number()
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
            self.word()
        default:
            self.punctuation(first, second)
        }
    }

    // MARK: Comments and quotes

    private mutating func skipLineComment() {
        while self.position < self.bytes.count {
            let byte = self.bytes[self.position]
            self.position += 1
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") { return }
        }
    }

    private mutating func skipBlockComment() {
        var at = self.position + 2
        while at + 1 < self.bytes.count {
            if self.bytes[at] == UInt8(ascii: "*"), self.bytes[at + 1] == UInt8(ascii: "/") {
                self.position = at + 2
                return
            }
            at += 1
        }
        self.emit(.unterminated, to: self.bytes.count)
    }

    private mutating func quoted(by quote: UInt8, as kind: Token.Kind) {
        var at = self.position + 1
        while at < self.bytes.count {
            if self.bytes[at] == quote {
                guard self.byte(at: at + 1) == quote else {
                    self.emit(kind, to: at + 1)
                    return
                }
                at += 1
            }
            at += 1
        }
        self.emit(.unterminated, to: self.bytes.count)
    }

    private mutating func dollarString() {
        let dollar = UInt8(ascii: "$")
        var at = self.position + 2
        while at + 1 < self.bytes.count {
            if self.bytes[at] == dollar, self.bytes[at + 1] == dollar {
                self.emit(.string, to: at + 2)
                return
            }
            at += 1
        }
        self.emit(.unterminated, to: self.bytes.count)
    }

    // MARK: Words and numbers

    private mutating func word() {
        if let end = self.uuidEnd() {
            self.emit(.uuid, to: end)
            return
        }
        if let end = self.dateDurationEnd() {
            self.emit(.duration, to: end)
            return
        }
        var at = self.position + 1
        while self.byte(at: at).isWordByte { at += 1 }
        self.emit(.word, to: at)
    }

    private mutating func number() {
        if let end = self.uuidEnd() {
            self.emit(.uuid, to: end)
            return
        }
        if self.bytes[self.position] == UInt8(ascii: "0"), self.byte(at: self.position + 1) | 0x20 == UInt8(ascii: "x")
        {
            var at = self.position + 2
            while self.byte(at: at).isHexDigit { at += 1 }
            self.emit(.blob, to: at)
            return
        }
        var at = self.digits(from: self.position)
        if let end = self.durationEnd(unitAt: at) {
            self.emit(.duration, to: end)
            return
        }
        var kind = Token.Kind.integer
        if self.byte(at: at) == UInt8(ascii: "."), self.byte(at: at + 1) != UInt8(ascii: ".") {
            kind = .float
            at = self.digits(from: at + 1)
        }
        if let end = self.exponentEnd(from: at) {
            kind = .float
            at = end
        }
        self.emit(kind, to: at)
    }

    private func digits(from start: Int) -> Int {
        var at = start
        while self.byte(at: at).isDigit { at += 1 }
        return at
    }

    private func exponentEnd(from start: Int) -> Int? {
        guard self.byte(at: start) | 0x20 == UInt8(ascii: "e") else { return nil }
        var at = start + 1
        if self.byte(at: at) == UInt8(ascii: "+") || self.byte(at: at) == UInt8(ascii: "-") { at += 1 }
        let end = self.digits(from: at)
        return end > at ? end : nil
    }

    /// The end of `1y2mo3w4d5h6m7s8ms9us10ns`, if what began with digits goes on with a unit.
    private func durationEnd(unitAt start: Int) -> Int? {
        var at = start
        while true {
            guard let unit = self.durationUnitLength(at: at) else { return nil }
            at += unit
            guard self.byte(at: at).isDigit else { break }
            at = self.digits(from: at)
        }
        return self.byte(at: at).isWordByte ? nil : at
    }

    private func durationUnitLength(at offset: Int) -> Int? {
        let second = self.byte(at: offset + 1) | 0x20
        switch self.byte(at: offset) | 0x20 {
        case UInt8(ascii: "m"): return second == UInt8(ascii: "o") || second == UInt8(ascii: "s") ? 2 : 1
        case UInt8(ascii: "u"), UInt8(ascii: "n"): return second == UInt8(ascii: "s") ? 2 : nil
        case UInt8(ascii: "y"), UInt8(ascii: "w"), UInt8(ascii: "d"), UInt8(ascii: "h"), UInt8(ascii: "s"): return 1
        default: break
        }
        // "µs": U+00B5 in UTF-8.
        let isMicro = self.byte(at: offset) == 0xC2 && self.byte(at: offset + 1) == 0xB5
        return isMicro && self.byte(at: offset + 2) | 0x20 == UInt8(ascii: "s") ? 3 : nil
    }

    /// The end of a UUID that begins here.
    private func uuidEnd() -> Int? {
        guard self.matches("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"), !self.byte(at: self.position + 36).isWordByte else {
            return nil
        }
        return self.position + 36
    }

    /// The end of an ISO 8601 duration `P0001-02-03T04:05:06`. The form with letters is a word for the lexer.
    private func dateDurationEnd() -> Int? {
        guard self.byte(at: self.position) | 0x20 == UInt8(ascii: "p"), self.matches("pdddd-dd-ddtdd:dd:dd") else {
            return nil
        }
        return self.position + 20
    }

    /// Compares with a pattern: `x` a hexadecimal digit, `d` a digit, other letters themselves in any case.
    private func matches(_ pattern: StaticString) -> Bool {
        guard self.position + pattern.utf8CodeUnitCount <= self.bytes.count else { return false }
        return pattern.withUTF8Buffer { pattern in
            for (index, expected) in pattern.enumerated() {
                let byte = self.bytes[self.position + index]
                let fits =
                    switch expected {
                    case UInt8(ascii: "x"): byte.isHexDigit
                    case UInt8(ascii: "d"): byte.isDigit
                    case UInt8(ascii: "a")...UInt8(ascii: "z"): byte | 0x20 == expected
                    default: byte == expected
                    }
                if !fits { return false }
            }
            return true
        }
    }

    // MARK: Punctuation

    private mutating func punctuation(_ first: UInt8, _ second: UInt8) {
        let isBeforeEqual = second == UInt8(ascii: "=")
        let (kind, length): (Token.Kind, Int) =
            switch first {
            case UInt8(ascii: "?"): (.questionMark, 1)
            case UInt8(ascii: ":"): (.colon, 1)
            case UInt8(ascii: ","): (.comma, 1)
            case UInt8(ascii: ";"): (.semicolon, 1)
            case UInt8(ascii: "."): second == first ? (.range, 2) : (.dot, 1)
            case UInt8(ascii: "("): (.leftParenthesis, 1)
            case UInt8(ascii: ")"): (.rightParenthesis, 1)
            case UInt8(ascii: "["): (.leftBracket, 1)
            case UInt8(ascii: "]"): (.rightBracket, 1)
            case UInt8(ascii: "{"): (.leftBrace, 1)
            case UInt8(ascii: "}"): (.rightBrace, 1)
            case UInt8(ascii: "="): (.equal, 1)
            case UInt8(ascii: "!") where isBeforeEqual: (.notEqual, 2)
            case UInt8(ascii: "<"): isBeforeEqual ? (.lessOrEqual, 2) : (.less, 1)
            case UInt8(ascii: ">"): isBeforeEqual ? (.greaterOrEqual, 2) : (.greater, 1)
            case UInt8(ascii: "+"): isBeforeEqual ? (.plusEqual, 2) : (.plus, 1)
            case UInt8(ascii: "-"): isBeforeEqual ? (.minusEqual, 2) : (.minus, 1)
            case UInt8(ascii: "*"): (.star, 1)
            case UInt8(ascii: "/"): (.slash, 1)
            case UInt8(ascii: "%"): (.percent, 1)
            default: (.invalidCharacter, self.characterLength(first))
            }
        self.emit(kind, to: self.position + length)
    }

    private func characterLength(_ first: UInt8) -> Int {
        var length = 1
        if first >= 0xC0 {
            while length < 4, self.byte(at: self.position + length) & 0xC0 == 0x80 { length += 1 }
        }
        return length
    }
}

extension UInt8 {
    var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }

    var isHexDigit: Bool {
        let lower = self | 0x20
        return self.isDigit || (lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "f"))
    }

    /// A byte of an unquoted word behind its first.
    var isWordByte: Bool {
        let lower = self | 0x20
        return self.isDigit || (lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "z")) || self == UInt8(ascii: "_")
    }
}
