public import CQLClient
public import CQLProtocol
import Synchronization

/// Jobs in keyspace `cluster_sync` of a cluster, for workers anywhere.
///
/// Parts lie in buckets (partitions), so that workers seldom meet in one. A lease is a cell with a TTL in its part's row, and all
/// that changes the row is conditional on the lease (`IF lease = …`), decided by Paxos at SERIAL. That is safe whatever the
/// nodes' clocks say: a clock that is ahead lets a lease run out early and a part be done twice, but as the new lease has
/// another id, or there is none, the former holder's words are refused. No clock of a worker counts. A TTL is in seconds, at
/// least 1.
public final class ClusterJobStore: JobStore {
    /// About how many parts a bucket has. Splitting makes it larger.
    static var partsPerBucket: Int { 128 }
    /// Parts in a page.
    static var pageSize: Int32 { 500 }
    /// How often a write is tried of which nobody knows what it did.
    static var triesMax: Int { 4 }
    /// Inserts at once while a job is created.
    static var insertsMax: Int { 64 }

    struct Plan: Sendable, Hashable {
        let id: CQLUUID
        let buckets: Int32
    }

    let session: CQLSession
    let statements: ClusterStatements
    /// Buckets of which all parts are done: nothing ever comes back there. Guarded by itself, a memory of this process alone.
    let finished = Mutex<Set<JobLease.Place>>([])

    /// A store in the cluster of a session; makes keyspace and tables where they are missing.
    ///
    /// - Parameter replication: of the keyspace, as a CQL map, if it has to be made; nil for three replicas in the data centre of
    ///   the node that is asked.
    /// - Throws: ``TokenRangesError``.
    public init(_ session: CQLSession, replication: String? = nil) async throws {
        self.session = session
        self.statements = try await Self.translating {
            try await ClusterTables.create(session, replication: replication)
            return try await ClusterStatements(session)
        }
    }

    // MARK: Jobs

    /// Creates a job, or joins it where it exists.
    public func create(
        _ job: JobDefinition,
        parts: @Sendable () async throws -> [JobPart]
    ) async throws -> Bool {
        if try await self.joins(job) { return false }
        let planned = try await parts()
        // Parts are written before anybody can see them. A worker that dies meanwhile leaves rows that nobody finds, and the next
        // one begins anew; of two who create at the same time, the one whose plan is published second joins the other.
        let buckets = Int32(clamping: max(1, (planned.count + Self.partsPerBucket - 1) / Self.partsPerBucket))
        let plan = Plan(id: .random(), buckets: buckets)
        return try await Self.translating {
            try await self.insert(planned, plan)
            _ = try? await self.apply(
                self.statements.insertJob,
                [.text(job.name), .text(job.subject), .text(JobCommand.run.rawValue)]
            )
            let values: [CQLValue] = [.uuid(plan.id), .int(buckets), .text(job.name), .text(job.subject)]
            for _ in 0..<Self.triesMax {
                do { _ = try await self.apply(self.statements.publish, values) } catch let error as CQLSessionError
                    where error.isTransient
                {}
                // Whatever the answer was: the row says whose plan it is.
                guard try await self.joins(job) else { continue }
                if try await self.plan(of: job.name) == plan { return true }
                try await self.remove(plan)
                return false
            }
            throw TokenRangesError(.storage, "the job \(job.name) cannot be published", isSafeToRetry: true)
        }
    }

    /// A job, also one whose plan is not published yet; nil where there is none.
    public func find(_ job: String) async throws -> JobDefinition? {
        try await Self.translating {
            guard case .text(let subject)? = try await self.jobRow(job)?.value("subject") else { return nil }
            return JobDefinition(name: job, subject: subject)
        }
    }

