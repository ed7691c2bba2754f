extension Parser {
    /// `name = value AND …` behind `WITH`.
    mutating func properties() throws(CQLSyntaxError) -> [Property] {
        var properties: [Property] = []
        repeat { properties.append(try self.property()) } while self.takeWord("and")
        return properties
    }

    private mutating func property() throws(CQLSyntaxError) -> Property {
        let name = try self.identifier()
        try self.expect(.equal, "=")
        return Property(name: name, value: try self.propertyValue())
    }

    private mutating func propertyValue() throws(CQLSyntaxError) -> PropertyValue {
        if self.take(.leftBrace) {
            if self.take(.rightBrace) { return .map([]) }
            let first = try self.constantText()
            guard self.take(.colon) else {
                var elements = [first]
                while self.take(.comma) { elements.append(try self.constantText()) }
                try self.expect(.rightBrace, "}")
                return .set(elements)
            }
            var entries = [PropertyEntry(key: first, value: try self.constantText())]
            while self.take(.comma) { entries.append(try self.propertyEntry()) }
            try self.expect(.rightBrace, "}")
            return .map(entries)
        }
        return .text(try self.constantText())
    }

    private mutating func propertyEntry() throws(CQLSyntaxError) -> PropertyEntry {
        let key = try self.constantText()
        try self.expect(.colon, ":")
        return PropertyEntry(key: key, value: try self.constantText())
    }

    /// `{'key': 'value'}`.
    mutating func mapProperty() throws(CQLSyntaxError) -> [PropertyEntry] {
        guard self.kind == .leftBrace else { throw self.mismatched("'{'") }
        switch try self.propertyValue() {
        case .map(let entries): return entries
        case .set, .text: throw self.unexpected()
        }
    }

    /// A constant or a keyword, as text.
    private mutating func constantText() throws(CQLSyntaxError) -> String {
        if let literal = self.literal() { return literal.text }
        return try self.identifier()
    }

    mutating func tableOptions() throws(CQLSyntaxError) -> TableOptions {
        var properties: [Property] = []
        var clusteringOrder: [ColumnOrder] = []
        var compactStorage = false
        var id: String?
        repeat {
            if self.takeWords("compact", "storage") {
                compactStorage = true
            } else if self.takeWords("clustering", "order") {
                try self.expectWord("by")
                clusteringOrder += try self.parenthesized { (parser) throws(CQLSyntaxError) in
                    try parser.columnOrder()
                }
            } else {
                let property = try self.property()
                if property.name == "id", case .text(let text) = property.value {
                    id = text
                } else {
                    properties.append(property)
                }
            }
        } while self.takeWord("and")
        return TableOptions(
            properties: properties,
            clusteringOrder: clusteringOrder,
            compactStorage: compactStorage,
            id: id
        )
    }

    mutating func optionalTableOptions() throws(CQLSyntaxError) -> TableOptions {
        if self.takeWord("with") { return try self.tableOptions() }
        return TableOptions(properties: [], clusteringOrder: [], compactStorage: false, id: nil)
    }

    /// What stands behind `PRIMARY KEY`.
    mutating func primaryKey() throws(CQLSyntaxError) -> PrimaryKey {
        try self.expect(.leftParenthesis, "(")
        let partitionKey = self.kind == .leftParenthesis ? try self.identifiers() : [try self.identifier()]
        var clusteringColumns: [String] = []
        while self.take(.comma) { clusteringColumns.append(try self.identifier()) }
        try self.expect(.rightParenthesis, ")")
        return PrimaryKey(partitionKey: partitionKey, clusteringColumns: clusteringColumns)
    }

    /// `name type [STATIC] [MASKED WITH …]`.
    mutating func columnDefinition() throws(CQLSyntaxError) -> ColumnDefinition {
        let name = try self.identifier()
        let type = try self.type()
        let isStatic = self.takeWord("static")
        var mask: String?
        if self.takeWords("masked", "with") {
            let start = self.start
            if !self.takeWord("default") { _ = try self.functionName() }
            if self.kind == .leftParenthesis { _ = try self.terms(.leftParenthesis, .rightParenthesis, ")") }
            mask = String(decoding: self.bytes[start..<self.end], as: UTF8.self)
        }
        return ColumnDefinition(name: name, type: type, isStatic: isStatic, mask: mask)
    }
}
