import CQLSyntax
import Synchronization

/// All prepared statements of the process, so that an id that was given to a client on one loop is known on every other.
///
/// Thread-safe; asked only when a loop meets an id for the first time. Bounded in entries and bytes of text: the statement
/// that was used longest ago goes first, and its next EXECUTE is answered UNPREPARED, upon which drivers prepare it again.
final class PreparedRegistry: Sendable {
    private struct State {
        var statements: [StatementID: KnownStatement] = [:]
        var bytes = 0
        /// Statements that have come so far.
        var arrivals = 0
    }

    private let state = Mutex(State())
    private let entriesMax: Int
    private let bytesMax: Int

    init(entriesMax: Int, bytesMax: Int) {
        self.entriesMax = max(1, entriesMax)
        self.bytesMax = max(1, bytesMax)
    }

    /// Statements that are remembered.
    var count: Int { self.state.withLock { $0.statements.count } }
    /// Statements that have come so far, forgotten ones included.
    var arrivals: Int { self.state.withLock { $0.arrivals } }

    /// The statement of an id, which is `made` where nobody has known it.
    func register(_ id: StatementID, at now: Int64, _ made: () -> KnownStatement) -> KnownStatement {
        self.state.withLock { state in
            if let known = state.statements[id] {
                known.use(at: now)
                return known
            }
            let statement = made()
            statement.use(at: now)
            state.statements[id] = statement
            state.bytes += statement.textBytes
            state.arrivals += 1
            if state.statements.count > self.entriesMax || state.bytes > self.bytesMax { self.evict(&state, but: id) }
            return statement
        }
    }

    private func evict(_ state: inout State, but newest: StatementID) {
        // An eighth at a time, so that the search for the oldest is paid once per many statements.
        for (index, victim) in state.statements.leastRecentlyUsedFirst(\.value).enumerated() {
            let isFull = state.statements.count > self.entriesMax || state.bytes > self.bytesMax
            guard isFull || index < self.entriesMax / 8 else { break }
            guard victim.key != newest else { continue }
            state.statements[victim.key] = nil
            state.bytes -= victim.value.textBytes
        }
    }

    /// The statement of an id; nil where nobody knows it (any more).
    func statement(_ id: StatementID) -> KnownStatement? { self.state.withLock { $0.statements[id] } }

    /// What is worth keeping for the next start: the texts that were used last, up to a number of bytes. Not those about roles,
    /// in which passwords may stand.
    func texts(bytesMax: Int) -> [PreparedText] {
        var left = bytesMax
        return self.state.withLock { $0.statements }.leastRecentlyUsedFirst(\.value).reversed().compactMap { entry in
            let statement = entry.value
            left -= statement.text.utf8.count
            guard left >= 0, statement.analysis.kind != .roleOrPermission else { return nil }
            return PreparedText(
                keyspace: statement.keyspace,
                text: statement.text,
                metadata: statement.metadataPrint.rawValue
            )
        }
    }
}

extension Sequence {
    /// In the order in which to forget.
    func leastRecentlyUsedFirst(_ statement: (Element) -> KnownStatement) -> [Element] {
        // Uses go on meanwhile: the order must be one of fixed numbers.
        self.map { (used: statement($0).lastUse, element: $0) }.sorted { $0.used < $1.used }.map(\.element)
    }
}