    /// All jobs by name.
    public func jobs() async throws -> [JobDefinition] {
        try await Self.translating {
            var jobs: [JobDefinition] = []
            let pages = self.session.pages(self.statements.jobs, pageSize: Self.pageSize, consistency: .quorum)
            for try await page in pages {
                for row in page {
                    guard case .text(let name) = try row.value("name"),
                        case .text(let subject) = try row.value("subject"),
                        case .uuid = try row.value("plan")
                    else { continue }
                    jobs.append(JobDefinition(name: name, subject: subject))
                }
            }
            return jobs.sorted { $0.name < $1.name }
        }
    }

    /// What the operator wants.
    public func command(of job: String) async throws -> JobCommand {
        try await Self.translating {
            guard let row = try await self.jobRow(job) else { throw TokenRangesError.noSuchJob(job) }
            guard case .text(let text) = try row.value("command"), let command = JobCommand(rawValue: text) else {
                throw TokenRangesError(.storage, "the store has a command that is not known")
            }
            return command
        }
    }

    /// Changes what the operator wants.
    public func setCommand(_ command: JobCommand, of job: String) async throws {
        try await Self.translating {
            let values: [CQLValue] = [.text(command.rawValue), .text(job)]
            guard try await self.apply(self.statements.setCommand, values) else {
                throw TokenRangesError.noSuchJob(job)
            }
        }
    }

    /// Makes all failed parts pending again.
    public func retryFailed(_ job: String) async throws -> Int {
        try await Self.translating {
            let plan = try await self.plan(of: job)
            var count = 0
            for bucket in 0..<plan.buckets {
                let place = JobLease.Place(plan: plan.id, bucket: bucket)
                for row in try await self.rows(place) {
                    guard case .failed = row.part.state else { continue }
                    if try await self.apply(self.statements.retry, Self.key(place, row.part)) { count += 1 }
                }
            }
            return count
        }
    }

    /// Forgets a job with its parts.
    public func remove(_ job: String) async throws {
        try await Self.translating {
            guard let row = try await self.jobRow(job) else { return }
            // First the name: parts that nobody finds do no harm.
            _ = try await self.apply(self.statements.removeJob, [.text(job)])
            if let plan = try Self.plan(row) { try await self.remove(plan) }
        }
    }

    /// All parts by table and token, as they are now.
    public func parts(of job: String) async throws -> [JobPart] {
        try await Self.translating {
            let plan = try await self.plan(of: job)
            var parts: [JobPart] = []
            for bucket in 0..<plan.buckets {
                parts += try await self.rows(JobLease.Place(plan: plan.id, bucket: bucket)).map(\.part)
            }
            return parts.sorted { $0.id < $1.id }
        }
    }

    /// The parts that a worker has at this moment.
    public func leases(of job: String) async throws -> [JobPart.ID: LeaseLeft] {
        try await Self.translating {
            let plan = try await self.plan(of: job)
            var leases: [JobPart.ID: LeaseLeft] = [:]
            for bucket in 0..<plan.buckets {
                let pages = self.session.pages(
                    self.statements.leases,
                    [.uuid(plan.id), .int(bucket)],
                    pageSize: Self.pageSize,
                    consistency: .quorum
                )
                for try await page in pages {
                    for row in page {
                        // What rests has a lease, but of no worker.
                        guard case .text(let worker) = try row.value("worker"),
                            case .int(let seconds) = try row.value("left"),
                            case .text(let keyspace) = try row.value("keyspace_name"),
                            case .text(let table) = try row.value("table_name"),
                            case .bigint(let start) = try row.value("range_start")
                        else { continue }
                        let id = JobPart.ID(table: TableName(keyspace: keyspace, table: table), start: start)
                        leases[id] = LeaseLeft(worker: worker, left: .seconds(seconds))
                    }
                }
            }
            return leases
        }
    }

    // MARK: Rows

