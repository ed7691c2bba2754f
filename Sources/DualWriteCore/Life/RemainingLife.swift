public import CQLProtocol
import CQLSyntax

/// Writes that come late, with the life that they have left (DESIGN §6.6): what expires on the primary at a moment expires on the
/// shadow within the same second.
///
/// What counts as a life, by Cassandra 3.11 to 5.0 (`Attributes.getTimeToLive`) and ScyllaDB: nothing said and an unset marker
/// are the table's default; 0, null and no bytes are none, whatever the default is; above ``secondsMax`` a server refuses.
public struct RemainingLife: Sendable {
    /// The longest life that servers take: 20 years of 365 days.
    public static var secondsMax: Int { 630_720_000 }

    /// What is to be sent.
    public enum Result: Sendable, Hashable {
        /// The request as it is.
        case unchanged
        /// Another one.
        case changed(RewrittenRequest)
        /// Nobody can say: the data has a life, but the grammar does not know the text in which it would have to be changed.
        /// Sent as it is, it lives longer than on the primary.
        case unclear
    }

    private let age: Int
    private let schema: SchemaShapes?

    /// The lives of writes of an age.
    ///
    /// - Parameters:
    ///   - ageSeconds: whole seconds since the primary was sent the write, rounded down.
    ///   - schema: of the primary, for what its tables do by default; nil where nobody knows it, and then they have no default.
    public init(ageSeconds: Int, schema: SchemaShapes?) {
        self.age = max(0, ageSeconds)
        self.schema = schema
    }

    /// What is left of a life. One second is the least: the write then still covers what is older.
    public func left(of seconds: Int) -> Int { max(1, seconds - self.age) }

    /// A QUERY, EXECUTE or BATCH with the lives that are left; everything else stays as it is.
    ///
    /// - Parameter statements: one for a QUERY or EXECUTE, one for each child of a BATCH.
    public func rewriting(_ request: Request, _ statements: [WriteStatement]) -> Result {
        guard self.age > 0 else { return .unchanged }
        switch request {
        case .query(var query):
            guard let statement = statements.first else { return .unclear }
            switch self.change(statement, query.parameters.values, isPrepared: false) {
            case .none: return .unchanged
            case .unclear: return .unclear
            case .some(let text, let values):
                if let text { query.text = text }
                query.parameters.values = values
                return .changed(RewrittenRequest(.query(query)))
            }
        case .execute(var execute):
            guard let statement = statements.first else { return .unclear }
            switch self.change(statement, execute.parameters.values, isPrepared: true) {
            case .none: return .unchanged
            case .unclear: return .unclear
            case .some(let text, let values):
                execute.parameters.values = values
                return .changed(RewrittenRequest(.execute(execute), texts: text.map { [0: $0] } ?? [:]))
            }
        case .batch(let batch): return self.rewriting(batch, statements)
        case .startup, .authResponse, .options, .prepare, .register: return .unchanged
        }
    }

    private func rewriting(_ batch: Batch, _ statements: [WriteStatement]) -> Result {
        guard batch.children.count == statements.count else { return .unclear }
        var batch = batch
        var texts: [Int: String] = [:]
        var isChanged = false
        for index in batch.children.indices {
            let child = batch.children[index]
            let isPrepared: Bool
            switch child.statement {
            case .text: isPrepared = false
            case .prepared: isPrepared = true
            }
            switch self.change(statements[index], .positional(child.values), isPrepared: isPrepared) {
            case .none: continue
            case .unclear: return .unclear
            case .some(let text, let values):
                isChanged = true
                if case .positional(let values) = values { batch.children[index].values = values }
                guard let text else { continue }
                if isPrepared { texts[index] = text } else { batch.children[index].statement = .text(text) }
            }
        }
        return isChanged ? .changed(RewrittenRequest(.batch(batch), texts: texts)) : .unchanged
    }

    // MARK: One statement

    private enum Change {
        case none
        case unclear
        case some(text: String?, QueryValues)
    }

    /// What one write needs.
    private enum Need {
        case nothing
        /// Another value for the marker with an index.
        case value(Int, Int)
        /// Another text, with this life in it.
        case text(Int)
        /// What the text says must be read first.
        case literal
    }

    private func change(_ statement: WriteStatement, _ values: QueryValues, isPrepared: Bool) -> Change {
        guard let bound = MarkerValues(values, of: statement.analysis.markers) else { return .none }
        var values = values
        var lives: [Int: Int] = [:]
        var literals: [Int] = []
        var isChanged = false
        for (index, write) in statement.writes.enumerated() {
            switch self.need(of: write, statement.keyspace, bound) {
            case .nothing: break
            case .value(let marker, let seconds):
                if bound.isShared(marker) {
                    lives[index] = seconds
                } else if let now = MarkerValues(values, of: statement.analysis.markers) {
                    values = now.replacing(marker, by: Self.value(seconds))
                    isChanged = true
                }
            case .text(let seconds): lives[index] = seconds
            case .literal: literals.append(index)
            }
        }
        guard !lives.isEmpty || !literals.isEmpty else { return isChanged ? .some(text: nil, values) : .none }
        guard let text = TimeToLiveText(statement.text), text.lives.count == statement.writes.count else {
            return .unclear
        }
        for index in literals {
            guard case .seconds(let seconds) = text.lives[index], let left = self.ifLess(seconds) else { continue }
            lives[index] = left
        }
        guard !lives.isEmpty else { return isChanged ? .some(text: nil, values) : .none }
        let changed = text.replacing(lives.mapValues { isPrepared ? .marker : .seconds($0) })
        guard let now = MarkerValues(values, of: statement.analysis.markers) else { return .unclear }
        return .some(text: changed.text, now.values(for: changed.markers, lives: lives.mapValues { Self.value($0) }))
    }

    private func need(of write: StatementAnalysis, _ keyspace: String?, _ bound: MarkerValues) -> Need {
        guard write.kind == .insert || write.kind == .update else { return .nothing }
        if let marker = write.markers.first(where: { $0.role == .timeToLive }) {
            switch bound.value(of: marker.index) {
            case .unset:
                return self.ifLess(self.byDefault(write, keyspace)).map { .value(marker.index, $0) } ?? .nothing
            case .value(let bytes):
                guard case .int(let seconds)? = try? CQLValue(decoding: bytes, as: .int) else { return .nothing }
                return self.ifLess(Int(seconds)).map { .value(marker.index, $0) } ?? .nothing
            case .null, nil: return .nothing
            }
        }
        if write.usesTimeToLive { return .literal }
        return self.ifLess(self.byDefault(write, keyspace)).map { .text($0) } ?? .nothing
    }

    private func byDefault(_ write: StatementAnalysis, _ keyspace: String?) -> Int {
        self.schema?.table(write.keyspace ?? keyspace, write.table)?.defaultTimeToLive ?? 0
    }

    /// What is left of a life, where that is another number.
    private func ifLess(_ seconds: Int) -> Int? {
        guard seconds > 0, seconds <= Self.secondsMax else { return nil }
        let left = self.left(of: seconds)
        return left == seconds ? nil : left
    }

    private static func value(_ seconds: Int) -> BoundValue {
        let bits = UInt32(truncatingIfNeeded: seconds)
        return BoundValue(bytes: [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: bits >> $0) })
    }
}
