public import CQLClient
import CQLProtocol

/// Looks at a cluster. It reads system tables alone, and writes nothing.
public struct ClusterReader: Sendable {
    private let session: CQLSession
    private let role: ClusterRole
    private let user: String?
    private let now: @Sendable () -> Int64

    /// - Parameters:
    ///   - user: the role under which the session has logged in; nil where it has not.
    ///   - now: milliseconds since 1970.
    public init(
        _ session: CQLSession,
        role: ClusterRole,
        user: String?,
        now: @escaping @Sendable () -> Int64
    ) {
        self.session = session
        self.role = role
        self.user = user
        self.now = now
    }

    /// How often the clock is asked for.
    private static var clockReadings: Int { 5 }

    /// Reads all of it.
    ///
    /// - Throws: `CQLSessionError` where the cluster does not answer, or does not let the role read its system tables.
    public func picture() async throws -> ClusterPicture {
        var picture = ClusterPicture(role: self.role)
        try await self.readNodes(&picture)
        try await self.readKeyspaces(&picture)
        try await self.readTables(&picture)
        try await self.readIndexes(&picture)
        picture.access = try await self.access()
        picture.access.hasOwnKeyspace = picture.keyspaces.removeValue(forKey: Self.ownKeyspace) != nil
        picture.clock = await self.clock()
        return picture
    }

    private static var ownKeyspace: String { "cluster_sync" }

    private func rows(_ text: String) async throws -> [Row] {
        try await self.session.query(text, consistency: .localOne, isIdempotent: true).rows.map(Array.init) ?? []
    }

    /// The rows of a table that not every server has, or lets everybody read; nil where it refuses.
    private func rowsIfAny(_ text: String) async throws -> [Row]? {
        do { return try await self.rows(text) } catch let error as CQLSessionError where error.code == .refused {
            return nil
        }
    }

    // MARK: Nodes

    private func readNodes(_ picture: inout ClusterPicture) async throws {
        let locals = try await self.rows("SELECT * FROM system.local")
        let peers = try await self.rows("SELECT * FROM system.peers")
        guard let local = locals.first else { return }
        picture.name = local.text("cluster_name")
        picture.partitioner = local.text("partitioner")
        picture.release = local.text("release_version")
        picture.localDatacenter = local.text("data_center")
        for row in locals + peers {
            picture.nodes[row.text("data_center"), default: 0] += 1
            if case .uuid(let id) = try? row.value("host_id") { picture.hosts.insert("\(id)") }
            if case .uuid(let id) = try? row.value("schema_version") { picture.schemaVersions.insert("\(id)") }
            let release = row.text("release_version")
            if !release.isEmpty { picture.releases.insert(release) }
        }
        let scylla = try await self.rows(
            "SELECT table_name FROM system_schema.tables WHERE keyspace_name = 'system_schema' AND table_name = 'scylla_tables'"
        )
        picture.isScylla = !scylla.isEmpty
    }

    // MARK: Schema

    private func readKeyspaces(_ picture: inout ClusterPicture) async throws {
        for row in try await self.rows("SELECT * FROM system_schema.keyspaces") {
            let name = row.text("keyspace_name")
            guard !Self.isOfServers(name) else { continue }
            var keyspace = KeyspacePicture(replication: row.texts("replication"))
            keyspace.hasDurableWrites = row.flag("durable_writes") ?? true
            picture.keyspaces[name] = keyspace
        }
        if picture.isScylla, let rows = try await self.rowsIfAny("SELECT * FROM system_schema.scylla_keyspaces") {
            for row in rows where row["initial_tablets"] != nil {
                picture.keyspaces[row.text("keyspace_name")]?.hasTablets = true
            }
        }
        for row in try await self.rows("SELECT * FROM system_schema.types") {
            let type = KeyspacePicture.UserType(fields: row.list("field_names"), types: row.list("field_types"))
            picture.keyspaces[row.text("keyspace_name")]?.types[row.text("type_name")] = type
        }
        for (table, name) in [("functions", "function_name"), ("aggregates", "aggregate_name")] {
            for row in try await self.rowsIfAny("SELECT * FROM system_schema.\(table)") ?? [] {
                let text = "\(row.text(name))(\(row.list("argument_types").joined(separator: ", ")))"
                picture.keyspaces[row.text("keyspace_name")]?.functions.insert(text)
            }
        }
    }

    private func readTables(_ picture: inout ClusterPicture) async throws {
        for row in try await self.rows("SELECT * FROM system_schema.tables") {
            let name = row.text("table_name")
            // ScyllaDB writes the log of a table's changes by itself.
            guard !name.hasSuffix("_scylla_cdc_log") else { continue }
            var table = TablePicture(columns: [:])
            table.defaultTimeToLive = row.integer("default_time_to_live") ?? 0
            table.graceSeconds = row.integer("gc_grace_seconds") ?? table.graceSeconds
            table.compaction = row.texts("compaction")["class"]?.split(separator: ".").last.map { String($0) } ?? ""
            table.comment = row.text("comment")
            table.logsChanges = row.flag("cdc") ?? false
            if case .set(let flags) = try? row.value("flags") { table.flags = Set(flags.compactMap(\.plainText)) }
            picture.keyspaces[row.text("keyspace_name")]?.tables[name] = table
        }
        for row in try await self.rows("SELECT * FROM system_schema.columns") {
            guard let kind = TablePicture.Column.Kind(rawValue: row.text("kind")) else { continue }
            let column = TablePicture.Column(
                kind,
                row.text("type"),
                position: row.integer("position") ?? -1,
                isReversed: row.text("clustering_order").lowercased() == "desc"
            )
            // What compact tables have beside their columns holds nothing and has no name for CQL.
            guard column.type != "empty", !column.type.hasSuffix("EmptyType'") else { continue }
            let (keyspace, table) = (row.text("keyspace_name"), row.text("table_name"))
            picture.keyspaces[keyspace]?.tables[table]?.columns[row.text("column_name")] = column
        }
        for row in try await self.rowsIfAny("SELECT * FROM system_schema.triggers") ?? [] {
            let (keyspace, table) = (row.text("keyspace_name"), row.text("table_name"))
            picture.keyspaces[keyspace]?.tables[table]?.triggers.insert(row.text("trigger_name"))
        }
    }

