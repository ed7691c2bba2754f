extension Parser {
    mutating func statement() throws(CQLSyntaxError) -> Statement {
        guard self.kind == .word else { throw self.unexpected() }
        switch self.folded(self.token) {
        case "select": return .select(try self.select())
        case "insert": return .insert(try self.insert())
        case "update": return .update(try self.update())
        case "delete": return .delete(try self.delete())
        case "begin": return .batch(try self.batch())
        case "use":
            self.advance()
            return .use(keyspace: try self.identifier())
        case "truncate":
            self.advance()
            if self.isWord("table") || self.isWord("columnfamily") { self.advance() }
            return .truncate(try self.qualifiedName())
        case "create": return try self.create()
        case "alter": return try self.alter()
        case "drop": return try self.drop()
        case "grant": return try self.grant()
        case "revoke": return try self.revoke()
        case "list": return .list(try self.list())
        case "describe", "desc": return .describe(try self.describe())
        default: throw self.unexpected()
        }
    }

    // MARK: Modifications

    private mutating func insert() throws(CQLSyntaxError) -> InsertStatement {
        self.advance()
        try self.expectWord("into")
        let table = try self.qualifiedName()
        let source: InsertStatement.Source
        if self.takeWord("json") {
            let document: Term
            if let marker = try self.marker() {
                document = .marker(marker)
            } else if self.kind == .string, let literal = self.literal() {
                document = .literal(literal)
            } else {
                throw self.unexpected()
            }
            var defaultUnset = false
            if self.takeWord("default") {
                if self.takeWord("unset") {
                    defaultUnset = true
                } else {
                    try self.expectWord("null")
                }
            }
            source = .json(document, defaultUnset: defaultUnset)
        } else {
            let columns = try self.identifiers()
            try self.expectWord("values")
            let values = try self.terms(.leftParenthesis, .rightParenthesis, ")")
            guard columns.count == values.count else { throw self.invalid("Unmatched column names/values") }
            source = .values(columns: columns, values)
        }
        var condition: ConditionClause?
        let start = self.start
        if try self.ifNotExists() {
            condition = ConditionClause(kind: .notExists, range: self.range(from: start))
        }
        return InsertStatement(
            table: table,
            source: source,
            condition: condition,
            using: try self.using(allowsTimeToLive: true)
        )
    }

    private mutating func update() throws(CQLSyntaxError) -> UpdateStatement {
        self.advance()
        let table = try self.qualifiedName()
        let using = try self.using(allowsTimeToLive: true)
        try self.expectWord("set")
        var assignments: [Assignment] = []
        repeat { assignments.append(try self.assignment()) } while self.take(.comma)
        try self.expectWord("where")
        let relations = try self.relations()
        return UpdateStatement(
            table: table,
            using: using,
            assignments: assignments,
            relations: relations,
            condition: try self.condition()
        )
    }

    private mutating func assignment() throws(CQLSyntaxError) -> Assignment {
        let part = try self.columnPart()
        guard case .column(let column) = part else {
            try self.expect(.equal, "=")
            return .assign(part, try self.term())
        }
        if self.take(.plusEqual) { return .add(column: column, try self.term()) }
        if self.take(.minusEqual) { return .subtract(column: column, try self.term()) }
        try self.expect(.equal, "=")
        if self.isName(at: 0), !self.isConstantWord(at: 0) {
            let behind = self.peek(1).kind
            if behind == .plus || behind == .minus {
                return try self.selfAssignment(column)
            }
        }
        let term = try self.term()
        guard self.take(.plus) else { return .assign(part, term) }
        guard try self.identifier() == column else {
            throw self.invalid("Only expressions of the form X = <value> + X are supported.")
        }
        return .prepend(column: column, term)
    }

    /// `c + term` or `c - term` behind `c =`.
    private mutating func selfAssignment(_ column: String) throws(CQLSyntaxError) -> Assignment {
        let isSubtraction = self.peek(1).kind == .minus
        guard try self.identifier() == column else {
            let sign = isSubtraction ? "-" : "+"
            throw self.invalid("Only expressions of the form X = X \(sign)<value> are supported.")
        }
        self.advance()
        let term = try self.term()
        return isSubtraction ? .subtract(column: column, term) : .add(column: column, term)
    }

    func isName(at distance: Int) -> Bool {
        self.peek(distance).kind == .word || self.peek(distance).kind == .quotedName
    }

    /// `column`, `column[term]` or `column.field`.
    private mutating func columnPart() throws(CQLSyntaxError) -> ColumnPart {
        let column = try self.identifier()
        if self.take(.leftBracket) {
            let key = try self.term()
            try self.expect(.rightBracket, "]")
            return .element(column: column, key)
        }
        if self.take(.dot) { return .field(column: column, try self.identifier()) }
        return .column(column)
    }

    private mutating func delete() throws(CQLSyntaxError) -> DeleteStatement {
        self.advance()
        var parts: [ColumnPart] = []
        if !self.isWord("from") {
            repeat { parts.append(try self.columnPart()) } while self.take(.comma)
        }
        try self.expectWord("from")
        let table = try self.qualifiedName()
        let using = try self.using(allowsTimeToLive: false)
        try self.expectWord("where")
        let relations = try self.relations()
        return DeleteStatement(
            parts: parts,
            table: table,
            using: using,
            relations: relations,
            condition: try self.condition()
        )
    }

    private mutating func batch() throws(CQLSyntaxError) -> BatchStatement {
        self.advance()
        var kind = BatchStatement.Kind.logged
        if self.takeWord("unlogged") {
            kind = .unlogged
        } else if self.takeWord("counter") {
            kind = .counter
        } else {
            _ = self.acceptsDialects && self.takeWord("logged")
        }
        try self.expectWord("batch")
        let using = try self.using(allowsTimeToLive: false)
        var children: [BatchChild] = []
        while !self.isWord("apply") {
            let start = self.start
            let child: Statement
            if self.isWord("insert") {
                child = .insert(try self.insert())
            } else if self.isWord("update") {
                child = .update(try self.update())
            } else if self.isWord("delete") {
                child = .delete(try self.delete())
            } else {
                throw self.unexpected()
            }
            children.append(BatchChild(statement: child, range: self.range(from: start)))
            _ = self.take(.semicolon)
        }
        self.advance()
        try self.expectWord("batch")
        return BatchStatement(kind: kind, using: using, children: children)
    }

    /// `( name, name … )`.
    mutating func identifiers() throws(CQLSyntaxError) -> [String] {
        try self.parenthesized { (parser) throws(CQLSyntaxError) in try parser.identifier() }
    }

    // MARK: Clauses

    mutating func using(allowsTimeToLive: Bool) throws(CQLSyntaxError) -> UsingClause? {
        guard self.isWord("using") else { return nil }
        let start = self.start
        self.advance()
        var timestamp: Term?
        var timeToLive: Term?
        var timeout: Term?
        repeat {
            if self.takeWord("timestamp") {
                guard timestamp == nil else { throw self.invalid("Multiple definition for property timestamp") }
                timestamp = try self.integerTerm()
            } else if allowsTimeToLive, self.takeWord("ttl") {
                guard timeToLive == nil else { throw self.invalid("Multiple definition for property ttl") }
                timeToLive = try self.integerTerm()
            } else if self.acceptsDialects, self.takeWord("timeout") {
                timeout = try self.term()
            } else {
                throw self.unexpected()
            }
        } while self.takeWord("and")
        return UsingClause(
            timestamp: timestamp,
            timeToLive: timeToLive,
            timeout: timeout,
            range: self.range(from: start)
        )
    }

    private mutating func condition() throws(CQLSyntaxError) -> ConditionClause? {
        guard self.isWord("if") else { return nil }
        let start = self.start
        self.advance()
        if self.isWord("exists"), !self.isOperator(self.peek(1)) {
            self.advance()
            return ConditionClause(kind: .exists, range: self.range(from: start))
        }
        var conditions: [ColumnCondition] = []
        repeat {
            let part = try self.columnPart()
            if self.takeWord("in") {
                conditions.append(ColumnCondition(part: part, test: .isIn(try self.inValues())))
            } else {
                let comparison = try self.comparison()
                conditions.append(ColumnCondition(part: part, test: .compare(comparison, try self.term())))
            }
        } while self.takeWord("and")
        return ConditionClause(kind: .columns(conditions), range: self.range(from: start))
    }

    private func isOperator(_ token: Token) -> Bool {
        switch token.kind {
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .leftBracket, .dot: true
        case .word: token.isWord("in", in: self.bytes) || token.isWord("contains", in: self.bytes)
        default: false
        }
    }

    mutating func comparison() throws(CQLSyntaxError) -> ComparisonOperator {
        let result: ComparisonOperator
        switch self.kind {
        case .equal: result = .equal
        case .notEqual: result = .notEqual
        case .less: result = .less
        case .lessOrEqual: result = .lessOrEqual
        case .greater: result = .greater
        case .greaterOrEqual: result = .greaterOrEqual
        case .word where self.isWord("like"): result = .like
        case .word where self.isWord("contains"):
            if self.isWord("key", at: 1) {
                self.advance()
                result = .containsKey
            } else {
                result = .contains
            }
        default: throw self.unexpected()
        }
        self.advance()
        return result
    }

    mutating func inValues() throws(CQLSyntaxError) -> InValues {
        if let marker = try self.marker() { return .marker(marker) }
        return .list(try self.terms(.leftParenthesis, .rightParenthesis, ")"))
    }

    /// What stands behind `WHERE`.
    mutating func relations() throws(CQLSyntaxError) -> [Relation] {
        var relations: [Relation] = []
        repeat { relations.append(try self.relation()) } while self.takeWord("and")
        return relations
    }

    private mutating func relation() throws(CQLSyntaxError) -> Relation {
        if self.kind == .leftParenthesis { return try self.parenthesizedRelation() }
        if self.takeWord("token") {
            let columns = try self.identifiers()
            let comparison = try self.comparison()
            return .token(columns: columns, comparison, try self.term())
        }
        if self.isWord("expr"), self.peek(1).kind == .leftParenthesis {
            self.advance()
            try self.expect(.leftParenthesis, "(")
            let index = try self.qualifiedName()
            try self.expect(.comma, ",")
            let term = try self.term()
            try self.expect(.rightParenthesis, ")")
            return .customIndex(index, term)
        }
        let column = try self.identifier()
        if self.takeWord("in") { return .isIn(column: column, try self.inValues()) }
        if self.takeWord("is") {
            try self.expectWord("not")
            try self.expectWord("null")
            return .isNotNull(column: column)
        }
        if self.take(.leftBracket) {
            let key = try self.term()
            try self.expect(.rightBracket, "]")
            let comparison = try self.comparison()
            return .element(column: column, key: key, comparison, try self.term())
        }
        let comparison = try self.comparison()
        return .comparison(column: column, comparison, try self.term())
    }

    /// `(a, b) > (1, 2)`, `(a, b) IN …`, or a relation in parentheses.
    private mutating func parenthesizedRelation() throws(CQLSyntaxError) -> Relation {
        if self.isName(at: 1), self.peek(2).kind == .comma || self.peek(2).kind == .rightParenthesis {
            let columns = try self.identifiers()
            if self.takeWord("in") { return .tupleIn(columns: columns, try self.inValues()) }
            let comparison = try self.comparison()
            return .tuple(columns: columns, comparison, try self.term())
        }
        let outer = self.depth
        defer { self.depth = outer }
        try self.enter()
        self.advance()
        let relation = try self.relation()
        try self.expect(.rightParenthesis, ")")
        return relation
    }
}
