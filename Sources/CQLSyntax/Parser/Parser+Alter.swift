extension Parser {
    mutating func alter() throws(CQLSyntaxError) -> Statement {
        self.advance()
        if self.takeWords("materialized", "view") {
            let ifExists = try self.ifExists()
            let name = try self.qualifiedName()
            try self.expectWord("with")
            return .alterView(name, try self.tableOptions(), ifExists: ifExists)
        }
        guard self.kind == .word else { throw self.unexpected() }
        let word = self.folded(self.token)
        switch word {
        case "keyspace", "schema":
            self.advance()
            let ifExists = try self.ifExists()
            let name = try self.identifier()
            try self.expectWord("with")
            return .alterKeyspace(
                AlterKeyspaceStatement(name: name, ifExists: ifExists, properties: try self.properties())
            )
        case "table", "columnfamily":
            self.advance()
            let ifExists = try self.ifExists()
            let name = try self.qualifiedName()
            return .alterTable(AlterTableStatement(name: name, ifExists: ifExists, change: try self.tableChange()))
        case "type":
            self.advance()
            let ifExists = try self.ifExists()
            let name = try self.qualifiedName()
            return .alterType(AlterTypeStatement(name: name, ifExists: ifExists, change: try self.typeChange()))
        case "role", "user":
            self.advance()
            let ifExists = try self.ifExists()
            return .alterRole(try self.role(isUser: word == "user", ifClause: ifExists))
        default:
            throw self.unexpected()
        }
    }

    private mutating func tableChange() throws(CQLSyntaxError) -> AlterTableStatement.Change {
        if self.takeWord("with") { return .with(try self.tableOptions()) }
        if self.takeWord("alter") {
            let column = try self.identifier()
            try self.expectWord("type")
            return .alterType(column: column, try self.type())
        }
        if self.takeWord("add") {
            let ifNotExists = try self.ifNotExists()
            if self.kind == .leftParenthesis {
                let columns = try self.parenthesized { (parser) throws(CQLSyntaxError) in
                    try parser.columnDefinition()
                }
                return .add(columns, ifNotExists: ifNotExists)
            }
            var columns: [ColumnDefinition] = []
            repeat { columns.append(try self.columnDefinition()) } while self.take(.comma)
            return .add(columns, ifNotExists: ifNotExists)
        }
        if self.takeWord("rename") {
            let ifExists = try self.ifExists()
            return .rename(try self.renames(), ifExists: ifExists)
        }
        guard self.takeWord("drop") else { throw self.unexpected() }
        if self.takeWords("compact", "storage") { return .dropCompactStorage }
        let ifExists = try self.ifExists()
        let columns = self.kind == .leftParenthesis ? try self.identifiers() : [try self.identifier()]
        var timestamp: Int64?
        if self.takeWord("using") {
            try self.expectWord("timestamp")
            guard let literal = self.literal(), let value = Int64(literal.text) else { throw self.unexpected() }
            timestamp = value
        }
        return .drop(columns, ifExists: ifExists, timestamp: timestamp)
    }

    private mutating func renames() throws(CQLSyntaxError) -> [Rename] {
        var renames: [Rename] = []
        repeat {
            let from = try self.identifier()
            try self.expectWord("to")
            renames.append(Rename(from: from, to: try self.identifier()))
        } while self.takeWord("and")
        return renames
    }

    private mutating func typeChange() throws(CQLSyntaxError) -> AlterTypeStatement.Change {
        if self.takeWord("add") {
            let ifNotExists = try self.ifNotExists()
            return .add(try self.columnDefinition(), ifNotExists: ifNotExists)
        }
        if self.takeWord("rename") {
            let ifExists = try self.ifExists()
            return .rename(try self.renames(), ifExists: ifExists)
        }
        try self.expectWord("alter")
        let field = try self.identifier()
        try self.expectWord("type")
        return .alter(field: field, try self.type())
    }

    mutating func drop() throws(CQLSyntaxError) -> Statement {
        self.advance()
        if self.takeWords("materialized", "view") {
            let ifExists = try self.ifExists()
            return .dropView(try self.qualifiedName(), ifExists: ifExists)
        }
        guard self.kind == .word else { throw self.unexpected() }
        let word = self.folded(self.token)
        let words: Set<String> = [
            "keyspace", "schema", "table", "columnfamily", "type", "index", "function", "aggregate", "trigger", "role",
            "user",
        ]
        guard words.contains(word) else { throw self.unexpected() }
        self.advance()
        let ifExists = try self.ifExists()
        switch word {
        case "keyspace", "schema": return .dropKeyspace(try self.identifier(), ifExists: ifExists)
        case "table", "columnfamily": return .dropTable(try self.qualifiedName(), ifExists: ifExists)
        case "type": return .dropType(try self.qualifiedName(), ifExists: ifExists)
        case "index": return .dropIndex(try self.qualifiedName(), ifExists: ifExists)
        case "role", "user": return .dropRole(name: try self.roleName(), ifExists: ifExists)
        case "trigger":
            let name = try self.identifier()
            try self.expectWord("on")
            return .dropTrigger(name: name, table: try self.qualifiedName(), ifExists: ifExists)
        default:
            let name = try self.functionName()
            let types = self.kind == .leftParenthesis ? try self.argumentTypes() : nil
            return word == "function"
                ? .dropFunction(name, argumentTypes: types, ifExists: ifExists)
                : .dropAggregate(name, argumentTypes: types, ifExists: ifExists)
        }
    }
}
