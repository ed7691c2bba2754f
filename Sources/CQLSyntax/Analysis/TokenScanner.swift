/// The tolerant path: finds kind, keyspace, table and markers in tokens that no grammar fits. One pass over the
/// tokens per question.
struct TokenScanner {
    private let bytes: [UInt8]
    private let tokens: [Token]
    private let words: Parser

    init(bytes: [UInt8], tokens: [Token]) {
        self.bytes = bytes
        self.tokens = tokens
        self.words = Parser(bytes: bytes, tokens: tokens, acceptsDialects: true)
    }

    mutating func analysis() -> StatementAnalysis {
        let facts = self.scan(from: 0, to: self.tokens.count - 1, firstMarker: 0)
        let range = SourceRange(start: 0, end: self.bytes.count)
        guard self.isWord("begin", at: 0) else {
            return self.analysis(of: facts, from: 0, to: self.tokens.count - 1, range: range)
        }
        return self.batch(facts, range)
    }

    // MARK: Names

    private func token(_ index: Int) -> Token { self.tokens[min(index, self.tokens.count - 1)] }

    private func isWord(_ word: StaticString, at index: Int) -> Bool {
        self.token(index).isWord(word, in: self.bytes)
    }

    private func name(at index: Int) -> String? {
        let token = self.token(index)
        switch token.kind {
        case .word: return self.words.folded(token)
        case .quotedName: return self.words.unquoted(token)
        default: return nil
        }
    }

    private func qualifiedName(at index: Int) -> QualifiedName? {
        guard let first = self.name(at: index) else { return nil }
        if self.token(index + 1).kind == .dot, let second = self.name(at: index + 2) {
            return QualifiedName(keyspace: first, name: second)
        }
        return QualifiedName(name: first)
    }

    /// The name behind optional words such as `IF NOT EXISTS`.
    private func objectName(at index: Int) -> QualifiedName? {
        var at = index
        if self.isWord("if", at: at) {
            at += self.isWord("not", at: at + 1) ? 3 : 2
        }
        return self.qualifiedName(at: at)
    }

    /// The name behind the first `word` outside of brackets.
    private func name(behind word: StaticString, from start: Int, to end: Int) -> QualifiedName? {
        var depth = 0
        for index in start..<max(start, end) {
            switch self.tokens[index].kind {
            case .leftParenthesis, .leftBracket, .leftBrace: depth += 1
            case .rightParenthesis, .rightBracket, .rightBrace: depth -= 1
            case .semicolon: return nil
            case .word where depth == 0 && self.isWord(word, at: index): return self.qualifiedName(at: index + 1)
            default: break
            }
        }
        return nil
    }

    private func kindAndName(at start: Int, to end: Int) -> (StatementKind, QualifiedName?) {
        guard self.token(start).kind == .word else { return (.unknown, nil) }
        switch self.words.folded(self.token(start)) {
        case "select": return (.select, self.name(behind: "from", from: start, to: end))
        case "insert": return (.insert, self.name(behind: "into", from: start, to: end))
        case "update": return (.update, self.qualifiedName(at: start + 1))
        case "delete": return (.delete, self.name(behind: "from", from: start, to: end))
        case "truncate":
            let hasWord = self.isWord("table", at: start + 1) || self.isWord("columnfamily", at: start + 1)
            return (.truncate, self.qualifiedName(at: start + (hasWord ? 2 : 1)))
        case "use":
            return (.use, self.name(at: start + 1).map { QualifiedName(keyspace: $0, name: "") })
        case "create": return self.schemaChange(.create, at: start + 1, to: end)
        case "alter": return self.schemaChange(.alter, at: start + 1, to: end)
        case "drop": return self.schemaChange(.drop, at: start + 1, to: end)
        case "grant", "revoke": return (.roleOrPermission, nil)
        case "list": return (.list, nil)
        case "describe", "desc": return (.describe, nil)
        case "prune":
            let hasWords = self.isWord("materialized", at: start + 1) && self.isWord("view", at: start + 2)
            return (.unknown, hasWords ? self.qualifiedName(at: start + 3) : nil)
        default: return (.unknown, nil)
        }
    }

