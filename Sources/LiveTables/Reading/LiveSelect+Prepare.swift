public import CQLClient
import CQLProtocol

extension LiveSelect {
    /// A text that the source has accepted.
    public struct Prepared: Sendable {
        /// The text and its columns.
        public let select: LiveSelect
        package let statement: CQLStatement
    }

    /// Finds out what a source tells of a table's times, by asking it and not by its version, and prepares the text.
    ///
    /// - Parameter asksByKey: whether the times of a set's or map's elements may be asked for in a read for each row, where the
    ///   source tells them in no other way.
    /// - Throws: ``CQLSessionError``; ``LiveReadError`` for a table of counters where `readsCounters` is not set.
    public static func prepare(
        _ table: LiveTable,
        on session: CQLSession,
        readsCounters: Bool = false,
        asksByKey: Bool = true
    ) async throws -> Prepared {
        if table.isCounter, !readsCounters { throw LiveReadError(.counters, LiveCounters.refusal(of: table)) }
        var times: [String: Times] = [:]
        for column in table.columns where column.storage != .cell && column.storage != .counter {
            times[column.name] = try await Self.times(of: column, in: table, on: session, asksByKey: asksByKey)
        }
        if let prepared = try await Self.accepted(LiveSelect(table, times: times), on: session) { return prepared }
        // Before 3.0.28, 3.11.14 and 4.0.5 Cassandra refuses frozen collections, too (CASSANDRA-17628).
        for column in table.columns where column.storage == .cell {
            let alone = LiveSelect(table.having([column]))
            if try await Self.accepted(alone, on: session) == nil { times[column.name] = .untold }
        }
        let select = LiveSelect(table, times: times)
        return Prepared(select: select, statement: try await session.prepare(select.text, isIdempotent: true))
    }

    private static func times(
        of column: LiveTable.Column,
        in table: LiveTable,
        on session: CQLSession,
        asksByKey: Bool
    ) async throws -> Times {
        let table = table.having([column])
        let whole = LiveSelect(table, times: [column.name: .whole])
        // One number for what has several cells is no answer: Cassandra without CASSANDRA-17628 gives any for a type.
        if let prepared = try await Self.accepted(whole, on: session),
            case .list? = prepared.statement.columns.columns.dropLast().last?.type
        {
            return .whole
        }
        switch column.storage {
        case .userType(let fields):
            let single = LiveSelect(table, times: [column.name: .fields(fields)])
            return try await Self.accepted(single, on: session) == nil ? .untold : .fields(fields)
        case .set where asksByKey, .map where asksByKey:
            let text = LiveElementTimes.text(table, column, count: 1)
            return try await Self.accepted(text, on: session) == nil ? .untold : .byKey
        default: return .untold
        }
    }

    /// The prepared text; nil where the source says that it is not valid.
    private static func accepted(_ select: LiveSelect, on session: CQLSession) async throws -> Prepared? {
        try await Self.accepted(select.text, on: session).map { Prepared(select: select, statement: $0) }
    }

    private static func accepted(_ text: String, on session: CQLSession) async throws -> CQLStatement? {
        do {
            return try await session.prepare(text, isIdempotent: true)
        } catch let error as CQLSessionError {
            guard let code = error.serverError?.code, code == .invalid || code == .syntaxError else { throw error }
            return nil
        }
    }
}

extension LiveTable {
    /// The table as if it had these columns alone.
    fileprivate func having(_ columns: [Column]) -> Self {
        var table = self
        table.columns = columns
        return table
    }
}
