import Synchronization

/// What the application was told is written: by this a cluster is measured, not by the other cluster. Thread-safe.
final class ShopLedger: Sendable {
    private struct State {
        var rows: [Shop.Place: String] = [:]
        var visits: [Int32: Int64] = [:]
        var acknowledged = 0
        var since: Set<Shop.Place> = []

        mutating func note(_ place: Shop.Place) {
            self.acknowledged += 1
            self.since.insert(place)
        }
    }

    private let state = Mutex(State())

    /// Writes that were acknowledged, deletions and counts among them.
    var acknowledged: Int { self.state.withLock { $0.acknowledged } }
    /// What rows hold; those that were deleted are not there.
    var rows: [Shop.Place: String] { self.state.withLock { $0.rows } }
    /// How often each page was counted.
    var visits: [Int32: Int64] { self.state.withLock { $0.visits } }
    /// Places that were written since the last call of ``mark()``.
    var writtenSinceMark: Set<Shop.Place> { self.state.withLock { $0.since } }

    /// From now on ``writtenSinceMark`` counts anew.
    func mark() { self.state.withLock { $0.since = [] } }

    func wrote(_ place: Shop.Place, _ value: String) {
        self.state.withLock { state in
            state.rows[place] = value
            state.note(place)
        }
    }

    func deleted(_ place: Shop.Place) {
        self.state.withLock { state in
            state.rows[place] = nil
            state.note(place)
        }
    }

    func visited(_ page: Int32) {
        self.state.withLock { state in
            state.visits[page, default: 0] += 1
            state.note(.page(page))
        }
    }

    /// Somebody wrote past the application, and the migration has made it the truth.
    func adopted(_ place: Shop.Place, _ value: String) { self.state.withLock { $0.rows[place] = value } }

    /// Places of which `contents` says something else than what was acknowledged.
    func disagreeing(with contents: [Shop.Place: String]) -> Set<Shop.Place> {
        let rows = self.rows
        return Set(rows.filter { contents[$0.key] != $0.value }.keys).union(contents.keys.filter { rows[$0] == nil })
    }
}
