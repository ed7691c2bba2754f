import CQLClient
import CQLProtocol

/// What both nodes hold of one step, read past the sidecar.
struct DemoComparison: Sendable {
    /// The rows of a node, with the write times of their cells where the application chose them.
    struct Contents: Sendable, Equatable {
        var events: [[CQLValue]] = []
        var hits: [[CQLValue]] = []
        var seats: [[CQLValue]] = []

        var count: Int { self.events.count + self.hits.count + self.seats.count }
        var isEmpty: Bool { self.count == 0 }
    }

    let source: Contents
    let target: Contents

    /// Waits until both nodes hold the same, at most ten seconds: copies that nobody waits for may still be on their way.
    static func settled(_ step: Int, _ sessions: DemoSessions, expectsEqual: Bool) async throws -> DemoComparison {
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            let comparison = DemoComparison(
                source: try await self.contents(step, sessions.source),
                target: try await self.contents(step, sessions.target)
            )
            if !expectsEqual || comparison.source == comparison.target || ContinuousClock.now > deadline {
                return comparison
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private static func contents(_ step: Int, _ session: CQLSession) async throws -> Contents {
        func rows(_ columns: String, _ table: String) async throws -> [[CQLValue]] {
            let text = "SELECT \(columns) FROM demo.\(table) WHERE step = \(step)"
            guard let rows = try await session.query(text, isIdempotent: true).rows else { return [] }
            return try rows.map { row in try row.cells.indices.map { try row.value(at: $0) } }
        }
        return Contents(
            events: try await rows("id, note, writetime(note)", "events"),
            hits: try await rows("n", "hits"),
            seats: try await rows("id, guest", "seats")
        )
    }
}
