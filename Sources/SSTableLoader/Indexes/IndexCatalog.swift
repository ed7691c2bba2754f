import CQLProtocol

/// What a cluster's schema says of indexes.
struct IndexCatalog: Sendable {
    let session: any IndexSession
    let server: IndexServer

    /// Finds out what the server is.
    ///
    /// - Throws: ``IndexError`` and what the session throws.
    init(_ session: any IndexSession) async throws {
        let scylla = try await session.read(
            "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?",
            ["system_schema", "scylla_tables"]
        )
        let local = try await session.read("SELECT release_version FROM system.local", [])
        let release = try local.first?.text("release_version") ?? ""
        guard let major = release.split(separator: ".").first.flatMap({ Int($0) }) else {
            throw IndexError(.malformed, "the server's release '\(release)' has no number")
        }
        self.session = session
        self.server = IndexServer(isScylla: !scylla.isEmpty, major: major)
    }

    /// The indexes of a keyspace at one moment.
    struct Keyspace: Sendable {
        /// All of them by their names. Those of other tables than the ones asked for have no statement.
        var indexes: [String: TableIndex] = [:]
        /// The tables of those asked for that exist.
        var tables: Set<IndexedTable> = []
    }

    /// All indexes of a keyspace, with the statements of those of some tables.
    ///
    /// - Parameter tables: nil for all that have indexes.
    func keyspace(_ name: String, tables: Set<IndexedTable>? = nil) async throws -> Keyspace {
        let rows = try await self.session.read(
            "SELECT table_name, index_name, kind, options FROM system_schema.indexes WHERE keyspace_name = ?",
            [name]
        )
        let indexed = try rows.map { IndexedTable(keyspace: name, name: try $0.text("table_name")) }
        var keyspace = Keyspace()
        var columns: [IndexedTable: [String: String]] = [:]
        for table in tables?.filter({ $0.keyspace == name }) ?? Set(indexed) {
            columns[table] = try await self.columns(of: table)
            if columns[table]?.isEmpty == false { keyspace.tables.insert(table) }
        }
        for (row, table) in zip(rows, indexed) {
            let index = try row.text("index_name")
            keyspace.indexes[index] = TableIndex(
                table: table,
                name: index,
                kind: try row.text("kind"),
                options: try row.texts("options"),
                columns: columns[table] ?? [:],
                server: self.server
            )
        }
        return keyspace
    }

    /// The types of a table's columns by name; empty where there is no such table.
    private func columns(of table: IndexedTable) async throws -> [String: String] {
        let rows = try await self.session.read(
            "SELECT column_name, type FROM system_schema.columns WHERE keyspace_name = ? AND table_name = ?",
            [table.keyspace, table.name]
        )
        var columns: [String: String] = [:]
        for row in rows { columns[try row.text("column_name")] = try row.text("type") }
        return columns
    }

    /// The materialized views of a table, without those that are ScyllaDB's way to keep an index.
    func views(of table: IndexedTable, indexes: Set<String>) async throws -> [String] {
        let rows = try await self.session.read(
            "SELECT view_name, base_table_name FROM system_schema.views WHERE keyspace_name = ?",
            [table.keyspace]
        )
        let own = self.server.isScylla ? Set(indexes.map(Self.view)) : []
        return try rows.filter { try $0.text("base_table_name") == table.name }.map { try $0.text("view_name") }
            .filter { !own.contains($0) }.sorted()
    }

    /// The view in which ScyllaDB keeps an index.
    static func view(of index: String) -> String { index + "_index" }

    /// Whether all nodes that are told of have the same schema.
    func isAgreed() async throws -> Bool {
        var versions: Set<CQLValue> = []
        for text in ["SELECT schema_version FROM system.local", "SELECT schema_version FROM system.peers"] {
            for row in try await self.session.read(text, []) {
                // A node that is about to leave or to come has no version.
                let version = try row.value("schema_version")
                if version != .null { versions.insert(version) }
            }
        }
        return versions.count <= 1
    }
}
