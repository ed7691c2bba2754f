import CQLClient
import CQLProtocol

/// What ``ClusterIndexStore`` reads and writes its table with.
protocol IndexRecordSession: Sendable {
    /// Runs a write on condition.
    ///
    /// - Returns: whether it was applied. Where it throws something transient, it may have been all the same.
    func apply(_ text: String, _ values: [CQLValue]) async throws -> Bool
    /// Runs a read.
    func rows(_ text: String, _ values: [CQLValue], consistency: Consistency) async throws -> Rows
    /// Makes the keyspace and the table where they are missing.
    func makeTable(_ text: String, replication: String?) async throws
}

extension CQLSession: IndexRecordSession {
    func apply(_ text: String, _ values: [CQLValue]) async throws -> Bool {
        // The session must not send it again by itself: what the first one did must be known before.
        let result = try await self.execute(try await self.prepare(text), values, consistency: .quorum)
        return (try? result.rows?.first?.value("[applied]")) == .boolean(true)
    }

    func rows(_ text: String, _ values: [CQLValue], consistency: Consistency) async throws -> Rows {
        let statement = try await self.prepare(text, isIdempotent: true)
        guard let rows = try await self.execute(statement, values, consistency: consistency).rows else {
            throw IndexError(.malformed, "a SELECT was answered without rows")
        }
        return rows
    }

    func makeTable(_ text: String, replication: String?) async throws {
        try await ServiceKeyspace.create(in: self, replication: replication)
        try await self.query(text, isIdempotent: true)
    }
}
