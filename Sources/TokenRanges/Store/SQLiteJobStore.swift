import CQLProtocol
import GRDB

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Jobs in a SQLite file, for the workers of one machine; several processes may have it open.
///
/// Whether a lease has run out is judged by the machine's wall clock, which all processes of a file share. A commit that is lost
/// with the machine's power costs the work since the one before it, never more.
public final class SQLiteJobStore: JobStore {
    /// How long a process waits for the others' transactions, in seconds.
    static var busySeconds: Double { 10 }

    private let path: String
    private let pool: DatabasePool
    private let now: @Sendable () -> Int64

    /// Opens a file, or makes one.
    ///
    /// - Parameter now: milliseconds since 1970.
    /// - Throws: ``TokenRangesError`` where the file cannot be opened, or is something else.
    public init(path: String, now: @escaping @Sendable () -> Int64 = SQLiteJobStore.wallClock) throws(TokenRangesError)
    {
        self.now = now
        self.path = path
        var configuration = Configuration()
        configuration.busyMode = .timeout(Self.busySeconds)
        do {
            self.pool = try DatabasePool(path: path, configuration: configuration)
            try self.pool.writeWithoutTransaction { db in
                try db.inTransaction(.immediate) {
                    for statement in SQLiteTables.statements { try db.execute(sql: statement) }
                    return .commit
                }
            }
        } catch {
            throw Self.failure(error, path)
        }
    }

