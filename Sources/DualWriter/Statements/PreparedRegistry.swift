import CQLSyntax
import Synchronization

/// All prepared statements of the process, so that an id that was given to a client on one loop is known on every other.
///
/// Thread-safe; asked only when a loop meets an id for the first time. Bounded in entries and bytes of text: the statement
/// that was registered or looked up longest ago goes first, and its next EXECUTE is answered UNPREPARED, upon which drivers
/// prepare it again.
final class PreparedRegistry: Sendable {
    /// What all loops share of a statement.
    struct Entry: Sendable {
        let text: String
        let keyspace: String?
        let analysis: StatementAnalysis
    }

    private struct State {
        var entries: [StatementID: (entry: Entry, used: UInt64)] = [:]
        var bytes = 0
        var clock: UInt64 = 0
    }

    private let state = Mutex(State())
    private let entriesMax: Int
    private let bytesMax: Int

    init(entriesMax: Int, bytesMax: Int) {
        self.entriesMax = max(1, entriesMax)
        self.bytesMax = max(1, bytesMax)
    }

    /// Statements that are remembered.
    var count: Int { self.state.withLock { $0.entries.count } }

    func register(_ entry: Entry, as id: StatementID) {
        self.state.withLock { state in
            state.clock += 1
            if state.entries[id] == nil { state.bytes += entry.text.utf8.count }
            state.entries[id] = (entry, state.clock)
            guard state.entries.count > self.entriesMax || state.bytes > self.bytesMax else { return }
            // An eighth at a time, so that the search for the oldest is paid once per many statements.
            let oldest = state.entries.sorted { $0.value.used < $1.value.used }
            for (index, victim) in oldest.enumerated() {
                let isFull = state.entries.count > self.entriesMax || state.bytes > self.bytesMax
                guard isFull || index < self.entriesMax / 8, victim.key != id else { break }
                state.entries[victim.key] = nil
                state.bytes -= victim.value.entry.text.utf8.count
            }
        }
    }

    func entry(_ id: StatementID) -> Entry? {
        self.state.withLock { state in
            guard let entry = state.entries[id]?.entry else { return nil }
            state.clock += 1
            state.entries[id]?.used = state.clock
            return entry
        }
    }
}