    private func schemaChange(_ action: SchemaChange.Action, at start: Int, to end: Int) -> (
        StatementKind, QualifiedName?
    ) {
        var at = start
        while self.isWord("or", at: at) || self.isWord("replace", at: at) || self.isWord("custom", at: at)
            || self.isWord("materialized", at: at) || self.isWord("local", at: at) || self.isWord("global", at: at)
        { at += 1 }
        guard self.token(at).kind == .word else { return (.unknown, nil) }
        func kind(_ object: SchemaChange.Object) -> StatementKind { .ddl(SchemaChange(action: action, object: object)) }
        let name = self.objectName(at: at + 1)
        switch self.words.folded(self.token(at)) {
        case "keyspace", "schema": return (kind(.keyspace), name.map { QualifiedName(keyspace: $0.name, name: "") })
        case "table", "columnfamily": return (kind(.table), name)
        case "type": return (kind(.type), name)
        case "index": return (kind(.index), action == .create ? self.name(behind: "on", from: at, to: end) : name)
        case "view": return (kind(.view), name)
        case "function": return (kind(.function), name)
        case "aggregate": return (kind(.aggregate), name)
        case "trigger": return (kind(.trigger), self.name(behind: "on", from: at, to: end))
        case "role", "user", "identity", "service_level": return (.roleOrPermission, nil)
        default: return (.unknown, nil)
        }
    }

    // MARK: Facts

    private struct Facts {
        var markers: [MarkerUse] = []
        var functions: [FunctionUse] = []
        var hasConditions = false
        var hasIfNotExists = false
        var usesTimestamp = false
        var usesTimeToLive = false
    }

    /// One pass over the tokens `start..<end`.
    private func scan(from start: Int, to end: Int, firstMarker: Int) -> Facts {
        var facts = Facts()
        var role = MarkerUse.Role.other
        var brackets: [Token.Kind] = []
        var index = start
        while index < end {
            let token = self.tokens[index]
            switch token.kind {
            case .leftParenthesis, .leftBracket, .leftBrace: brackets.append(token.kind)
            case .rightParenthesis, .rightBracket, .rightBrace: _ = brackets.popLast()
            case .word: self.noteWord(index, start, &facts, &role)
            case .questionMark, .colon:
                let isNamed = token.kind == .colon
                if isNamed, self.name(at: index + 1) == nil || self.isSeparator(index, brackets.last) { break }
                let last = isNamed ? index + 1 : index
                let (column, equals) = self.columnBefore(index)
                let named = self.role(role, at: index, equals: equals)
                facts.markers.append(
                    MarkerUse(
                        index: firstMarker + facts.markers.count,
                        name: isNamed ? self.name(at: index + 1) : nil,
                        role: named,
                        column: column,
                        isDirect: column != nil,
                        range: SourceRange(start: token.start, end: self.tokens[last].end)
                    )
                )
                index = last
            default: break
            }
            index += 1
        }
        return facts
    }

    private func noteWord(_ index: Int, _ start: Int, _ facts: inout Facts, _ role: inout MarkerUse.Role) {
        let token = self.tokens[index]
        switch self.words.folded(token) {
        case "where": role = .restriction
        case "set", "values": role = .value
        case "if" where index > start:
            role = .condition
            facts.hasConditions = true
            if self.isWord("not", at: index + 1) { facts.hasIfNotExists = true }
        case "using" where self.isWord("timestamp", at: index + 1) || self.isWord("ttl", at: index + 1), "and":
            if self.isWord("timestamp", at: index + 1), self.isValue(index + 2) { facts.usesTimestamp = true }
            if self.isWord("ttl", at: index + 1), self.isValue(index + 2) { facts.usesTimeToLive = true }
        case let name where self.token(index + 1).kind == .leftParenthesis && !Keywords.reserved.contains(name):
            // `VALUES (…)` and column lists are caught above or named like the table, which does no harm here.
            let function = QualifiedName(name: name)
            facts.functions.append(
                FunctionUse(
                    name: function,
                    range: token.range,
                    isNonDeterministic: FunctionCatalogue.isNonDeterministic(function),
                    column: nil,
                    depth: 0
                )
            )
        default: break
        }
    }

    private func isValue(_ index: Int) -> Bool {
        switch self.token(index).kind {
        case .integer, .questionMark, .colon, .minus: true
        default: false
        }
    }

    /// Whether a colon stands between a key and a value.
    private func isSeparator(_ index: Int, _ bracket: Token.Kind?) -> Bool {
        guard bracket == .leftBrace, index > 0 else { return false }
        switch self.tokens[index - 1].kind {
        case .leftBrace, .comma, .colon, .plus, .minus, .star, .slash, .percent: return false
        default: return true
        }
    }