    private func insert(_ parts: [JobPart], _ plan: Plan) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, part) in parts.enumerated() {
                if index >= Self.insertsMax { try await group.next() }
                let place = JobLease.Place(plan: plan.id, bucket: Int32(index % Int(plan.buckets)))
                group.addTask {
                    let values = Self.values(place, part)
                    try await self.session.execute(self.statements.insertPart, values, consistency: .quorum)
                }
            }
            try await group.waitForAll()
        }
    }

    private func remove(_ plan: Plan) async throws {
        for bucket in 0..<plan.buckets {
            let values: [CQLValue] = [.uuid(plan.id), .int(bucket)]
            try await self.session.execute(self.statements.removeBucket, values, consistency: .quorum)
        }
    }

    /// Whether a job is there, and the same; one that nobody has published yet is not there.
    private func joins(_ job: JobDefinition) async throws -> Bool {
        try await Self.translating {
            guard let row = try await self.jobRow(job.name) else { return false }
            guard try row.value("subject") == .text(job.subject) else { throw TokenRangesError.otherJob(job.name) }
            return try Self.plan(row) != nil
        }
    }

    private func jobRow(_ job: String) async throws -> Row? {
        try await self.session.execute(self.statements.job, [.text(job)], consistency: .serial).rows?.first
    }

    private static func plan(_ row: Row) throws -> Plan? {
        guard let id = try ClusterPartRow.uuid(row, "plan"), case .int(let buckets) = try row.value("buckets") else {
            return nil
        }
        return Plan(id: id, buckets: buckets)
    }

    /// What tells a job apart from one of the same name that was forgotten: whatever else belongs to it is kept under this id.
    ///
    /// - Throws: ``TokenRangesError`` where there is no such job.
    public func planID(of job: String) async throws -> CQLUUID {
        try await Self.translating { try await self.plan(of: job).id }
    }

    func plan(of job: String) async throws -> Plan {
        guard let row = try await self.jobRow(job), let plan = try Self.plan(row) else {
            throw TokenRangesError.noSuchJob(job)
        }
        return plan
    }

    /// The parts of a bucket. They may be a moment old: whatever is done about them is conditional.
    func rows(_ place: JobLease.Place) async throws -> [ClusterPartRow] {
        let values: [CQLValue] = [.uuid(place.plan), .int(place.bucket)]
        var rows: [ClusterPartRow] = []
        let pages = self.session.pages(
            self.statements.bucket,
            values,
            pageSize: Self.pageSize,
            consistency: .quorum
        )
        for try await page in pages { for row in page { rows.append(try ClusterPartRow(row)) } }
        return rows
    }

    /// Runs a conditional statement; whether its condition held.
    func apply(_ statement: CQLStatement, _ values: [CQLValue]) async throws -> Bool {
        Self.isApplied(try await self.session.execute(statement, values, consistency: .quorum))
    }

    static func isApplied(_ result: CQLResult) -> Bool {
        (try? result.rows?.first?.value("[applied]")) == .boolean(true)
    }

    static func key(_ place: JobLease.Place, _ part: JobPart) -> [CQLValue] {
        [
            .uuid(place.plan), .int(place.bucket), .text(part.table.keyspace), .text(part.table.table),
            .bigint(part.range.start),
        ]
    }

    static func values(_ place: JobLease.Place, _ part: JobPart) -> [CQLValue] {
        Self.key(place, part) + [
            .bigint(part.range.end), part.expectedBytes.map { .bigint($0) } ?? .null,
            part.checkpoint.map { .bigint($0) } ?? .null, .bigint(part.rowsDone), .bigint(part.bytesDone),
            .int(Int32(clamping: part.attempts)), .int(Int32(clamping: part.beginnings)),
        ]
    }

    /// Tells errors of the session as those of a store.
    static func translating<Result>(_ body: () async throws -> Result) async throws -> Result {
        do {
            return try await body()
        } catch let error as CQLSessionError {
            throw TokenRangesError(
                .storage,
                "cluster_sync: \(error.description)",
                isSafeToRetry: error.isTransient,
                underlying: error
            )
        } catch let error as CQLProtocolError {
            throw TokenRangesError(.storage, "cluster_sync has other columns than expected", underlying: error)
        }
    }
}
