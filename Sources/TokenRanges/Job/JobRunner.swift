public import Logging

/// A worker: takes parts of a job, several at once, and lets them be worked on until nobody has any left.
///
/// Leases are renewed while the work goes on, what dead workers held is taken over, and a worker that is paused, stopped or
/// cancelled cancels its work and gives its leases back. The store may be away for a while: work goes on as long as leases last.
public struct JobRunner<Time: Clock>: Sendable where Time.Duration == Duration {
    /// The work on one part: all of ``JobPart/remainder``. It should end soon when its task is cancelled.
    public typealias Work = @Sendable (JobPart, PartContext) async throws -> PartOutcome

    /// How a run ended.
    public enum End: Sendable, Hashable {
        /// All parts are done or failed.
        case allEnded
        /// The operator's command was `stop`.
        case stopped
    }

    private enum Event: Sendable {
        case partEnded
        case mayLookAgain
        case commanded(JobCommand)
    }

    /// How often the end of a part is told to a store that does not answer; then the lease runs out, and the part is begun anew.
    static var settlingTriesMax: Int { 5 }

    let store: any JobStore
    let job: String
    let worker: String
    let settings: RunnerSettings
    let clock: Time
    let random: @Sendable () -> Double
    let logger: Logger

    /// A worker.
    ///
    /// - Parameters:
    ///   - worker: its name, for people.
    ///   - random: numbers in 0..<1 that spread pauses.
    public init(
        store: any JobStore,
        job: String,
        worker: String,
        settings: RunnerSettings = RunnerSettings(),
        clock: Time,
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
        logger: Logger
    ) {
        self.store = store
        self.job = job
        self.worker = worker
        self.settings = settings
        self.clock = clock
        self.random = random
        self.logger = logger
    }

    /// Works until all parts are done or failed, or the command is `stop`.
    ///
    /// - Throws: `CancellationError` where the task is cancelled, with all leases given back; ``TokenRangesError`` where there is
    ///   no such job, or its store is damaged.
    public func run(_ work: @escaping Work) async throws -> End {
        while true {
            switch try await self.command() {
            case .stop: return .stopped
            case .pause: try await self.clock.sleep(for: self.settings.pollInterval)
            case .run: if try await self.workUntilCommanded(work) { return .allEnded }
            }
        }
    }

    /// Works while the command is `run`; true where no part is left.
    private func workUntilCommanded(_ work: @escaping Work) async throws -> Bool {
        try await withThrowingTaskGroup(of: Event.self) { group in
            defer { group.cancelAll() }
            group.addTask { try await self.watch() }
            var (running, mayLook, isWaiting) = (0, true, false)
            while true {
                looking: while mayLook, running < self.settings.concurrency {
                    switch try await self.take() {
                    case .leased(let lease):
                        running += 1
                        group.addTask {
                            try await self.perform(lease, work)
                            return .partEnded
                        }
                    case .allEnded where running == 0: return true
                    case .allEnded: mayLook = false
                    case .nothingNow, nil:
                        mayLook = false
                        guard !isWaiting else { break looking }
                        isWaiting = true
                        group.addTask {
                            try await self.clock.sleep(for: self.settings.pollInterval)
                            return .mayLookAgain
                        }
                    }
                }
                switch try await group.next() {
                case .partEnded?: (running, mayLook) = (running - 1, true)
                case .mayLookAgain?: (isWaiting, mayLook) = (false, true)
                case .commanded?, nil: return false
                }
            }
        }
    }

    /// A part; nil where the store does not answer.
    private func take() async throws -> LeaseAnswer? {
        try Task.checkCancellation()
        do {
            // If asking were cancelled, nobody would know of a lease that the store has given all the same.
            return try await Self.shielded {
                try await self.store.lease(self.job, worker: self.worker, for: self.settings.leaseDuration)
            }
        } catch let error as TokenRangesError where error.isSafeToRetry {
            self.logger.info("no part can be taken", metadata: ["error": "\(error)", "job": "\(self.job)"])
            return nil
        }
    }

    /// The command, as soon as the store tells it.
    private func command() async throws -> JobCommand {
        while true {
            do {
                return try await self.store.command(of: self.job)
            } catch let error as TokenRangesError where error.isSafeToRetry {
                self.logger.info("the command cannot be read", metadata: ["error": "\(error)", "job": "\(self.job)"])
                try await self.clock.sleep(for: self.settings.pollInterval)
            }
        }
    }

    /// Ends when the command is no longer `run`.
    private func watch() async throws -> Event {
        while true {
            try await self.clock.sleep(for: self.settings.pollInterval)
            let command = try await self.command()
            if command != .run { return .commanded(command) }
        }
    }

    /// Runs something that must come to its end, whether the task is cancelled or not.
    static func shielded<Result: Sendable>(_ body: @Sendable @escaping () async throws -> Result) async throws -> Result
    {
        try await Task { try await body() }.value
    }
}
