public import CQLClient
public import CQLProtocol
import LiveTables
import Synchronization
import TokenRanges

/// Findings in keyspace `cluster_sync` of the target, which all workers of a job share, and the verdicts of comparisons that
/// ended.
///
/// Findings belong to a job's plan: those of a job that was forgotten and made anew are others. One that begins where an earlier
/// one does takes its place. Which of two that overlap counts is told by the time of the nodes, not of the workers: a range is
/// compared anew when its lease has run out at the earliest. Safe from any task.
public final class ClusterFindings: FindingStore {
    /// Partitions over which a plan's findings are spread.
    static var buckets: Int32 { 16 }
    /// Findings in a page.
    static var pageSize: Int32 { 200 }
    /// How often a write is tried; each of them may be made twice.
    static var triesMax: Int { 6 }

    static let tables = [
        """
        CREATE TABLE IF NOT EXISTS cluster_sync.reader_findings (
            plan uuid, bucket int, keyspace_name text, table_name text, range_start bigint, added timeuuid, finding text,
            PRIMARY KEY ((plan, bucket), keyspace_name, table_name, range_start))
        """,
        """
        CREATE TABLE IF NOT EXISTS cluster_sync.reader_verdicts (
            job text, ended timeuuid, keyspace_name text, table_name text, worker text, verdict text, reason text,
            rows_compared bigint, rows_different bigint, rows_undecided bigint, sampled double,
            PRIMARY KEY (job, ended, keyspace_name, table_name))
            WITH CLUSTERING ORDER BY (ended DESC, keyspace_name ASC, table_name ASC)
        """,
    ]

    private let session: CQLSession
    private let plan: CQLUUID
    private let samplesPerClassMax: Int
    private let insert, bucket, remove: CQLStatement
    private let recent: Mutex<RecentFindings>

    /// The findings of a plan; makes the tables where they are missing. The keyspace is there.
    ///
    /// - Parameter samplesPerClassMax: samples of each class that are remembered of each table.
    /// - Throws: `CQLSessionError`.
    public init(_ session: CQLSession, plan: CQLUUID, samplesPerClassMax: Int = 20) async throws {
        for table in Self.tables { try await session.query(table, isIdempotent: true) }
        self.session = session
        self.plan = plan
        self.samplesPerClassMax = samplesPerClassMax
        self.recent = Mutex(RecentFindings(samplesPerClassMax: samplesPerClassMax))
        self.insert = try await session.prepare(
            """
            INSERT INTO cluster_sync.reader_findings \
            (plan, bucket, keyspace_name, table_name, range_start, added, finding) VALUES (?, ?, ?, ?, ?, now(), ?)
            """,
            isIdempotent: true
        )
        self.bucket = try await session.prepare(
            "SELECT added, finding FROM cluster_sync.reader_findings WHERE plan = ? AND bucket = ?",
            isIdempotent: true
        )
        self.remove = try await session.prepare(
            "DELETE FROM cluster_sync.reader_findings WHERE plan = ? AND bucket = ?",
            isIdempotent: true
        )
    }

    /// Writes a finding; returns when most replicas have it.
    public func add(_ finding: Finding) async throws {
        let values: [CQLValue] = [
            .uuid(self.plan), .int(Self.bucket(of: finding.range)), .text(finding.table.keyspace),
            .text(finding.table.table), .bigint(finding.range.start), .text(finding.line),
        ]
        try await Self.write(self.session, self.insert, values)
        self.recent.withLock { $0.add(finding) }
    }