    private func readIndexes(_ picture: inout ClusterPicture) async throws {
        var own: [String: Set<String>] = [:]
        for row in try await self.rows("SELECT * FROM system_schema.indexes") {
            let (keyspace, table) = (row.text("keyspace_name"), row.text("table_name"))
            let name = row.text("index_name")
            let index = TablePicture.Index(kind: row.text("kind"), options: row.texts("options"))
            picture.keyspaces[keyspace]?.tables[table]?.indexes[name] = index
            // ScyllaDB keeps an index in a view of this name.
            own[keyspace, default: []].insert("\(name)_index")
        }
        for row in try await self.rows("SELECT * FROM system_schema.views") {
            let (keyspace, name) = (row.text("keyspace_name"), row.text("view_name"))
            guard !(picture.isScylla && own[keyspace]?.contains(name) == true) else { continue }
            picture.keyspaces[keyspace]?.views[name] = row.text("base_table_name")
        }
    }

    /// Keyspaces that servers keep for themselves.
    private static func isOfServers(_ keyspace: String) -> Bool {
        keyspace == "system" || keyspace.hasPrefix("system_") || keyspace == "OpsCenter" || keyspace.hasPrefix("dse_")
    }

    // MARK: Access

    private func access() async throws -> AccessPicture {
        var access = AccessPicture()
        access.role = self.user
        guard let user = self.user else {
            // A cluster that has let somebody in without a name lets anonymous users do what they want, or nothing at all; the
            // latter has shown by now.
            access.isOpen = true
            return access
        }
        let name = "'" + user.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
        if let rows = try await self.rowsIfAny("LIST ROLES OF \(name) NORECURSIVE") {
            access.isSuperuser = rows.first { $0.text("role") == user }?.flag("super")
        }
        do {
            var permissions: [String: Set<String>] = [:]
            for row in try await self.rows("LIST ALL PERMISSIONS OF \(name)") {
                guard let resource = Self.resource(row.text("resource")) else { continue }
                permissions[resource, default: []].insert(row.text("permission"))
            }
            access.permissions = permissions
        } catch let error as CQLSessionError where error.code == .refused {
            // Cassandra's and ScyllaDB's words where there is no authorizer.
            access.isOpen = error.serverError?.message.contains("AllowAllAuthorizer") ?? false
        }
        return access
    }

    /// `<all keyspaces>`, `<keyspace ks>`, `<table ks.t>`; nil for what is about no data.
    static func resource(_ text: String) -> String? {
        let inner = text.hasPrefix("<") && text.hasSuffix(">") ? String(text.dropFirst().dropLast()) : text
        if inner == "all keyspaces" { return "data" }
        if inner.hasPrefix("keyspace ") { return "data/" + inner.dropFirst("keyspace ".count) }
        guard inner.hasPrefix("table ") else { return nil }
        let names = inner.dropFirst("table ".count).split(separator: ".", maxSplits: 1)
        return names.count == 2 ? "data/\(names[0])/\(names[1])" : nil
    }

    // MARK: Clock

    /// Asks for the time several times; nil where the server does not tell it.
    private func clock() async -> ClockReading? {
        var reading: ClockReading?
        for _ in 0..<Self.clockReadings {
            let asked = self.now()
            guard let rows = try? await self.rows("SELECT toTimestamp(now()) FROM system.local"),
                case .timestamp(let server)? = try? rows.first?.value(at: 0)
            else { continue }
            let one = ClockReading(asked: asked, server: server, answered: self.now())
            reading = reading?.narrowed(by: one) ?? one
        }
        return reading
    }
}

extension CQLValue {
    fileprivate var plainText: String? { if case .text(let text) = self { text } else { nil } }
}

/// Columns that may not be there.
extension Row {
    fileprivate func text(_ name: String) -> String { (try? self.value(name))?.plainText ?? "" }

    fileprivate func integer(_ name: String) -> Int? {
        if case .int(let number) = try? self.value(name) { Int(number) } else { nil }
    }

    fileprivate func flag(_ name: String) -> Bool? {
        if case .boolean(let flag) = try? self.value(name) { flag } else { nil }
    }

    fileprivate func list(_ name: String) -> [String] {
        if case .list(let values) = try? self.value(name) { values.compactMap(\.plainText) } else { [] }
    }

    fileprivate func texts(_ name: String) -> [String: String] {
        guard case .map(let entries) = try? self.value(name) else { return [:] }
        return Dictionary(
            entries.compactMap { entry in
                entry.key.plainText.flatMap { key in entry.value.plainText.map { (key, $0) } }
            }
        ) { first, _ in first }
    }
}
