import CQLClient
import LiveTables
public import Logging
public import NIOCore
import Synchronization
public import TokenRanges

/// A worker of a comparison: makes the job or joins it, and compares parts of it until nobody has any left.
///
/// Any number of workers may have one job, in one process or in many; they find each other by its name in its store. Safe from
/// any task.
public final class CompareJob: Sendable {
    /// What the job is to do.
    public let settings: CompareSettings
    /// What there is to be compared.
    public let plan: ComparePlan
    /// This worker's name.
    public let worker: String

    let store: any JobStore
    let planner: ComparePlanner
    let debt: any PartitionDebt
    let dirtySet: any DirtySet
    let findings: any FindingStore
    let repairs: RepairReport
    let prepared = (source: PreparedTexts(), target: PreparedTexts())
    let pace: (source: RateLimiter<ContinuousClock>, target: RateLimiter<ContinuousClock>)
    /// The seed of this worker's digests.
    let seed = UInt64.random(in: .min ... .max)
    /// Ids of the nodes of the cluster that a peer answers for; none where there is no peer.
    let farHosts: Set<String>
    let logger: Logger
    let pairs: Mutex<[TableName: TablePair]>
    let dirty = Mutex(CompareReport.Dirty())
    private let meter = Mutex(ProgressMeter())
    private let start = ContinuousClock.now

    private init(
        _ planner: ComparePlanner,
        _ made: ComparePlanner.Made,
        worker: String,
        store: any JobStore,
        files: (findings: any FindingStore, repairs: RepairReport),
        debt: any PartitionDebt,
        dirty: any DirtySet,
        farHosts: Set<String>,
        logger: Logger
    ) {
        self.farHosts = farHosts
        self.settings = planner.settings
        self.planner = planner
        self.plan = made.plan
        self.pairs = Mutex(made.pairs)
        self.worker = worker
        self.store = store
        (self.findings, self.repairs) = files
        self.debt = debt
        self.dirtySet = dirty
        self.pace = (
            RateLimiter(planner.settings.rates, clock: ContinuousClock()),
            RateLimiter(planner.settings.rates, clock: ContinuousClock())
        )
        self.logger = logger
    }

    /// Connects, makes the job or joins it, runs `body`, and closes whatever happens.
    ///
    /// - Parameters:
    ///   - worker: this worker's name; it goes on with its files where it comes back. Two at a time must not have the same.
    ///   - group: where the sessions have their event loops.
    ///   - debt: what the dual writer still owes.
    ///   - dirty: the partitions that are uncertain.
    ///   - findings: what all workers of the job share; nil for a file of this worker, which is enough where it is the only
    ///     one, or, where the job is in `cluster_sync`, for ``ClusterFindings`` beside it.
    /// - Throws: ``CompareError``, ``DigestError`` where the peer is required and cannot be asked, ``TokenRangesError`` of the
    ///   store, `CQLSessionError` where a cluster does not answer, and what `body` throws.
    public static func withJob<Result: Sendable>(
        _ settings: CompareSettings,
        worker: String,
        on group: any EventLoopGroup,
        debt: any PartitionDebt = NoDebt(),
        dirty: any DirtySet = NoDirtySet(),
        findings: (any FindingStore)? = nil,
        logger: Logger,
        _ body: @Sendable @escaping (CompareJob) async throws -> Result
    ) async throws -> Result {
        let (ofSource, ofTarget) = (settings.sourceSession, settings.targetSession)
        return try await CQLSession.withSession(settings.source, limits: ofSource, on: group.next(), logger: logger) {
            source in
            try await CQLSession.withSession(settings.target, limits: ofTarget, on: group.next(), logger: logger) {
                target in
                let planner = ComparePlanner(settings: settings, source: source, target: target)
                let made = try await planner.made()
                let farHosts = try await Self.meet(settings.peering, source, target, logger)
                let files = try Self.files(settings, worker)
                let (store, kept) = try await Self.store(settings, made.parts, target, (findings, files.findings))
                let job = CompareJob(
                    planner,
                    made,
                    worker: worker,
                    store: store,
                    files: (kept, files.repairs),
                    debt: debt,
                    dirty: dirty,
                    farHosts: farHosts,
                    logger: logger
                )
                return try await body(job)
            }
        }
    }

    /// Makes the job or joins it; with it come its findings.
    private static func store(
        _ settings: CompareSettings,
        _ parts: [JobPart],
        _ target: CQLSession,
        _ findings: (shared: (any FindingStore)?, own: any FindingStore)
    ) async throws -> (any JobStore, any FindingStore) {
        let definition = JobDefinition(name: settings.job, subject: CompareSubject(settings).text)
        do {
            switch settings.store {
            case .sqlite(let path):
                let store = try SQLiteJobStore(path: path)
                // What is in the file is of a job of this name that was forgotten.
                let kept = findings.shared ?? findings.own
                if try await store.create(definition, parts: { parts }) { try await kept.clear() }
                return (store, kept)
            case .target(let replication):
                let store = try await ClusterJobStore(target, replication: replication)
                let isMade = try await store.create(definition) { parts }
                if let shared = findings.shared {
                    if isMade { try await shared.clear() }
                    return (store, shared)
                }
                let plan = try await store.planID(of: settings.job)
                let samples = settings.samplesPerClassMax
                return (store, try await ClusterFindings(target, plan: plan, samplesPerClassMax: samples))
            }
        } catch let error as TokenRangesError where error.code == .otherJob {
            throw CompareError(
                .otherJob,
                "there is a job \(settings.job) that does something else. Give this one another name, or forget that one"
            )
        }
    }

