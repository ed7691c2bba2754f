import CQLClient
import CQLProtocol

/// The tables of a ``ClusterJobStore``. Only what Cassandra 3.11 and later and ScyllaDB have in common.
enum ClusterTables {
    static let tables = [
        """
        CREATE TABLE IF NOT EXISTS cluster_sync.jobs (
            name text PRIMARY KEY, subject text, command text, plan uuid, buckets int)
        """,
        """
        CREATE TABLE IF NOT EXISTS cluster_sync.job_parts (
            plan uuid, bucket int, keyspace_name text, table_name text, range_start bigint, range_end bigint,
            expected_bytes bigint, checkpoint bigint, rows_done bigint, bytes_done bigint, attempts int,
            beginnings int, state text, reason text, lease uuid, worker text, ended_by uuid,
            PRIMARY KEY ((plan, bucket), keyspace_name, table_name, range_start))
        """,
    ]

    /// Makes what is missing.
    static func create(_ session: CQLSession, replication: String?) async throws {
        try await ServiceKeyspace.create(in: session, replication: replication)
        for table in Self.tables { try await session.query(table, isIdempotent: true) }
    }
}

/// The statements of a ``ClusterJobStore``.
struct ClusterStatements: Sendable {
    private static let part =
        "WHERE plan = ? AND bucket = ? AND keyspace_name = ? AND table_name = ? AND range_start = ?"
    private static let update = "UPDATE cluster_sync.job_parts"

    let job, jobs, insertJob, publish, setCommand, removeJob: CQLStatement
    let insertPart, bucket, leases, row, removeBucket: CQLStatement
    let take, countAttempt, renew, checkpoint, finish, fail, giveBack, endToRest, rest, shrink, addPiece,
        retry: CQLStatement

    init(_ session: CQLSession) async throws {
        func read(_ text: String) async throws -> CQLStatement { try await session.prepare(text, isIdempotent: true) }
        // The session must not send these again by itself: what the first one did must be known before (``ClusterJobStore``).
        func write(_ text: String) async throws -> CQLStatement { try await session.prepare(text) }
        let (part, update) = (Self.part, Self.update)
        self.job = try await read("SELECT * FROM cluster_sync.jobs WHERE name = ?")
        self.jobs = try await read("SELECT name, subject, plan FROM cluster_sync.jobs")
        self.insertJob = try await write(
            "INSERT INTO cluster_sync.jobs (name, subject, command) VALUES (?, ?, ?) IF NOT EXISTS"
        )
        self.publish = try await write(
            "UPDATE cluster_sync.jobs SET plan = ?, buckets = ? WHERE name = ? IF subject = ? AND plan = null"
        )
        self.setCommand = try await write("UPDATE cluster_sync.jobs SET command = ? WHERE name = ? IF EXISTS")
        self.removeJob = try await write("DELETE FROM cluster_sync.jobs WHERE name = ? IF EXISTS")
        // Whatever is written on condition comes later and must win, whatever the clocks of the nodes say.
        self.insertPart = try await read(
            """
            INSERT INTO cluster_sync.job_parts (plan, bucket, keyspace_name, table_name, range_start, range_end, \
            expected_bytes, checkpoint, rows_done, bytes_done, attempts, beginnings, state) \
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending') USING TIMESTAMP 1
            """
        )
        self.bucket = try await read("SELECT * FROM cluster_sync.job_parts WHERE plan = ? AND bucket = ?")
        self.leases = try await read(
            """
            SELECT keyspace_name, table_name, range_start, worker, TTL(lease) AS left FROM cluster_sync.job_parts \
            WHERE plan = ? AND bucket = ?
            """
        )
        self.row = try await read("SELECT * FROM cluster_sync.job_parts \(part)")
        self.removeBucket = try await read("DELETE FROM cluster_sync.job_parts WHERE plan = ? AND bucket = ?")
        self.take = try await write(
            """
            \(update) USING TTL ? SET lease = ?, worker = ? \(part) \
            IF state = 'pending' AND lease = null AND attempts = ? AND beginnings = ? AND range_end = ?
            """
        )
        self.countAttempt = try await write("\(update) SET attempts = ?, beginnings = ? \(part)")
        self.renew = try await write("\(update) USING TTL ? SET lease = ?, worker = ? \(part) IF lease = ?")
        self.checkpoint = try await write(
            "\(update) SET checkpoint = ?, rows_done = ?, bytes_done = ?, attempts = 1 \(part) IF lease = ?"
        )
        self.finish = try await write(
            """
            \(update) SET state = 'done', checkpoint = ?, rows_done = ?, bytes_done = ?, lease = null, worker = null, \
            ended_by = ? \(part) IF lease = ?
            """
        )
        self.fail = try await write(
            """
            \(update) SET state = 'failed', reason = ?, lease = null, worker = null, ended_by = ? \(part) IF lease = ?
            """
        )
        self.giveBack = try await write(
            "\(update) SET attempts = ?, lease = null, worker = null, ended_by = ? \(part) IF lease = ?"
        )
        self.endToRest = try await write("\(update) SET attempts = ?, ended_by = ? \(part) IF lease = ?")
        // With a lease of nobody, a part rests until it has run out.
        self.rest = try await write("\(update) USING TTL ? SET lease = ?, worker = ? \(part)")
        self.shrink = try await write(
            "\(update) SET range_end = ?, expected_bytes = ?, beginnings = ? \(part) IF lease = ?"
        )
        self.addPiece = try await write(
            """
            INSERT INTO cluster_sync.job_parts (plan, bucket, keyspace_name, table_name, range_start, range_end, \
            expected_bytes, checkpoint, rows_done, bytes_done, attempts, beginnings, state) \
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending')
            """
        )
        self.retry = try await write(
            "\(update) SET state = 'pending', attempts = 0, reason = null \(part) IF state = 'failed'"
        )
    }
}
