import CQLClient
import LiveTables
public import Logging
public import NIOCore
import SSTable
public import TokenRanges

/// How a worker's run ended, and what the job has come to.
public enum LoadEnd: Sendable, Hashable {
    /// Everything has arrived.
    case complete(LoadStatus)
    /// Nobody will do more, and not everything has arrived; the status says what.
    case incomplete(LoadStatus)
    /// The operator's command was `stop`.
    case stopped(LoadStatus)

    /// What the job has come to.
    public var status: LoadStatus {
        switch self {
        case .complete(let status), .incomplete(let status), .stopped(let status): status
        }
    }
}

/// A worker of a job: makes it or joins it, and loads parts of it until nobody has any left.
///
/// Any number of workers may have one job, in one process or in many; they find each other by its name in its store. Safe from
/// any task.
public final class LoadJob: Sendable {
    /// What the job is to do.
    public let settings: LoadSettings
    /// What there was to be done when this worker came. Parts are those that the first worker made.
    public let plan: LoadPlan
    /// This worker's name.
    public let worker: String

    let store: any JobStore
    let sessions: LoadSessions
    let tables: OpenTables
    let letters: DeadLetters
    let prepared = PreparedTexts()
    let meter = LoadMeter()
    let pace: TargetPace
    /// When the job began, in microseconds since 1970.
    let began: Int64
    let logger: Logger
    private let start = ContinuousClock.now

    private init(
        _ settings: LoadSettings,
        _ made: LoadPlanner.Made,
        worker: String,
        store: any JobStore,
        sessions: LoadSessions,
        letters: DeadLetters,
        began: Int64,
        logger: Logger
    ) {
        self.settings = settings
        self.plan = made.plan
        self.worker = worker
        self.store = store
        self.sessions = sessions
        let opener = TableOpener(
            settings: settings,
            source: sessions.source,
            target: sessions.target,
            folders: made.folders
        )
        self.tables = OpenTables(opener, tablesMax: 2 * settings.runner.concurrency)
        self.letters = letters
        self.pace = TargetPace(settings)
        self.began = began
        self.logger = logger
    }

    // MARK: Beginning

    /// What a job would do. Nothing is written, neither to a cluster nor to a file.
    ///
    /// - Throws: where the source as a whole cannot be read, or a cluster does not answer.
    public static func plan(
        _ settings: LoadSettings,
        on group: any EventLoopGroup,
        logger: Logger
    ) async throws -> LoadPlan {
        try await LoadSessions.with(settings, usesStore: false, on: group, logger: logger) { sessions in
            try await LoadPlanner(settings, source: sessions.source, target: sessions.target).made().plan
        }
    }

    /// Connects, makes the job or joins it, runs `body`, and closes whatever happens.
    ///
    /// - Parameters:
    ///   - worker: this worker's name. A worker that comes back under its name goes on with its file of dead letters; two at a
    ///     time must not have the same.
    ///   - group: where the sessions have their event loops.
    /// - Throws: ``LoadError``, ``TokenRangesError`` of the store, ``CQLSessionError`` where a cluster does not answer,
    ///   ``SSTableError`` where a path names nothing, and what `body` throws.
    public static func withJob<Result: Sendable>(
        _ settings: LoadSettings,
        worker: String,
        on group: any EventLoopGroup,
        logger: Logger,
        _ body: @Sendable @escaping (LoadJob) async throws -> Result
    ) async throws -> Result {
        try await LoadSessions.with(settings, usesStore: true, on: group, logger: logger) { sessions in
            var made = try await LoadPlanner(settings, source: sessions.source, target: sessions.target).made()
            if let reason = made.plan.whyNothing {
                throw LoadError(.nothingToLoad, "there is nothing to load: \(reason)")
            }
            let letters = try Self.letters(settings, worker)
            let reason =
                "dead letters of an earlier run, or of another worker, are in it: see to them, and move it away"
            made.plan.problems += Self.filesOfLetters(settings).map { LoadPlan.Notice(what: $0, reason: reason) }
            let store: any JobStore
            switch settings.store {
            case .sqlite(let path): store = try SQLiteJobStore(path: path)
            case .target(let replication):
                store = try await ClusterJobStore(sessions.store ?? sessions.target, replication: replication)
            }
            let job = LoadJob(
                settings,
                made,
                worker: worker,
                store: store,
                sessions: sessions,
                letters: letters,
                began: try await Self.join(settings, store, made.parts),
                logger: logger
            )
            return try await body(job)
        }
    }

    /// Others may make the job at the same moment; then this worker joins theirs, once it sees it.
    private static var joinsMax: Int { 3 }

    /// Makes the job or joins it.
    ///
    /// - Returns: When it began, in microseconds since 1970.
    private static func join(_ settings: LoadSettings, _ store: any JobStore, _ parts: [JobPart]) async throws -> Int64
    {
        let own = LoadSubject(settings, began: SQLiteJobStore.wallClock() * 1_000)
        for _ in 0..<Self.joinsMax {
            var subject = own
            if let there = try await store.find(settings.job) {
                guard let known = LoadSubject(there.subject), known.meaning == own.meaning else { break }
                subject = known
            }
            do {
                _ = try await store.create(JobDefinition(name: settings.job, subject: subject.text)) { parts }
                return subject.began
            } catch let error as TokenRangesError where error.code == .otherJob {}
        }
        throw LoadError(
            .otherJob,
            "there is a job \(settings.job) that does something else: other tables, another source or target, another ceiling or "
                + "other options. Give this one another name, or forget that one"
        )
    }

