import CQLClient
import CQLProtocol

/// The tables of a ``ClusterJobStore``. Only what Cassandra 3.11 and later and ScyllaDB have in common.
enum ClusterTables {
    static let keyspace = "cluster_sync"

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
        let known = "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = 'cluster_sync'"
        let found = try await session.query(known, consistency: .one, isIdempotent: true)
        if found.rows?.first == nil {
            let options: String
            if let replication { options = replication } else { options = try await Self.replication(session) }
            let text = "CREATE KEYSPACE IF NOT EXISTS cluster_sync WITH replication = \(options)"
            do {
                // Conditional writes do not work in tablets everywhere, and ScyllaDB makes tablets unless it is told not to.
                guard try await Self.hasTablets(session) else { throw TabletsRefused() }
                try await session.query("\(text) AND tablets = {'enabled': false}", isIdempotent: true)
            } catch let error where error is TabletsRefused || (error as? CQLSessionError)?.code == .refused {
                try await session.query(text, isIdempotent: true)
            }
        }
        for table in Self.tables { try await session.query(table, isIdempotent: true) }
    }

    private struct TabletsRefused: Error {}

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

    /// Three replicas in the data centre of the node that answers, or as many as it has nodes.
    private static func replication(_ session: CQLSession) async throws -> String {
        let local = "SELECT data_center FROM system.local WHERE key = 'local'"
        let own = try await session.query(local, consistency: .one, isIdempotent: true).rows?.first
        guard case .text(let center)? = try own?.value("data_center") else {
            throw TokenRangesError(.storage, "the cluster does not tell its data centre")
        }
        let text = "SELECT data_center FROM system.peers"
        let peers = try await session.query(text, consistency: .one, isIdempotent: true).rows?.rows ?? []
        let others = peers.count { (try? $0.value("data_center")) == .text(center) }
        let quoted = center.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
        return "{'class': 'NetworkTopologyStrategy', '\(quoted)': \(min(3, 1 + others))}"
    }
}

/// The statements of a ``ClusterJobStore``.
struct ClusterStatements: Sendable {
    private static let part =
        "WHERE plan = ? AND bucket = ? AND keyspace_name = ? AND table_name = ? AND range_start = ?"
    private static let update = "UPDATE cluster_sync.job_parts"

    let job, jobs, insertJob, publish, setCommand, removeJob: CQLStatement
    let insertPart, bucket, row, removeBucket: CQLStatement
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
