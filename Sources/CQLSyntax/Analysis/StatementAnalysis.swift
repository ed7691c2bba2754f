/// What the proxy must know of a statement, from its text alone.
///
/// Immutable storage behind one reference, so that keeping or passing one costs a retain; it is made once per text.
public final class StatementAnalysis: Sendable {
    /// What the statement does.
    public let kind: StatementKind
    /// How the facts were found.
    public let precision: Precision
    /// The keyspace that the text names. For a batch: the common one of its children.
    public let keyspace: String?
    /// The table (view, type … for DDL) that the text names. For a batch: the common one of its children.
    public let table: String?
    /// All markers in order of the text, batch children included.
    public let markers: [MarkerUse]
    /// An `IF` clause of an INSERT, UPDATE, DELETE, or of any child of a batch.
    public let hasConditions: Bool
    /// `INSERT … IF NOT EXISTS`.
    public let hasIfNotExists: Bool
    /// `USING TIMESTAMP`, in a batch also of any child.
    public let usesTimestamp: Bool
    /// `USING TTL`, in a batch also of any child.
    public let usesTimeToLive: Bool
    /// Functions called, in order of the text, nested ones behind the ones that hold them.
    public let functions: [FunctionUse]
    /// Whether running it twice with one timestamp leaves the same data as running it once, as far as its text tells (see
    /// ``isIdempotent(in:)``). Always `true` for reads, never for TRUNCATE, which a second time also removes what was written
    /// in between.
    public let isIdempotent: Bool
    /// Whether nothing but ``columnWrites`` stands against running it twice.
    let isRepeatable: Bool
    /// Writes to columns whose repetition is harmless or not by what the columns are; for a batch those of its children.
    public let columnWrites: [ColumnWrite]
    /// Type of a `BATCH`.
    public let batchKind: BatchStatement.Kind?
    /// Children of a `BATCH`; their ranges and marker indices are those of the whole text.
    public let children: [StatementAnalysis]
    /// The statement's bytes: for a child its part of the batch.
    public let range: SourceRange
    /// What a `SELECT` asks for.
    public let selection: Selection?
    /// Calls in a write whose values must be fixed before several clusters get it; nil where there are none.
    public let serverValues: ServerValues?
    /// Whether a write, or what may be one, has such calls and the grammar does not fit, so that nobody knows where they stand.
    public let hidesServerValues: Bool

    init(
        kind: StatementKind,
        precision: Precision,
        keyspace: String?,
        table: String?,
        markers: [MarkerUse] = [],
        hasConditions: Bool = false,
        hasIfNotExists: Bool = false,
        usesTimestamp: Bool = false,
        usesTimeToLive: Bool = false,
        functions: [FunctionUse] = [],
        isRepeatable: Bool,
        columnWrites: [ColumnWrite] = [],
        batchKind: BatchStatement.Kind? = nil,
        children: [StatementAnalysis] = [],
        range: SourceRange,
        selection: Selection? = nil,
        hidesServerValues: Bool = false
    ) {
        self.kind = kind
        self.precision = precision
        self.keyspace = keyspace
        self.table = table
        self.markers = markers
        self.hasConditions = hasConditions
        self.hasIfNotExists = hasIfNotExists
        self.usesTimestamp = usesTimestamp
        self.usesTimeToLive = usesTimeToLive
        self.functions = functions
        self.isRepeatable = isRepeatable
        self.columnWrites = columnWrites
        self.isIdempotent =
            isRepeatable
            && (children.isEmpty ? !columnWrites.contains(where: \.repeatsByText) : children.allSatisfy(\.isIdempotent))
        self.batchKind = batchKind
        self.children = children
        self.range = range
        self.selection = selection
        self.serverValues = nil
        self.hidesServerValues = hidesServerValues
    }

    /// The same with the calls that must be evaluated.
    init(_ other: StatementAnalysis, serverValues: ServerValues) {
        self.kind = other.kind
        self.precision = other.precision
        self.keyspace = other.keyspace
        self.table = other.table
        self.markers = other.markers
        self.hasConditions = other.hasConditions
        self.hasIfNotExists = other.hasIfNotExists
        self.usesTimestamp = other.usesTimestamp
        self.usesTimeToLive = other.usesTimeToLive
        self.functions = other.functions
        self.isIdempotent = other.isIdempotent
        self.isRepeatable = other.isRepeatable
        self.columnWrites = other.columnWrites
        self.batchKind = other.batchKind
        self.children = other.children
        self.range = other.range
        self.selection = other.selection
        self.serverValues = serverValues
        self.hidesServerValues = false
    }

    /// The statement as it is sent: with a constant in the place of each call of ``serverValues``.
    public var evaluated: StatementAnalysis { self.serverValues?.analysis ?? self }

    /// Whether running it twice with one timestamp, or later than others, leaves the same data as running it once and in its
    /// place, in tables of known columns.
    ///
    /// - Parameter table: the columns of a table, by keyspace (as the text names it) and name; nil where they are not known.
    public func isIdempotent(in table: (_ keyspace: String?, _ name: String?) -> TableShape?) -> Bool {
        guard self.isRepeatable else { return false }
        if self.kind == .batch { return self.children.allSatisfy { $0.isIdempotent(in: table) } }
        guard !self.columnWrites.isEmpty else { return true }
        let shape = table(self.keyspace, self.table)
        return !self.columnWrites.contains { $0.repeats(in: shape) }
    }

    /// Whether it does nothing but add to counters, which comes to the same in any order.
    public func isCounterUpdate(in table: (_ keyspace: String?, _ name: String?) -> TableShape?) -> Bool {
        if self.kind == .batch {
            return self.batchKind == .counter || self.children.allSatisfy { $0.isCounterUpdate(in: table) }
        }
        guard self.isRepeatable, !self.columnWrites.isEmpty, let shape = table(self.keyspace, self.table) else {
            return false
        }
        return self.columnWrites.allSatisfy { $0.column.flatMap { shape.columns[$0] } == .counter }
    }

    /// Analyses any text. Never fails: what is not understood has the kind `unknown`.
    public static func analyze(_ text: String) -> StatementAnalysis {
        let bytes = Array(text.utf8)
        let tokens = Lexer.tokens(of: bytes)
        for acceptsDialects in [false, true] {
            var parser = Parser(bytes: bytes, tokens: tokens, acceptsDialects: acceptsDialects)
            guard let statement = try? parser.wholeStatement() else { continue }
            return Self.analysis(
                of: statement,
                precision: acceptsDialects ? .tolerant : .parsed,
                text: bytes,
                markerStarts: parser.markerStarts
            )
        }
        var scanner = TokenScanner(bytes: bytes, tokens: tokens)
        return scanner.analysis()
    }

    /// How the facts were found.
    public enum Precision: Sendable, Hashable {
        /// The whole text follows the grammar.
        case parsed
        /// The grammar rejects the text; kind, keyspace, table and markers come from its tokens, and flags err on the safe side.
        case tolerant
        /// Nothing is known.
        case none
    }
}
