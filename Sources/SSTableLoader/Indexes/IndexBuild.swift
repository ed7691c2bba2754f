import CQLProtocol

/// How far the server says that an index is.
public enum IndexBuild: Sendable, Hashable {
    /// Every node says that it has built it.
    case built
    /// Each of so many answers said that it is built. Cassandra keeps this for each node apart, and which node answers is not
    /// told: with several nodes this is likely, not certain.
    case builtBy(answers: Int)
    /// So many nodes, or answers, of all that were asked say that it is built.
    case building(done: Int, of: Int)
    /// The server has no way to tell, for this reason.
    case notTold(String)
    /// The question failed, for this reason.
    case notAnswered(String)

    /// Whether there is nothing left to wait for.
    public var isDone: Bool {
        switch self {
        case .built, .builtBy: true
        case .building, .notTold, .notAnswered: false
        }
    }
}

extension IndexCatalog {
    /// Asks how far an index is.
    ///
    /// Cassandra has a row in `system."IndexInfo"` of each node that has built it (the column `table_name` is the keyspace).
    /// ScyllaDB has one for each node and view in `system_distributed.view_build_status`, later releases in
    /// `system.view_build_status_v2`, and nothing for vector indexes, which no view keeps.
    func build(of index: TableIndex) async throws -> IndexBuild {
        let nodes = try await self.session.read("SELECT peer FROM system.peers", []).rowCount + 1
        guard self.server.isScylla else { return try await self.cassandraBuild(of: index, nodes: nodes) }
        guard index.kind != "CUSTOM" else {
            return .notTold("\(index.options["class_name"] ?? "a custom class") builds it, and tells nobody")
        }
        var built: Set<CQLValue> = []
        var isTold = false
        for (keyspace, table) in [("system_distributed", "view_build_status"), ("system", "view_build_status_v2")] {
            let known = try await self.session.read(
                "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?",
                [keyspace, table]
            )
            if known.isEmpty { continue }
            isTold = true
            let rows = try await self.session.read(
                "SELECT host_id, status FROM \(keyspace).\(table) WHERE keyspace_name = ? AND view_name = ?",
                [index.table.keyspace, Self.view(of: index.name)]
            )
            for row in rows where try row.text("status") == "SUCCESS" { built.insert(try row.value("host_id")) }
        }
        guard isTold else { return .notTold("there is no table of the building of views") }
        return built.count >= nodes ? .built : .building(done: built.count, of: nodes)
    }

    private func cassandraBuild(of index: TableIndex, nodes: Int) async throws -> IndexBuild {
        // One answer speaks for one node. A session asks one node after the other, so that a few rounds ask all it uses.
        let answers = nodes == 1 ? 1 : 2 * nodes
        var done = 0
        for _ in 0..<answers {
            let rows = try await self.session.read(
                "SELECT index_name FROM system.\"IndexInfo\" WHERE table_name = ? AND index_name = ?",
                [index.table.keyspace, index.name]
            )
            if !rows.isEmpty { done += 1 }
        }
        guard done == answers else { return .building(done: done, of: answers) }
        return nodes == 1 ? .built : .builtBy(answers: answers)
    }
}
