import CQLClient
import CQLProtocol

/// The tables of a ``ClusterRegister``. Only what Cassandra 3.11 and later and ScyllaDB have in common.
enum ControlTables {
    /// How long a change is noted, in seconds: a year.
    static var changeSeconds: Int32 { 365 * 86_400 }

    private static let tables = [
        (
            "control",
            """
            CREATE TABLE IF NOT EXISTS cluster_sync.control (
                name text PRIMARY KEY, revision uuid,
                epoch bigint, stage text, change uuid, changed_by text, reason text, forced boolean, changed_at timestamp,
                proposed uuid, proposed_epoch bigint, proposed_stage text, decider text, proposed_by text,
                proposed_reason text, proposed_forced boolean, proposed_at timestamp)
            """
        ),
        (
            "replicas",
            """
            CREATE TABLE IF NOT EXISTS cluster_sync.replicas (
                control text, id text, address text, applied bigint, answer uuid, refusal text, owed_source bigint,
                owed_target bigint, fault text, said_at timestamp, seen boolean,
                PRIMARY KEY (control, id))
            """
        ),
        (
            "changes",
            """
            CREATE TABLE IF NOT EXISTS cluster_sync.changes (
                control text, epoch bigint, change uuid, stage text, changed_by text, reason text, forced boolean,
                changed_at timestamp,
                PRIMARY KEY (control, epoch, change)) WITH CLUSTERING ORDER BY (epoch DESC, change ASC)
            """
        ),
    ]

    /// What an administrator can do for a role that may not make the tables.
    ///
    /// - Parameter replication: of the keyspace, as a CQL map; nil: three replicas in a data centre that has to be filled in.
    static func instructions(replication: String?) -> [String] {
        let map = replication ?? "{'class': 'NetworkTopologyStrategy', '<data center>': 3}"
        let keyspace = "CREATE KEYSPACE IF NOT EXISTS \(ServiceKeyspace.name) WITH replication = \(map)"
        func line(_ text: String) -> String { text.split(whereSeparator: \.isWhitespace).joined(separator: " ") + ";" }
        return [line(keyspace)] + Self.tables.map { line($0.1) } + [
            "GRANT SELECT ON KEYSPACE \(ServiceKeyspace.name) TO <role>;",
            "GRANT MODIFY ON KEYSPACE \(ServiceKeyspace.name) TO <role>;",
        ]
    }

    /// Makes what is missing.
    ///
    /// Those that are there are left alone: a replica without the right to make tables can use them, and replicas that make one
    /// at the same time may get in each other's way.
    static func create(_ session: CQLSession, replication: String?) async throws {
        let text = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = 'cluster_sync'"
        let found = try await session.query(text, consistency: .one, isIdempotent: true).rows?.rows ?? []
        let names = found.compactMap { try? $0.value("table_name") }
        let missing = Self.tables.filter { !names.contains(.text($0.0)) }
        guard !missing.isEmpty else { return }
        try await ServiceKeyspace.create(in: session, replication: replication)
        for (_, text) in missing { try await session.query(text, isIdempotent: true) }
    }
}

/// The statements of a ``ClusterRegister``.
struct ControlStatements: Sendable {
    let row, entries, insert, update, describe, live, leave, note: CQLStatement

    private static let columns = [
        "revision", "epoch", "stage", "change", "changed_by", "reason", "forced", "changed_at", "proposed",
        "proposed_epoch", "proposed_stage", "decider", "proposed_by", "proposed_reason", "proposed_forced",
        "proposed_at",
    ]

    init(_ session: CQLSession) async throws {
        func read(_ text: String) async throws -> CQLStatement { try await session.prepare(text, isIdempotent: true) }
        // The session must not send these again by itself: what becomes of the first one is seen in the next round.
        func write(_ text: String) async throws -> CQLStatement { try await session.prepare(text) }
        let (names, markers) = (Self.columns.joined(separator: ", "), Self.columns.map { _ in "?" })
        self.row = try await read("SELECT * FROM cluster_sync.control WHERE name = ?")
        self.entries = try await read("SELECT * FROM cluster_sync.replicas WHERE control = ? LIMIT 1000")
        self.insert = try await write(
            """
            INSERT INTO cluster_sync.control (\(names), name) VALUES (\(markers.joined(separator: ", ")), ?) IF NOT EXISTS
            """
        )
        let assignments = Self.columns.map { "\($0) = ?" }.joined(separator: ", ")
        self.update = try await write(
            "UPDATE cluster_sync.control SET \(assignments) WHERE name = ? IF revision = ?"
        )
        self.describe = try await read(
            """
            INSERT INTO cluster_sync.replicas (control, id, address, applied, answer, refusal, owed_source, owed_target, \
            fault, said_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) USING TTL ?
            """
        )
        self.live = try await read(
            "UPDATE cluster_sync.replicas USING TTL ? SET seen = true WHERE control = ? AND id = ?"
        )
        self.leave = try await read("DELETE FROM cluster_sync.replicas WHERE control = ? AND id = ?")
        self.note = try await read(
            """
            INSERT INTO cluster_sync.changes (control, epoch, change, stage, changed_by, reason, forced, changed_at) \
            VALUES (?, ?, ?, ?, ?, ?, ?, ?) USING TTL \(ControlTables.changeSeconds)
            """
        )
    }
}
