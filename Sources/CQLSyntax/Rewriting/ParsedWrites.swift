/// The INSERT, UPDATE and DELETE statements of a text: the text itself, or the children of a batch.
struct ParsedWrites {
    struct Child {
        let statement: Statement
        /// The statement's bytes, without a semicolon.
        let range: SourceRange
    }

    let parser: Parser
    let children: [Child]
    let isBatch: Bool

    /// Nil where the grammar, with what ScyllaDB adds, does not know the text, or where it is something else.
    init?(_ text: String) {
        var parser = Parser(text)
        parser.acceptsDialects = true
        let start = parser.start
        guard let statement = try? parser.statement() else { return nil }
        let range = parser.range(from: start)
        while parser.take(.semicolon) {}
        guard parser.kind == .end else { return nil }
        switch statement {
        case .insert, .update, .delete:
            self.children = [Child(statement: statement, range: range)]
            self.isBatch = false
        case .batch(let batch):
            self.children = batch.children.map { Child(statement: $0.statement, range: $0.range) }
            self.isBatch = true
        default: return nil
        }
        self.parser = parser
    }

    /// Where each marker begins, and its name.
    var markers: [(start: Int, name: String?)] {
        self.parser.markerStarts.map { start in
            let index = self.parser.tokenIndex(at: start)
            guard self.parser.tokens[index].kind == .colon else { return (start, nil) }
            let name = self.parser.tokens[index + 1]
            return (start, name.kind == .quotedName ? self.parser.unquoted(name) : self.parser.folded(name))
        }
    }
}

extension Parser {
    /// The index of the token that begins at an offset, or of the first one behind it.
    func tokenIndex(at start: Int) -> Int {
        var (low, high) = (0, self.tokens.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if self.tokens[middle].start < start { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
