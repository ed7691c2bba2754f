public import CQLProtocol
public import CQLSyntax

/// Where the writes of a statement say whose row they write.
///
/// Made once per statement, rules and state of the schema; ``verdicts(_:)`` then costs a look at the values.
public struct TenantPlan: Sendable {
    /// Whether a write is wanted on the shadow, as far as its tenant goes.
    public enum Verdict: Sendable, Hashable {
        /// Its tenant is wanted, or its table knows no tenants.
        case wanted
        /// Its tenant is not.
        case unwanted
        /// It does not say whose row it writes. A copy too many does less harm than one that is missing.
        case untold
    }

    private enum Source: Sendable {
        case known(Verdict)
        /// The value of the marker with an index.
        case marker(Int, TenantValues)
    }

    private let markers: [MarkerUse]
    private let sources: [Source]

    /// Reads a statement; nil where no values change what it is.
    ///
    /// - Parameter schema: of the primary; nil where nobody knows it, and then no tenant is told.
    public init(_ statement: WriteStatement, rules: TenantRules, schema: SchemaShapes?) {
        self.markers = statement.analysis.markers
        let analyses = statement.writes
        let rows = WrittenRows(statement.text)?.writes ?? []
        self.sources = analyses.enumerated().map { index, analysis in
            guard analysis.kind.isRowWrite else { return .known(.wanted) }
            guard rows.count == analyses.count else { return .known(.untold) }
            let keyspace = analysis.keyspace ?? statement.keyspace
            return Self.source(rows[index].terms, schema?.table(keyspace, analysis.table), rules)
        }
    }

    /// Reads the WHERE of a SELECT.
    ///
    /// - Parameter keyspace: for names without one.
    public init(reading analysis: StatementAnalysis, keyspace: String?, rules: TenantRules, schema: SchemaShapes?) {
        self.markers = analysis.markers
        let equalities = analysis.selection?.equalities ?? []
        let terms = Dictionary(equalities.map { ($0.column, $0.term) }) { first, _ in first }
        let shape = schema?.table(analysis.keyspace ?? keyspace, analysis.table)
        self.sources = [Self.source(terms, shape, rules)]
    }

    private static func source(_ terms: [String: Term], _ shape: TableShape?, _ rules: TenantRules) -> Source {
        guard let shape else { return .known(.untold) }
        guard let column = rules.column(of: shape) else { return .known(.wanted) }
        guard let type = shape.types[column], let term = terms[column] else { return .known(.untold) }
        return Self.source(term, type, rules)
    }

    private static func source(_ term: Term, _ type: String, _ rules: TenantRules) -> Source {
        switch term {
        case .marker(let marker): .marker(marker.index, rules.values(of: type))
        case .literal(let literal):
            .known(
                LiteralEncoding.bytes(of: literal, as: type)
                    .map { rules.values(of: type).want($0) ? .wanted : .unwanted } ?? .untold
            )
        case .typeHint(_, let operand): Self.source(operand, type, rules)
        case .null, .list, .set, .map, .userType, .tuple, .function, .cast, .arithmetic, .negated: .known(.untold)
        }
    }

    /// The verdict where no value changes it; nil where one may, or where there are several writes.
    public var constant: Verdict? {
        guard self.sources.count == 1, case .known(let verdict) = self.sources[0] else { return nil }
        return verdict
    }

    /// The verdict about an EXECUTE of a statement with one write.
    ///
    /// - Parameter bytes: its values by position: their number, then each with its length (native protocol v4 §4.1.4).
    /// - Returns: nil where there is not one value for each marker; then ``verdicts(_:)`` tells.
    public func verdict(ofValuesIn bytes: UnsafeRawBufferPointer) -> Verdict? {
        guard self.sources.count == 1, bytes.count >= 2 else { return nil }
        guard case .marker(let index, let values) = self.sources[0] else { return self.constant }
        guard Int(UInt16(bigEndian: bytes.loadUnaligned(as: UInt16.self))) == self.markers.count else { return nil }
        switch PositionalValue(at: index, in: bytes) {
        case .cutOff: return nil
        case .absent: return .untold
        case .bytes(let value): return Self.verdict(Array(value), values)
        }
    }

    /// What becomes of each write of a request with these values.
    public func verdicts(_ values: QueryValues) -> [Verdict] {
        let bound = MarkerValues(values, of: self.markers)
        return self.sources.map { source in
            switch source {
            case .known(let verdict): verdict
            case .marker(let index, let values): Self.verdict(bound?.value(of: index)?.bytes, values)
            }
        }
    }

    private static func verdict(_ value: [UInt8]?, _ values: TenantValues) -> Verdict {
        guard let value else { return .untold }
        return values.want(value) ? .wanted : .unwanted
    }
}

extension StatementKind {
    /// Whether it writes rows of which each is somebody's.
    fileprivate var isRowWrite: Bool {
        switch self {
        case .insert, .update, .delete: true
        case .select, .truncate, .use, .list, .describe, .unknown, .batch, .ddl, .roleOrPermission: false
        }
    }
}
