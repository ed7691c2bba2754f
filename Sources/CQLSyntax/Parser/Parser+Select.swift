extension Parser {
    mutating func select() throws(CQLSyntaxError) -> SelectStatement {
        self.advance()
        let isJSON = self.takeModifier("json")
        let isDistinct = self.takeModifier("distinct")
        let projection = try self.projection()
        try self.expectWord("from")
        let table = try self.qualifiedName()
        let relations = self.takeWord("where") ? try self.relations() : []
        var groupBy: [Selector] = []
        if self.takeWord("group") {
            try self.expectWord("by")
            repeat { groupBy.append(try self.selector()) } while self.take(.comma)
        }
        var orderBy: [ColumnOrder] = []
        if self.takeWord("order") {
            try self.expectWord("by")
            repeat { orderBy.append(try self.columnOrder()) } while self.take(.comma)
        }
        var perPartitionLimit: Term?
        if self.takeWord("per") {
            try self.expectWord("partition")
            try self.expectWord("limit")
            perPartitionLimit = try self.integerTerm()
        }
        let limit = self.takeWord("limit") ? try self.integerTerm() : nil
        var allowFiltering = false
        if self.takeWord("allow") {
            try self.expectWord("filtering")
            allowFiltering = true
        }
        if self.acceptsDialects {
            _ = self.takeWords("bypass", "cache")
            _ = try self.using(allowsTimeToLive: false)
        }
        return SelectStatement(
            isJSON: isJSON,
            isDistinct: isDistinct,
            projection: projection,
            table: table,
            relations: relations,
            groupBy: groupBy,
            orderBy: orderBy,
            perPartitionLimit: perPartitionLimit,
            limit: limit,
            allowFiltering: allowFiltering
        )
    }

    /// `JSON` or `DISTINCT`, unless it is a column of that name.
    private mutating func takeModifier(_ word: StaticString) -> Bool {
        guard self.isWord(word) else { return false }
        let next = self.peek(1)
        switch next.kind {
        case .comma, .dot, .leftBracket, .plus, .minus, .slash, .percent: return false
        case .star where !self.isWord("from", at: 2): return false
        case .word where self.isWord("from", at: 1) || self.isWord("as", at: 1): return false
        default: break
        }
        self.advance()
        return true
    }

    mutating func columnOrder() throws(CQLSyntaxError) -> ColumnOrder {
        let column = try self.identifier()
        if self.takeWords("ann", "of") {
            return ColumnOrder(column: column, isDescending: false, nearestTo: try self.term())
        }
        let isDescending = self.takeWord("desc")
        if !isDescending { _ = self.takeWord("asc") }
        return ColumnOrder(column: column, isDescending: isDescending, nearestTo: nil)
    }

    mutating func projection() throws(CQLSyntaxError) -> SelectStatement.Projection {
        if self.kind == .star, self.isWord("from", at: 1) {
            self.advance()
            return .all
        }
        var items: [SelectItem] = []
        repeat {
            let start = self.start
            let selector = try self.selector()
            let range = self.range(from: start)
            let alias = self.takeWord("as") ? try self.identifier() : nil
            items.append(SelectItem(selector: selector, alias: alias, range: range))
        } while self.take(.comma)
        return .items(items)
    }

    // MARK: Selectors

    mutating func selector() throws(CQLSyntaxError) -> Selector {
        let outer = self.depth
        defer { self.depth = outer }
        try self.enter()
        var left = try self.selectorProduct()
        while self.kind == .plus || self.kind == .minus {
            let operation: ArithmeticOperator = self.kind == .plus ? .add : .subtract
            self.advance()
            try self.enter()
            left = .arithmetic(left, operation, try self.selectorProduct())
        }
        return left
    }

    private mutating func selectorProduct() throws(CQLSyntaxError) -> Selector {
        var left = try self.selectorFactor()
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
            left = .arithmetic(left, operation, try self.selectorFactor())
        }
    }

    private mutating func selectorFactor() throws(CQLSyntaxError) -> Selector {
        if self.kind == .minus, !self.isSignedLiteral {
            self.advance()
            try self.enter()
            return .negated(try self.selectorFactor())
        }
        var selector = try self.simpleSelector()
        while true {
            if self.take(.dot) {
                try self.enter()
                selector = .field(selector, try self.identifier())
            } else if self.take(.leftBracket) {
                try self.enter()
                selector = try self.subscripted(selector)
            } else {
                return selector
            }
        }
    }

    /// A minus directly before a number, or before a word such as `Infinity`.
    private var isSignedLiteral: Bool {
        let next = self.peek(1)
        guard next.start == self.token.end else { return false }
        switch next.kind {
        case .integer, .float, .duration: return true
        case .word:
            return self.isConstantWord(at: 1) && !self.isWord("true", at: 1) && !self.isWord("false", at: 1)
                && !self.isWord("null", at: 1)
        default: return false
        }
    }

    private mutating func subscripted(_ base: Selector) throws(CQLSyntaxError) -> Selector {
        if self.take(.range) {
            let to = try self.selector()
            try self.expect(.rightBracket, "]")
            return .slice(base, nil, to)
        }
        let first = try self.selector()
        guard self.take(.range) else {
            try self.expect(.rightBracket, "]")
            return .element(base, first)
        }
        let to: Selector? = self.kind == .rightBracket ? nil : try self.selector()
        try self.expect(.rightBracket, "]")
        return .slice(base, first, to)
    }

    private mutating func simpleSelector() throws(CQLSyntaxError) -> Selector {
        // A duration such as `p1d` is also a fine column name, and a column is what selectors mean more often.
        if self.kind != .word || self.isWord("true") || self.isWord("false") || self.isWord("nan")
            || self.isWord("infinity"), let literal = self.literal()
        {
            return .term(.literal(literal))
        }
        if let marker = try self.marker() { return .term(.marker(marker)) }
        switch self.kind {
        case .leftParenthesis: return try self.parenthesizedSelector()
        case .leftBracket:
            self.advance()
            if self.take(.rightBracket) { return .list([]) }
            var elements: [Selector] = []
            repeat { elements.append(try self.selector()) } while self.take(.comma)
            try self.expect(.rightBracket, "]")
            return .list(elements)
        case .leftBrace: return try self.selectorBraces()
        case .word, .quotedName: break
        default: throw self.unexpected()
        }
        if self.takeWord("null") { return .term(.null) }
        if self.peek(1).kind == .leftParenthesis, self.kind == .word, let special = try self.specialFunction() {
            return special
        }
        let isCall = self.peek(1).kind == .leftParenthesis
        let isQualifiedCall = self.peek(1).kind == .dot && self.isName(at: 2) && self.peek(3).kind == .leftParenthesis
        guard isCall || isQualifiedCall else { return .column(try self.identifier()) }
        let name = try self.functionName()
        return .function(name, try self.selectorArguments())
    }

    private mutating func selectorArguments() throws(CQLSyntaxError) -> [Selector] {
        try self.expect(.leftParenthesis, "(")
        var arguments: [Selector] = []
        if self.take(.rightParenthesis) { return arguments }
        repeat { arguments.append(try self.selector()) } while self.take(.comma)
        try self.expect(.rightParenthesis, ")")
        return arguments
    }

    /// Functions with a syntax of their own; nil where the word is an ordinary function.
    private mutating func specialFunction() throws(CQLSyntaxError) -> Selector? {
        if self.isWord("count") {
            let isOne = self.peek(2).kind == .integer && self.peek(3).kind == .rightParenthesis
            guard self.peek(2).kind == .star || isOne else { return nil }
            for _ in 0..<3 { self.advance() }
            try self.expect(.rightParenthesis, ")")
            return .countRows
        }
        if self.isWord("writetime") || self.isWord("maxwritetime") || self.isWord("ttl") {
            let word = self.folded(self.token)
            self.advance()
            self.advance()
            let operand = try self.selector()
            try self.expect(.rightParenthesis, ")")
            return word == "ttl"
                ? .timeToLive(operand) : word == "writetime" ? .writeTime(operand) : .maxWriteTime(operand)
        }
        guard self.isWord("cast") else { return nil }
        self.advance()
        self.advance()
        let operand = try self.selector()
        try self.expectWord("as")
        let type = try self.type()
        try self.expect(.rightParenthesis, ")")
        return .cast(operand, type)
    }

    /// `(type) selector`, a tuple, or a selector in parentheses.
    private mutating func parenthesizedSelector() throws(CQLSyntaxError) -> Selector {
        if let behind = self.typeEnd(from: 1), self.peek(behind).kind == .rightParenthesis,
            self.beginsSelector(at: behind + 1)
        {
            self.advance()
            let type = try self.type()
            try self.expect(.rightParenthesis, ")")
            try self.enter()
            return .typeHint(type, try self.simpleSelector())
        }
        let elements = try self.parenthesized { (parser) throws(CQLSyntaxError) in try parser.selector() }
        return elements.count == 1 ? elements[0] : .tuple(elements)
    }

    private func beginsSelector(at distance: Int) -> Bool {
        switch self.peek(distance).kind {
        case .word: !self.isWord("from", at: distance) && !self.isWord("as", at: distance)
        case .quotedName, .string, .integer, .float, .blob, .uuid, .duration, .questionMark, .leftParenthesis,
            .leftBracket, .leftBrace:
            true
        default: false
        }
    }

    private mutating func selectorBraces() throws(CQLSyntaxError) -> Selector {
        let isUserType = self.isName(at: 1) && self.peek(2).kind == .colon && !self.isConstantWord(at: 1)
        self.advance()
        if self.take(.rightBrace) { return .set([]) }
        if isUserType {
            var fields: [SelectorFieldEntry] = []
            repeat {
                let name = try self.identifier()
                try self.expect(.colon, ":")
                fields.append(SelectorFieldEntry(name: name, value: try self.selector()))
            } while self.take(.comma)
            try self.expect(.rightBrace, "}")
            return .userType(fields)
        }
        let first = try self.selector()
        guard self.take(.colon) else {
            var elements = [first]
            while self.take(.comma) { elements.append(try self.selector()) }
            try self.expect(.rightBrace, "}")
            return .set(elements)
        }
        var entries = [SelectorMapEntry(key: first, value: try self.selector())]
        while self.take(.comma) {
            let key = try self.selector()
            try self.expect(.colon, ":")
            entries.append(SelectorMapEntry(key: key, value: try self.selector()))
        }
        try self.expect(.rightBrace, "}")
        return .map(entries)
    }
}