    /// All of them, of all workers, in the order in which they were added.
    public func findings() async throws -> [Finding] {
        var all: [(added: UInt64, finding: Finding)] = []
        for bucket in 0..<Self.buckets {
            let values: [CQLValue] = [.uuid(self.plan), .int(bucket)]
            let pages = self.session.pages(self.bucket, values, pageSize: Self.pageSize, consistency: .quorum)
            for try await page in pages {
                for row in page {
                    guard case .uuid(let id) = try row.value("added"),
                        case .text(let line) = try row.value("finding"), let finding = Finding(line: line)
                    else { continue }
                    all.append((Self.ticks(id), finding))
                }
            }
        }
        var known = KnownFindings(samplesPerClassMax: self.samplesPerClassMax)
        for (_, finding) in all.sorted(by: { $0.added < $1.added }) { known.add(finding) }
        return known.findings
    }

    /// All of them, of other workers as they were some seconds ago, or longer where reading them takes long: at most a twentieth
    /// of the time goes into looking at the progress.
    public func recentFindings() async throws -> [Finding] {
        let began = ContinuousClock.now
        if let findings = self.recent.withLock({ $0.begin(now: began) }) { return findings }
        do {
            let findings = try await self.findings()
            let now = ContinuousClock.now
            self.recent.withLock { $0.ended(findings, after: now - began, now: now) }
            return findings
        } catch {
            let now = ContinuousClock.now
            self.recent.withLock { $0.ended(nil, after: now - began, now: now) }
            throw error
        }
    }

    /// Forgets those of this plan.
    public func clear() async throws {
        for bucket in 0..<Self.buckets {
            try await Self.write(self.session, self.remove, [.uuid(self.plan), .int(bucket)])
        }
        self.recent.withLock { $0.clear() }
    }

    /// Spreads neighbours.
    private static func bucket(of range: TokenRange) -> Int32 {
        let mixed = UInt64(bitPattern: range.start) &* 0x9e37_79b9_7f4a_7c15
        return Int32(truncatingIfNeeded: mixed >> 60) % Self.buckets
    }

    /// The time of a timeuuid, in hundreds of nanoseconds (RFC 4122 §4.1.2).
    static func ticks(_ id: CQLUUID) -> UInt64 {
        (id.high & 0x0fff) << 48 | (id.high >> 16 & 0xffff) << 32 | id.high >> 32
    }

    // MARK: Verdicts

    /// Tells those who come later what came of a comparison, one row for each table; it is what this worker has seen at the end.
    ///
    /// - Throws: `CQLSessionError`.
    static func note(_ report: CompareReport, on session: CQLSession) async throws {
        let insert = try await session.prepare(
            """
            INSERT INTO cluster_sync.reader_verdicts (job, ended, keyspace_name, table_name, worker, verdict, reason, \
            rows_compared, rows_different, rows_undecided, sampled) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            isIdempotent: true
        )
        // One moment for all tables of the report, by the clock of the nodes.
        let now = try await session.query("SELECT now() FROM system.local", consistency: .one, isIdempotent: true)
        guard case .uuid(let ended)? = try now.rows?.first?.value(at: 0) else { return }
        for table in report.tables {
            let values: [CQLValue] = [
                .text(report.job), .uuid(ended), .text(table.name.keyspace), .text(table.name.table),
                .text(report.worker), .text(table.verdict.word), table.verdict.reason.map { .text($0) } ?? .null,
                .bigint(Int64(table.tally.rows)), .bigint(Int64(table.tally.rowsDifferent)),
                .bigint(Int64(table.tally.rowsUndecided)), .double(table.sampledPercentage),
            ]
            try await Self.write(session, insert, values)
        }
    }

    private static func write(_ session: CQLSession, _ statement: CQLStatement, _ values: [CQLValue]) async throws {
        let retries = RetryPolicy(attemptsMax: Self.triesMax)
        var attempt = 1
        while true {
            do {
                try await session.execute(statement, values, consistency: .quorum)
                return
            } catch let error as CQLSessionError {
                let random = Double.random(in: 0..<1)
                let verdict = retries.verdict(on: error, isIdempotent: true, attempt: attempt, random: random)
                guard case .again(let pause) = verdict else { throw error }
                try await Task.sleep(for: pause)
                attempt += 1
            }
        }
    }
}
