import CQLClient
import CQLProtocol

/// How two readers know that they speak of the same cluster: by the ids that its nodes have given themselves. Names are no use;
/// many clusters are called `Test Cluster`.
enum ClusterIdentity {
    /// The ids of the nodes that a session can know of, as texts.
    static func hosts(_ session: CQLSession) async throws -> Set<String> {
        var hosts: Set<String> = []
        for text in [
            "SELECT host_id FROM system.local WHERE key = 'local'", "SELECT host_id FROM system.peers",
        ] {
            let rows = try await session.query(text, consistency: .one, isIdempotent: true).rows?.rows ?? []
            for row in rows {
                if case .uuid(let id)? = try? row.value("host_id") { hosts.insert("\(id)") }
            }
        }
        return hosts
    }
}