    /// The column of `column op marker`.
    private func columnBefore(_ index: Int) -> (column: String?, equals: Bool) {
        guard index >= 2 else { return (nil, false) }
        switch self.tokens[index - 1].kind {
        case .equal: return (self.name(at: index - 2), true)
        case .less, .lessOrEqual, .greater, .greaterOrEqual, .notEqual: return (self.name(at: index - 2), false)
        default: return (nil, false)
        }
    }

    private func role(_ role: MarkerUse.Role, at index: Int, equals: Bool) -> MarkerUse.Role {
        guard index > 0 else { return .other }
        if self.isWord("timestamp", at: index - 1) { return .timestamp }
        if self.isWord("ttl", at: index - 1) { return .timeToLive }
        if self.isWord("timeout", at: index - 1) { return .other }
        if self.isWord("limit", at: index - 1) {
            return index > 1 && self.isWord("partition", at: index - 2) ? .perPartitionLimit : .limit
        }
        return role == .restriction && equals ? .keyEquality : role
    }

    // MARK: Results

    private func analysis(of facts: Facts, from start: Int, to end: Int, range: SourceRange) -> StatementAnalysis {
        let (kind, name) = self.kindAndName(at: start, to: end)
        let isModification = kind.isWrite
        let isKnown = kind != .unknown || name != nil
        let isHarmless: Bool =
            switch kind {
            case .select, .list, .describe, .use: true
            default: false
            }
        return StatementAnalysis(
            kind: kind,
            precision: isKnown ? .tolerant : .none,
            keyspace: name?.keyspace,
            table: name.flatMap { $0.name.isEmpty ? nil : $0.name },
            markers: facts.markers,
            hasConditions: isModification && facts.hasConditions,
            hasIfNotExists: kind == .insert && facts.hasIfNotExists,
            usesTimestamp: isModification && facts.usesTimestamp,
            usesTimeToLive: isModification && facts.usesTimeToLive,
            functions: facts.functions,
            isRepeatable: isHarmless,
            range: range,
            hidesServerValues: (isModification || kind == .unknown)
                && facts.functions.contains { ServerFunction($0.name) != nil }
        )
    }

    /// Children begin at each INSERT, UPDATE or DELETE that stands where a statement may.
    private func batch(_ whole: Facts, _ range: SourceRange) -> StatementAnalysis {
        var at = 1
        var kind = BatchStatement.Kind.logged
        if self.isWord("unlogged", at: at) { kind = .unlogged }
        if self.isWord("counter", at: at) { kind = .counter }
        while at < min(4, self.tokens.count), !self.isWord("batch", at: at) { at += 1 }
        guard self.isWord("batch", at: at) else {
            return self.analysis(of: whole, from: 0, to: self.tokens.count - 1, range: range)
        }
        var starts: [Int] = []
        var depth = 0
        var end = self.tokens.count - 1
        for index in (at + 1)..<max(at + 1, self.tokens.count) {
            switch self.tokens[index].kind {
            case .leftParenthesis, .leftBracket, .leftBrace: depth += 1
            case .rightParenthesis, .rightBracket, .rightBrace: depth -= 1
            case .word where depth <= 0:
                if self.isWord("apply", at: index), self.isWord("batch", at: index + 1) { end = index }
                if self.isWord("insert", at: index) || self.isWord("update", at: index)
                    || self.isWord("delete", at: index)
                {
                    starts.append(index)
                }
            default: break
            }
        }
        var children: [StatementAnalysis] = []
        var own = FactCollector(takesCallsForConstants: false)
        let using = self.scan(from: 0, to: min(starts.first ?? end, end), firstMarker: 0)
        own.markers = using.markers
        own.usesTimestamp = using.usesTimestamp
        var marker = using.markers.count
        for (position, start) in starts.enumerated() where start < end {
            var stop = position + 1 < starts.count ? min(starts[position + 1], end) : end
            let facts = self.scan(from: start, to: stop, firstMarker: marker)
            marker += facts.markers.count
            if self.tokens[stop - 1].kind == .semicolon { stop -= 1 }
            let bytes = SourceRange(start: self.tokens[start].start, end: self.tokens[stop - 1].end)
            children.append(self.analysis(of: facts, from: start, to: stop, range: bytes))
        }
        return StatementAnalysis.batch(kind, own: own, children, .tolerant, range)
    }
}
