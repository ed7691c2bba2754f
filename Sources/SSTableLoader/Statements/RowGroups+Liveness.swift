import LiveTables
import SSTable

extension RowGroups {
    /// The row exists, whatever its cells.
    mutating func begin(_ liveness: Liveness, now: Int64) {
        let timeToLive = liveness.isExpiring ? Self.timeLeft(until: liveness.expiresAt, now: now) : 0
        self.begin(timestamp: liveness.timestamp, timeToLive: timeToLive)
    }
}