    private static func files(_ settings: CompareSettings, _ worker: String) throws -> (
        findings: FindingFile, repairs: RepairReport
    ) {
        let name = String(
            "\(settings.job)-\(worker)".map { character in
                character.isASCII && (character.isLetter || character.isNumber || "-._".contains(character))
                    ? character : "_"
            }
        )
        do { try DurableFile.makeFolder(settings.folder) } catch {
            throw CompareError(.folder, "the folder of findings cannot be used: \(error)")
        }
        return (
            try FindingFile(
                path: "\(settings.folder)/\(name).findings.jsonl",
                samplesPerClassMax: settings.samplesPerClassMax
            ),
            try RepairReport(path: "\(settings.folder)/\(name).repairs.jsonl", rotation: settings.repairFile)
        )
    }

    // MARK: Running

    /// Compares the dirty partitions, then parts until all are done or failed, or the command is `stop`. A job that is paused
    /// waits.
    ///
    /// - Throws: `CancellationError` where the task is cancelled, with everything given back for others to go on with;
    ///   ``TokenRangesError`` where the job was forgotten or its store is damaged.
    public func run() async throws -> CompareReport {
        for table in self.plan.tables { try await self.compareDirty(table.name) }
        let runner = JobRunner(
            store: self.store,
            job: self.settings.job,
            worker: self.worker,
            settings: self.settings.runner,
            clock: ContinuousClock(),
            logger: self.logger
        )
        try await withThrowingTaskGroup(of: Bool.self) { group in
            defer { group.cancelAll() }
            group.addTask {
                _ = try await runner.run { try await self.compare($0, $1) }
                return true
            }
            group.addTask {
                while !Task.isCancelled {
                    _ = try? await self.progress()
                    try? await Task.sleep(for: self.settings.sampleInterval)
                }
                return false
            }
            while let isDone = try await group.next() { if isDone { return } }
        }
        let report = try await self.report()
        if report.state == .ended, case .target = self.settings.store {
            do { try await ClusterFindings.note(report, on: self.planner.target) } catch let error as CQLSessionError {
                self.logger.warning("the verdict is not in the history", metadata: ["reason": "\(error)"])
            }
        }
        return report
    }

    /// How the job is at this moment, with everything that its workers have found.
    public func report() async throws -> CompareReport { try await self.report(self.findings.findings) }

    /// How far the job is. What other workers have found may be some seconds old, so that it may be asked for often.
    public func progress() async throws -> CompareReport { try await self.report(self.findings.recentFindings) }

    private func report(_ findings: () async throws -> [Finding]) async throws -> CompareReport {
        let parts = try await self.store.parts(of: self.settings.job)
        let command = try await self.store.command(of: self.settings.job)
        let progress = JobProgress(parts)
        let passed = (ContinuousClock.now - self.start).components
        let now = passed.seconds * 1_000_000_000 + passed.attoseconds / 1_000_000_000
        let speed = self.meter.withLock { meter in
            meter.note(progress.total, now: now)
            return meter.speed
        }
        return CompareReport.make(
            job: self.settings.job,
            worker: self.worker,
            command: command,
            parts: parts,
            plan: self.plan,
            findings: try await findings(),
            dirty: self.dirty.withLock { $0 },
            speed: speed,
            settings: self.settings,
            repairReportPath: self.repairs.path
        )
    }

    // MARK: Commands

    /// Lets all workers give their parts back and wait.
    public func pause() async throws { try await self.store.setCommand(.pause, of: self.settings.job) }

    /// Lets all workers work, after a pause or before they are started again after a stop.
    public func resume() async throws { try await self.store.setCommand(.run, of: self.settings.job) }

    /// Lets all workers give their parts back and end.
    public func stop() async throws { try await self.store.setCommand(.stop, of: self.settings.job) }

    /// Lets failed parts be begun again behind their checkpoints.
    ///
    /// - Returns: How many there were.
    public func retryFailed() async throws -> Int { try await self.store.retryFailed(self.settings.job) }

    /// Forgets the job, its progress and its findings; workers that still have it end with an error.
    public func forget() async throws {
        try await self.store.remove(self.settings.job)
        try await self.findings.clear()
    }

    /// How fast this worker may read each cluster. It may be changed while it works.
    public var rates: RateLimits {
        get { self.pace.source.limits }
        set {
            self.pace.source.set(newValue)
            self.pace.target.set(newValue)
        }
    }

    /// Repairs the row of one difference, whatever the job's own policy is.
    ///
    /// - Throws: ``CompareError`` where there is no such table or a cluster refuses a statement; `CQLSessionError`.
    public func repair(_ difference: Difference, with settings: RepairSettings) async throws -> RepairOutcome {
        let pair = try await self.pair(difference.table)
        let outcome = try await self.repairer(pair, settings).repair(difference.place)
        try self.repairs.sync()
        return outcome
    }
}