    /// A name as a part of a file's name.
    private static func plain(_ name: String) -> String {
        String(
            name.map { character in
                character.isASCII && (character.isLetter || character.isNumber || "-._".contains(character))
                    ? character : "_"
            }
        )
    }

    /// The job's files of dead letters that hold any, whichever worker has left them.
    private static func filesOfLetters(_ settings: LoadSettings) -> [String] {
        let prefix = Self.plain(settings.job) + "-"
        return SystemCalls.names(in: settings.deadLetterFolder).names.filter { name in
            name.hasPrefix(prefix) && name.contains(".jsonl")
        }.sorted().map { "\(settings.deadLetterFolder)/\($0)" }.filter { path in
            (try? DurableFile(path).size).map { $0 > 0 } ?? true
        }
    }

    private static func letters(_ settings: LoadSettings, _ worker: String) throws -> DeadLetters {
        let name = Self.plain("\(settings.job)-\(worker)")
        do {
            try DurableFile.makeFolder(settings.deadLetterFolder)
            let path = "\(settings.deadLetterFolder)/\(name).jsonl"
            return try DeadLetters(path: path, limits: settings.deadLetterLimits)
        } catch {
            throw LoadError(.folder, "the folder of the dead letters cannot be used: \(error)")
        }
    }

    // MARK: Running

    /// Loads parts until all are done or failed, or the command is `stop`. A job that is paused waits.
    ///
    /// - Throws: `CancellationError` where the task is cancelled, with everything given back for others to go on with;
    ///   ``TokenRangesError`` where the job was forgotten or its store is damaged.
    public func run() async throws -> LoadEnd {
        let runner = JobRunner(
            store: self.store,
            job: self.settings.job,
            worker: self.worker,
            settings: self.settings.runner,
            clock: ContinuousClock(),
            logger: self.logger
        )
        let isStopped = try await withThrowingTaskGroup(of: Bool?.self) { group in
            defer { group.cancelAll() }
            group.addTask { try await runner.run { try await self.load($0, $1) } == .stopped }
            group.addTask {
                await self.sample()
                return nil
            }
            while let result = try await group.next() { if let result { return result } }
            throw CancellationError()
        }
        let status = try await self.status()
        if isStopped, !status.isEnded { return .stopped(status) }
        return status.state == .complete ? .complete(status) : .incomplete(status)
    }

    /// Looks at the progress from time to time, so that a speed is known to whoever asks. A store that does not answer is asked
    /// again the next time.
    private func sample() async {
        while !Task.isCancelled {
            _ = try? await self.status()
            try? await Task.sleep(for: self.settings.sampleInterval)
        }
    }

    /// How the job is at this moment.
    public func status() async throws -> LoadStatus {
        let parts = try await self.store.parts(of: self.settings.job)
        let command = try await self.store.command(of: self.settings.job)
        let progress = JobProgress(parts)
        let passed = (ContinuousClock.now - self.start).components
        let now = passed.seconds * 1_000_000_000 + passed.attoseconds / 1_000_000_000
        return LoadStatus(
            job: self.settings.job,
            command: command,
            parts: parts,
            progress: progress,
            speed: self.meter.speed(progress.total, now: now),
            worker: LoadStatus.Worker(
                name: self.worker,
                tallies: self.meter.tallies,
                errors: self.meter.failures,
                pace: self.pace.reading,
                deadLetters: self.letters.count,
                deadLetterPath: self.letters.path,
                problems: self.plan.problems
            )
        )
    }

    // MARK: Others

    /// Whether other workers are at work, asked when this one has given its parts back.
    ///
    /// What a dead worker held looks like a live one's until its leases have run out. Where there is nothing else, that is waited
    /// for: no longer than the leases last, and the log says so. Where the store does not answer, nobody is known to be at work.
    public func othersAreAtWork() async -> Bool {
        var watch = LeaseWatch()
        let start = ContinuousClock.now
        var isTold = false
        while let leases = try? await self.store.leases(of: self.settings.job) {
            switch watch.saw(leases, after: ContinuousClock.now - start) {
            case .nobody: return false
            case .somebody: return true
            case .unclear(let atMost):
                if !isTold {
                    let workers = Set(leases.values.map(\.worker)).sorted()
                    self.logger.notice(
                        "waiting to see whether other workers are alive; if not, this one brings the indexes back",
                        metadata: [
                            "workers": "\(workers.joined(separator: ", "))", "parts": "\(leases.count)",
                            "at_most": "\(atMost)",
                        ]
                    )
                    isTold = true
                }
            }
            let runner = self.settings.runner
            do { try await Task.sleep(for: min(runner.pollInterval, runner.leaseDuration / 6)) } catch { return false }
        }
        return false
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

    /// Forgets the job and all that is known of its progress; workers that still have it end with an error.
    public func forget() async throws { try await self.store.remove(self.settings.job) }

    /// How fast this worker may go. It may be changed while it works.
    public var rates: RateLimits {
        get { self.pace.limits }
        set { self.pace.limits = newValue }
    }
}
