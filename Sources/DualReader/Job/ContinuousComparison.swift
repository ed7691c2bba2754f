public import Logging
public import NIOCore
import TokenRanges

/// Compares again and again: a round begins at each multiple of the interval, so that workers that share a store have the same
/// rounds; one that lasts longer is followed by the next one that begins behind its end.
public struct ContinuousComparison: Sendable {
    private let settings: CompareSettings
    private let interval: Duration
    private let worker: String
    private let group: any EventLoopGroup
    private let debt: any PartitionDebt
    private let dirty: any DirtySet
    private let logger: Logger

    /// Rounds of one comparison.
    ///
    /// - Parameter interval: at least one second.
    public init(
        _ settings: CompareSettings,
        every interval: Duration,
        worker: String,
        on group: any EventLoopGroup,
        debt: any PartitionDebt = NoDebt(),
        dirty: any DirtySet = NoDirtySet(),
        logger: Logger
    ) {
        self.settings = settings
        self.interval = max(.seconds(1), interval)
        self.worker = worker
        self.group = group
        self.debt = debt
        self.dirty = dirty
        self.logger = logger
    }

    /// What a round came to.
    public enum Round: Sendable {
        /// It ended.
        case ended(CompareReport)
        /// It could not be made, as where a cluster is away; the next one may be.
        case failed(String)
    }

    /// Runs rounds until the task is cancelled.
    ///
    /// - Parameters:
    ///   - began: given the job of each round, so that its progress can be asked for and it can be stopped.
    ///   - ended: told what each round came to.
    public func run(
        began: @Sendable @escaping (CompareJob) async -> Void = { _ in },
        ended: @Sendable (Round) async -> Void
    ) async throws {
        while true {
            try Task.checkCancellation()
            var settings = self.settings
            settings.job = "\(self.settings.job)@\(self.round)"
            do {
                let report = try await CompareJob.withJob(
                    settings,
                    worker: self.worker,
                    on: self.group,
                    debt: self.debt,
                    dirty: self.dirty,
                    logger: self.logger
                ) { job in
                    await began(job)
                    let report = try await job.run()
                    // Others may still be at its last parts; whoever is last forgets it.
                    if report.state == .ended { try await job.forget() }
                    return report
                }
                await ended(.ended(report))
            } catch let error as CancellationError {
                throw error
            } catch {
                try Task.checkCancellation()
                await ended(.failed("\(error)"))
            }
            try await Task.sleep(for: .milliseconds(self.millisecondsUntilNext))
        }
    }

    private var intervalMilliseconds: Int64 { max(1, self.interval.components.seconds) * 1_000 }
    private var round: Int64 { SQLiteJobStore.wallClock() / self.intervalMilliseconds }
    private var millisecondsUntilNext: Int64 {
        self.intervalMilliseconds - SQLiteJobStore.wallClock() % self.intervalMilliseconds
    }
}
