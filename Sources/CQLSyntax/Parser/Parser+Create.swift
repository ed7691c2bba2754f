extension Parser {
    mutating func create() throws(CQLSyntaxError) -> Statement {
        self.advance()
        let orReplace = self.takeWords("or", "replace")
        if self.takeWord("function") { return .createFunction(try self.createFunction(orReplace: orReplace)) }
        if self.takeWord("aggregate") { return .createAggregate(try self.createAggregate(orReplace: orReplace)) }
        guard !orReplace, self.kind == .word else { throw self.unexpected() }
        if self.takeWords("custom", "index") { return .createIndex(try self.createIndex(isCustom: true)) }
        if self.takeWords("materialized", "view") { return .createView(try self.createView()) }
        let word = self.folded(self.token)
        switch word {
        case "keyspace", "schema":
            self.advance()
            let ifNotExists = try self.ifNotExists()
            let name = try self.identifier()
            try self.expectWord("with")
            return .createKeyspace(
                CreateKeyspaceStatement(name: name, ifNotExists: ifNotExists, properties: try self.properties())
            )
        case "table", "columnfamily":
            self.advance()
            return .createTable(try self.createTable())
        case "type":
            self.advance()
            let ifNotExists = try self.ifNotExists()
            let name = try self.qualifiedName()
            let fields = try self.parenthesized { (parser) throws(CQLSyntaxError) in try parser.columnDefinition() }
            return .createType(CreateTypeStatement(name: name, ifNotExists: ifNotExists, fields: fields))
        case "index":
            self.advance()
            return .createIndex(try self.createIndex(isCustom: false))
        case "trigger":
            self.advance()
            return .createTrigger(try self.createTrigger())
        case "role", "user":
            self.advance()
            let ifNotExists = try self.ifNotExists()
            return .createRole(try self.role(isUser: word == "user", ifClause: ifNotExists))
        default:
            throw self.unexpected()
        }
    }

    private mutating func createTable() throws(CQLSyntaxError) -> CreateTableStatement {
        let ifNotExists = try self.ifNotExists()
        let name = try self.qualifiedName()
        var columns: [ColumnDefinition] = []
        var keys: [PrimaryKey] = []
        try self.expect(.leftParenthesis, "(")
        repeat {
            if self.takeWords("primary", "key") {
                keys.append(try self.primaryKey())
            } else {
                let column = try self.columnDefinition()
                columns.append(column)
                if self.takeWords("primary", "key") {
                    keys.append(PrimaryKey(partitionKey: [column.name], clusteringColumns: []))
                }
            }
        } while self.take(.comma)
        try self.expect(.rightParenthesis, ")")
        let options = try self.optionalTableOptions()
        guard let key = keys.first else {
            throw self.invalid("No PRIMARY KEY specifed for table '\(name.name)' (exactly one required)")
        }
        guard keys.count == 1 else {
            throw self.invalid("Multiple PRIMARY KEYs specifed (exactly one required)")
        }
        return CreateTableStatement(
            name: name,
            ifNotExists: ifNotExists,
            columns: columns,
            primaryKey: key,
            options: options
        )
    }

    private mutating func createIndex(isCustom: Bool) throws(CQLSyntaxError) -> CreateIndexStatement {
        let ifNotExists = try self.ifNotExists()
        let name = self.isWord("on") ? nil : try self.qualifiedName()
        try self.expectWord("on")
        let table = try self.qualifiedName()
        try self.expect(.leftParenthesis, "(")
        var targets: [CreateIndexStatement.Target] = []
        if self.kind != .rightParenthesis {
            repeat { targets.append(try self.indexTarget()) } while self.take(.comma)
        }
        try self.expect(.rightParenthesis, ")")
        var className: String?
        if self.takeWord("using") { className = self.kind == .string ? try self.string() : try self.identifier() }
        let properties = self.takeWord("with") ? try self.properties() : []
        return CreateIndexStatement(
            name: name,
            ifNotExists: ifNotExists,
            isCustom: isCustom,
            table: table,
            targets: targets,
            using: className,
            properties: properties
        )
    }

    private mutating func indexTarget() throws(CQLSyntaxError) -> CreateIndexStatement.Target {
        guard self.kind == .word, self.peek(1).kind == .leftParenthesis else { return .column(try self.identifier()) }
        let function = self.folded(self.token)
        guard ["keys", "values", "entries", "full"].contains(function) else { throw self.unexpected() }
        self.advance()
        self.advance()
        let column = try self.identifier()
        try self.expect(.rightParenthesis, ")")
        switch function {
        case "keys": return .keys(column)
        case "values": return .values(column)
        case "entries": return .entries(column)
        default: return .full(column)
        }
    }

    private mutating func createView() throws(CQLSyntaxError) -> CreateViewStatement {
        let ifNotExists = try self.ifNotExists()
        let name = try self.qualifiedName()
        try self.expectWord("as")
        try self.expectWord("select")
        let projection = try self.projection()
        try self.expectWord("from")
        let baseTable = try self.qualifiedName()
        let relations = self.takeWord("where") ? try self.relations() : []
        try self.expectWord("primary")
        try self.expectWord("key")
        let key = try self.primaryKey()
        return CreateViewStatement(
            name: name,
            ifNotExists: ifNotExists,
            projection: projection,
            baseTable: baseTable,
            relations: relations,
            primaryKey: key,
            options: try self.optionalTableOptions()
        )
    }

    private mutating func createFunction(orReplace: Bool) throws(CQLSyntaxError) -> CreateFunctionStatement {
        let ifNotExists = try self.ifNotExists()
        let name = try self.functionName()
        var arguments: [ColumnDefinition] = []
        try self.expect(.leftParenthesis, "(")
        if self.kind != .rightParenthesis {
            repeat {
                let argument = try self.identifier()
                arguments.append(ColumnDefinition(name: argument, type: try self.type(), isStatic: false, mask: nil))
            } while self.take(.comma)
        }
        try self.expect(.rightParenthesis, ")")
        let calledOnNullInput = self.takeWord("called")
        if !calledOnNullInput {
            try self.expectWord("returns")
            try self.expectWord("null")
        }
        try self.expectWord("on")
        try self.expectWord("null")
        try self.expectWord("input")
        try self.expectWord("returns")
        let returnType = try self.type()
        try self.expectWord("language")
        let language = try self.identifier()
        try self.expectWord("as")
        return CreateFunctionStatement(
            name: name,
            orReplace: orReplace,
            ifNotExists: ifNotExists,
            arguments: arguments,
            calledOnNullInput: calledOnNullInput,
            returnType: returnType,
            language: language,
            body: try self.string()
        )
    }

    /// `(type, type …)`, possibly empty.
    mutating func argumentTypes() throws(CQLSyntaxError) -> [CQLType] {
        try self.expect(.leftParenthesis, "(")
        var types: [CQLType] = []
        if self.take(.rightParenthesis) { return types }
        repeat { types.append(try self.type()) } while self.take(.comma)
        try self.expect(.rightParenthesis, ")")
        return types
    }

    private mutating func createAggregate(orReplace: Bool) throws(CQLSyntaxError) -> CreateAggregateStatement {
        let ifNotExists = try self.ifNotExists()
        let name = try self.functionName()
        let argumentTypes = try self.argumentTypes()
        try self.expectWord("sfunc")
        let stateFunction = try self.identifier()
        try self.expectWord("stype")
        let stateType = try self.type()
        let finalFunction = self.takeWord("finalfunc") ? try self.identifier() : nil
        let initialCondition = self.takeWord("initcond") ? try self.term() : nil
        return CreateAggregateStatement(
            name: name,
            orReplace: orReplace,
            ifNotExists: ifNotExists,
            argumentTypes: argumentTypes,
            stateFunction: stateFunction,
            stateType: stateType,
            finalFunction: finalFunction,
            initialCondition: initialCondition
        )
    }

    private mutating func createTrigger() throws(CQLSyntaxError) -> CreateTriggerStatement {
        let ifNotExists = try self.ifNotExists()
        let name = try self.identifier()
        try self.expectWord("on")
        let table = try self.qualifiedName()
        try self.expectWord("using")
        return CreateTriggerStatement(
            name: name,
            ifNotExists: ifNotExists,
            table: table,
            className: try self.string()
        )
    }
}
