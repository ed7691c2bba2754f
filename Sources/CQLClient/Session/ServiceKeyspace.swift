import CQLProtocol

/// The keyspace in which the services of this project keep what several of their processes share.
public enum ServiceKeyspace {
    /// Its name.
    public static var name: String { "cluster_sync" }

    /// Makes it where it is missing.
    ///
    /// Lightweight transactions do not work in tablets everywhere, and ScyllaDB makes tablets unless it is told not to.
    ///
    /// - Parameter replication: a CQL map; nil for three replicas in the data centre of the node that answers, or as many as that
    ///   has nodes.
    /// - Throws: ``CQLSessionError``.
    public static func create(in session: CQLSession, replication: String?) async throws {
        let known = "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = '\(Self.name)'"
        let found = try await session.query(known, consistency: .one, isIdempotent: true)
        guard found.rows?.first == nil else { return }
        let options: String
        if let replication { options = replication } else { options = try await Self.replication(session) }
        let text = "CREATE KEYSPACE IF NOT EXISTS \(Self.name) WITH replication = \(options)"
        if try await Self.hasTablets(session) {
            do {
                try await session.query("\(text) AND tablets = {'enabled': false}", isIdempotent: true)
                return
            } catch let error as CQLSessionError where error.code == .refused {
                // An older ScyllaDB does not know the option.
            }
        }
        try await session.query(text, isIdempotent: true)
    }

    /// Whether the cluster is one of ScyllaDB that knows tablets.
    private static func hasTablets(_ session: CQLSession) async throws -> Bool {
        let text = "SELECT initial_tablets FROM system_schema.scylla_keyspaces LIMIT 1"
        do {
            try await session.query(text, consistency: .one, isIdempotent: true)
            return true
        } catch let error as CQLSessionError where error.code == .refused && !error.isTransient {
            return false
        }
    }

    private static func replication(_ session: CQLSession) async throws -> String {
        let local = "SELECT data_center FROM system.local WHERE key = 'local'"
        let own = try await session.query(local, consistency: .one, isIdempotent: true).rows?.first
        guard case .text(let center)? = try own?.value("data_center") else {
            let text = "the cluster does not tell its data centre"
            throw CQLSessionError(.protocolViolation, text, isSafeToRetry: false)
        }
        let peers = try await session.query(
            "SELECT data_center FROM system.peers",
            consistency: .one,
            isIdempotent: true
        )
        let others = peers.rows?.rows.count { (try? $0.value("data_center")) == .text(center) } ?? 0
        let quoted = center.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
        return "{'class': 'NetworkTopologyStrategy', '\(quoted)': \(min(3, 1 + others))}"
    }
}
