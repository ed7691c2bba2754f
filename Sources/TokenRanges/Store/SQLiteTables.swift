import CQLProtocol
import GRDB

/// The tables of a ``SQLiteJobStore``, and its rows as values.
enum SQLiteTables {
    static let statements = [
        "CREATE TABLE IF NOT EXISTS jobs (name TEXT PRIMARY KEY, subject TEXT NOT NULL, command TEXT NOT NULL)",
        """
        CREATE TABLE IF NOT EXISTS parts (
            job TEXT NOT NULL, keyspace_name TEXT NOT NULL, table_name TEXT NOT NULL, range_start INTEGER NOT NULL,
            range_end INTEGER NOT NULL, expected_bytes INTEGER, checkpoint INTEGER, rows_done INTEGER NOT NULL,
            bytes_done INTEGER NOT NULL, attempts INTEGER NOT NULL, beginnings INTEGER NOT NULL,
            state TEXT NOT NULL, reason TEXT, lease TEXT,
            worker TEXT, leased_until INTEGER NOT NULL DEFAULT 0, ended_by TEXT,
            PRIMARY KEY (job, keyspace_name, table_name, range_start)
        ) WITHOUT ROWID
        """,
        """
        CREATE INDEX IF NOT EXISTS parts_in_order
        ON parts (job, state, attempts, keyspace_name, table_name, range_start)
        """,
    ]

    /// A part's primary key.
    static func key(_ lease: JobLease) -> StatementArguments {
        [lease.job, lease.part.table.keyspace, lease.part.table.table, lease.part.range.start]
    }

    static func text(_ id: CQLUUID) -> String { "\(id)" }

    /// Whether a job is there, and the same.
    static func joins(_ job: JobDefinition, _ db: Database) throws -> Bool {
        let sql = "SELECT subject FROM jobs WHERE name = ?"
        guard let subject = try String.fetchOne(db, sql: sql, arguments: [job.name]) else { return false }
        guard subject == job.subject else { throw TokenRangesError.otherJob(job.name) }
        return true
    }

    static func check(_ job: String, _ db: Database) throws {
        let sql = "SELECT EXISTS (SELECT 1 FROM jobs WHERE name = ?)"
        guard try Bool.fetchOne(db, sql: sql, arguments: [job]) == true else { throw TokenRangesError.noSuchJob(job) }
    }

    static func insert(_ part: JobPart, of job: String, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO parts (job, keyspace_name, table_name, range_start, range_end, expected_bytes, checkpoint, \
                rows_done, bytes_done, attempts, beginnings, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'pending')
                """,
            arguments: [
                job, part.table.keyspace, part.table.table, part.range.start, part.range.end, part.expectedBytes,
                part.checkpoint, part.rowsDone, part.bytesDone, part.attempts, part.beginnings,
            ]
        )
    }

    /// The part that a lease is on.
    ///
    /// - Throws: ``TokenRangesError/Code/leaseLost`` where the lease has run out, or another one is on the part.
    static func held(_ lease: JobLease, now: Int64, _ db: Database) throws -> JobPart {
        let row = try GRDB.Row.fetchOne(
            db,
            sql: """
                SELECT * FROM parts WHERE job = ? AND keyspace_name = ? AND table_name = ? AND range_start = ? \
                AND lease = ? AND leased_until > ?
                """,
            arguments: Self.key(lease) + [Self.text(lease.id), now]
        )
        guard let row else { throw TokenRangesError.leaseLost(lease) }
        return Self.part(row, now: now)
    }

    static func part(_ row: GRDB.Row, now: Int64) -> JobPart {
        let (worker, until): (String?, Int64) = (row["worker"], row["leased_until"])
        let state: JobPart.State =
            switch row["state"] as String {
            case "done": .done
            case "failed": .failed(reason: row["reason"] ?? "")
            default: if let worker, until > now { .leased(worker: worker) } else { .pending }
            }
        return JobPart(
            table: TableName(keyspace: row["keyspace_name"], table: row["table_name"]),
            range: TokenRange(start: row["range_start"], end: row["range_end"]),
            expectedBytes: row["expected_bytes"],
            checkpoint: row["checkpoint"],
            rowsDone: row["rows_done"],
            bytesDone: row["bytes_done"],
            attempts: row["attempts"],
            beginnings: row["beginnings"],
            state: state
        )
    }
}