    /// The machine's wall clock: milliseconds since 1970.
    public static func wallClock() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }

    // MARK: Jobs

    /// Creates a job, or joins it where it exists.
    public func create(
        _ job: JobDefinition,
        parts: @Sendable () async throws -> [JobPart]
    ) async throws -> Bool {
        if try await self.read({ try SQLiteTables.joins(job, $0) }) { return false }
        // Planning takes time, which no transaction should. Somebody else may have made the job when it is over.
        let planned = try await parts()
        return try await self.write { db in
            if try SQLiteTables.joins(job, db) { return false }
            try db.execute(
                sql: "INSERT INTO jobs (name, subject, command) VALUES (?, ?, ?)",
                arguments: [job.name, job.subject, JobCommand.run.rawValue]
            )
            for part in planned { try SQLiteTables.insert(part, of: job.name, db) }
            return true
        }
    }

    /// A job; nil where there is none.
    public func find(_ job: String) async throws -> JobDefinition? {
        try await self.read { db in
            try String.fetchOne(db, sql: "SELECT subject FROM jobs WHERE name = ?", arguments: [job])
                .map { JobDefinition(name: job, subject: $0) }
        }
    }

    /// All jobs by name.
    public func jobs() async throws -> [JobDefinition] {
        try await self.read { db in
            try GRDB.Row.fetchAll(db, sql: "SELECT name, subject FROM jobs ORDER BY name").map {
                JobDefinition(name: $0["name"], subject: $0["subject"])
            }
        }
    }

    /// What the operator wants.
    public func command(of job: String) async throws -> JobCommand {
        try await self.read { db in
            let text = try String.fetchOne(db, sql: "SELECT command FROM jobs WHERE name = ?", arguments: [job])
            guard let text else { throw TokenRangesError.noSuchJob(job) }
            guard let command = JobCommand(rawValue: text) else {
                throw TokenRangesError(.storage, "the store has a command that is not known: \(text)")
            }
            return command
        }
    }

    /// Changes what the operator wants.
    public func setCommand(_ command: JobCommand, of job: String) async throws {
        try await self.write { db in
            try db.execute(sql: "UPDATE jobs SET command = ? WHERE name = ?", arguments: [command.rawValue, job])
            guard db.changesCount == 1 else { throw TokenRangesError.noSuchJob(job) }
        }
    }

    /// Makes all failed parts pending again.
    public func retryFailed(_ job: String) async throws -> Int {
        try await self.write { db in
            try SQLiteTables.check(job, db)
            try db.execute(
                sql: """
                    UPDATE parts SET state = 'pending', reason = NULL, attempts = 0 WHERE job = ? AND state = 'failed'
                    """,
                arguments: [job]
            )
            return db.changesCount
        }
    }

    /// Forgets a job with its parts.
    public func remove(_ job: String) async throws {
        try await self.write { db in
            try db.execute(sql: "DELETE FROM parts WHERE job = ?", arguments: [job])
            try db.execute(sql: "DELETE FROM jobs WHERE name = ?", arguments: [job])
        }
    }

    /// All parts by table and token, as they are now.
    public func parts(of job: String) async throws -> [JobPart] {
        let now = self.now()
        return try await self.read { db in
            try SQLiteTables.check(job, db)
            let rows = try GRDB.Row.fetchAll(db, sql: "SELECT * FROM parts WHERE job = ?", arguments: [job])
            return rows.map { SQLiteTables.part($0, now: now) }.sorted { $0.id < $1.id }
        }
    }

    /// The parts that a worker has at this moment.
    public func leases(of job: String) async throws -> [JobPart.ID: LeaseLeft] {
        let now = self.now()
        return try await self.read { db in
            try SQLiteTables.check(job, db)
            let sql = """
                SELECT * FROM parts WHERE job = ? AND state = 'pending' AND worker IS NOT NULL AND leased_until > ?
                """
            var leases: [JobPart.ID: LeaseLeft] = [:]
            for row in try GRDB.Row.fetchAll(db, sql: sql, arguments: [job, now]) {
                let until: Int64 = row["leased_until"]
                leases[SQLiteTables.part(row, now: now).id] = LeaseLeft(
                    worker: row["worker"],
                    left: .milliseconds(until - now)
                )
            }
            return leases
        }
    }

    // MARK: Leases

    /// Gives a worker a part that is pending.
    public func lease(_ job: String, worker: String, for duration: Duration) async throws -> LeaseAnswer {
        let (now, id) = (self.now(), CQLUUID.random())
        return try await self.write { db in
            try SQLiteTables.check(job, db)
            let row = try GRDB.Row.fetchOne(
                db,
                sql: """
                    SELECT * FROM parts WHERE job = ? AND state = 'pending' AND leased_until <= ? \
                    ORDER BY attempts, keyspace_name, table_name, range_start LIMIT 1
                    """,
                arguments: [job, now]
            )
            guard let row else {
                let open = try Bool.fetchOne(
                    db,
                    sql: "SELECT EXISTS (SELECT 1 FROM parts WHERE job = ? AND state = 'pending')",
                    arguments: [job]
                )
                return open == true ? .nothingNow : .allEnded
            }
            var part = SQLiteTables.part(row, now: now)
            part.attempts += 1
            part.beginnings += 1
            part.state = .leased(worker: worker)
            let lease = JobLease(id: id, job: job, worker: worker, part: part, place: .init())
            try db.execute(
                sql: """
                    UPDATE parts SET lease = ?, worker = ?, leased_until = ?, attempts = ?, beginnings = ? \
                    WHERE job = ? AND keyspace_name = ? AND table_name = ? AND range_start = ?
                    """,
                arguments: [
                    SQLiteTables.text(id), worker, now + duration.millisecondsRoundedUp, part.attempts, part.beginnings,
                ] + SQLiteTables.key(lease)
            )
            return .leased(lease)
        }
    }

    /// Lets a lease last for some time from now on.
    public func renew(_ lease: JobLease, for duration: Duration) async throws {
        let until = self.now() + duration.millisecondsRoundedUp
        try await self.update(lease, "leased_until = ?", [until])
    }

    /// Moves a part's checkpoint.
    public func checkpoint(_ lease: JobLease, at token: Int64, rows: Int64, bytes: Int64) async throws {
        let values: StatementArguments = [token, rows, bytes]
        try await self.update(lease, "checkpoint = ?, rows_done = ?, bytes_done = ?, attempts = 1", values)
    }

    /// Ends a part as done.
    public func finish(_ lease: JobLease, rows: Int64, bytes: Int64) async throws {
        let values: StatementArguments = [rows, bytes]
        try await self.end(lease, "state = 'done', checkpoint = range_end, rows_done = ?, bytes_done = ?", values)
    }

    /// Ends a part as failed.
    public func fail(_ lease: JobLease, reason: String) async throws {
        try await self.end(lease, "state = 'failed', reason = ?", [reason])
    }

    /// Ends a lease; the part is pending again.
    public func giveBack(_ lease: JobLease, after delay: Duration, attempts: Int) async throws {
        // A part that rests is leased by nobody until then.
        let until = delay > .zero ? self.now() + delay.millisecondsRoundedUp : 0
        try await self.end(lease, "attempts = ?", [attempts], restUntil: until)
    }

    /// Cuts what is left of a part in pieces.
    public func split(_ lease: JobLease, into count: Int) async throws -> JobLease? {
        let now = self.now()
        return try await self.write { db in
            let part = try SQLiteTables.held(lease, now: now, db)
            guard let (kept, others) = part.split(into: count, attempts: lease.part.attempts) else { return nil }
            try db.execute(
                sql: """
                    UPDATE parts SET range_end = ?, expected_bytes = ?, beginnings = ? \
                    WHERE job = ? AND keyspace_name = ? AND table_name = ? AND range_start = ?
                    """,
                arguments: [kept.range.end, kept.expectedBytes, kept.beginnings] + SQLiteTables.key(lease)
            )
            for other in others { try SQLiteTables.insert(other, of: lease.job, db) }
            var lease = lease
            lease.part = kept
            return lease
        }
    }

    /// Ends a lease with a change. What was ended by the same lease before is as it should be.
    private func end(
        _ lease: JobLease,
        _ changes: String,
        _ values: StatementArguments,
        restUntil: Int64 = 0
    ) async throws {
        let id = SQLiteTables.text(lease.id)
        let isRepeated = try await self.read { db in
            let sql = """
                SELECT EXISTS (SELECT 1 FROM parts WHERE job = ? AND keyspace_name = ? AND table_name = ? \
                AND range_start = ? AND ended_by = ?)
                """
            return try Bool.fetchOne(db, sql: sql, arguments: SQLiteTables.key(lease) + [id]) == true
        }
        if isRepeated { return }
        let ending = "lease = NULL, worker = NULL, leased_until = ?, ended_by = ?, "
        try await self.update(lease, ending + changes, [restUntil, id] + values)
    }

    private func update(_ lease: JobLease, _ assignments: String, _ values: StatementArguments) async throws {
        let now = self.now()
        try await self.write { db in
            _ = try SQLiteTables.held(lease, now: now, db)
            try db.execute(
                sql: """
                    UPDATE parts SET \(assignments) \
                    WHERE job = ? AND keyspace_name = ? AND table_name = ? AND range_start = ?
                    """,
                arguments: values + SQLiteTables.key(lease)
            )
        }
    }

    // MARK: The file

    /// A transaction that is the only one from its begin: one that began by reading could not go on to write where another
    /// process has written meanwhile.
    private func write<Result: Sendable>(_ body: @Sendable @escaping (Database) throws -> Result) async throws -> Result
    {
        do {
            return try await self.pool.writeWithoutTransaction { db in
                var result: Result?
                try db.inTransaction(.immediate) {
                    result = try body(db)
                    return .commit
                }
                guard let result else { throw TokenRangesError(.storage, "a transaction has no result") }
                return result
            }
        } catch {
            throw self.translated(error)
        }
    }

    private func read<Result: Sendable>(_ body: @Sendable @escaping (Database) throws -> Result) async throws -> Result
    {
        do {
            return try await self.pool.read(body)
        } catch {
            throw self.translated(error)
        }
    }

    private func translated(_ error: any Error) -> any Error {
        error is TokenRangesError || error is CancellationError ? error : Self.failure(error, self.path)
    }

    /// What another process does passes. A disk that is full stays so until somebody makes room: a worker that went on would
    /// load what it cannot remember, and look alive for ever. It says so and ends; the file is whole, and a start goes on there.
    private static func failure(_ error: any Error, _ path: String) -> TokenRangesError {
        guard let error = error as? DatabaseError else {
            return TokenRangesError(.storage, "the job's file '\(path)' cannot be used: \(error)", underlying: error)
        }
        // A quota and a limit of a file's size are errors of input and output to SQLite.
        let mayBeFull = error.resultCode == .SQLITE_FULL || error.extendedResultCode == .SQLITE_IOERR_WRITE
        let hint = mayBeFull ? "; make room on its disk, or raise its quota" : ""
        let isTransient = [.SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_NOMEM].contains(error.resultCode)
        return TokenRangesError(
            .storage,
            "the job's file '\(path)' cannot be used: SQLite: \(error.extendedResultCode)\(hint)",
            isSafeToRetry: isTransient,
            underlying: error
        )
    }
}
