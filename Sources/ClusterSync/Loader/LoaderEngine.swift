import CQLClient
import FoundationEssentials
import Logging
import NIOCore
import Operations
import SSTableLoader
import ServiceLifecycle
import Synchronization
import TokenRanges

/// Runs loads, one at a time, when the configuration or the admin port asks for one.
///
/// Safe from any task. A load that is ended by the end of the program gives back what it holds; a later start goes on there.
final class LoaderEngine: Service {
    struct State {
        var run = LoaderRun()
        /// The load that runs.
        var job: LoadJob?
        /// What is known of the load that runs or ran last.
        var last: LoadStatus?
        /// What it has to do.
        var plan: LoadPlan?
        var ceiling: LoaderStatus.Ceiling
        var isConnected = false
        var error: String?
        var began: ContinuousClock.Instant?
        /// The job that the dual writer's gates are told of, and when its first row was read.
        var reported: (job: String, began: String)?
        var took: Duration?
    }

    let configuration: LoaderConfiguration
    let base: LoadSettings
    let group: any EventLoopGroup
    let logger: Logger
    let reports: ReportSender
    let start = ContinuousClock.now
    let state: Mutex<State>
    private let asked: AsyncStream<LoaderStart>
    private let ask: AsyncStream<LoaderStart>.Continuation

    init(
        _ configuration: LoaderConfiguration,
        _ settings: LoadSettings,
        on group: any EventLoopGroup,
        logger: Logger
    ) {
        self.configuration = configuration
        self.base = settings
        self.group = group
        self.logger = logger
        self.reports = ReportSender(targets: configuration.reports, logger: logger)
        let ceiling: LoaderStatus.Ceiling =
            switch configuration.ceiling {
            case .dualWriter: .init(microseconds: nil, origin: .dualWriter)
            case .at(let microseconds): .init(microseconds: microseconds, origin: .configured)
            case .none: .init(microseconds: nil, origin: .none)
            }
        self.state = Mutex(State(ceiling: ceiling))
        (self.asked, self.ask) = AsyncStream.makeStream(of: LoaderStart.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// How the last load has ended.
    var end: LoaderRun.State { self.state.withLock { $0.run.state } }

    /// Takes a load on; it begins as soon as this service runs.
    func takeOn(_ start: LoaderStart) throws(AdminError) {
        try self.state.withLock { state throws(AdminError) in
            try state.run.start(start.subject)
            (state.last, state.plan, state.error, state.isConnected) = (nil, nil, nil, false)
            (state.began, state.took) = (ContinuousClock.now, nil)
        }
        self.ask.yield(start)
    }

    func run() async throws {
        if self.configuration.job.startsByItself { try self.takeOn(LoaderStart(.everything, by: "job.auto_start")) }
        await withTaskCancellationOrGracefulShutdownHandler {
            for await start in self.asked {
                let end = await cancelWhenGracefulShutdown { await self.load(start) }
                self.ended(end)
                await self.report(end)
                if self.configuration.job.exitsWhenDone { return }
            }
        } onCancelOrGracefulShutdown: {
            self.ask.finish()
        }
    }

    private func ended(_ end: LoaderRun.End) {
        var figures = self.state.withLock { state in
            state.job = nil
            state.took = state.began.map { ContinuousClock.now - $0 }
            if state.run.state.isActive { state.run.ended(end) }
            return state.last?.figures(took: state.took ?? .zero) ?? [:]
        }
        switch end {
        case .done: self.logger.notice("the load is complete", metadata: figures)
        case .stopped:
            self.logger.notice(
                "the load has ended before everything was done; a start goes on there",
                metadata: figures
            )
        case .failed(let reason):
            figures["reason"] = "\(reason)"
            self.logger.error("the load is not complete", metadata: figures)
        }
    }

    // MARK: One load

    private func load(_ start: LoaderStart) async -> LoaderRun.End {
        do {
            let settings = try await self.settings(for: start.subject)
            try await self.waitUntilPast(settings.ceiling)
            let drops = start.dropsIndexesFirst ?? self.configuration.indexes.dropsFirst
            let rebuilds = start.rebuildsIndexesAfter ?? self.configuration.indexes.rebuildsAfter
            let end = try await LoadJob.withJob(
                settings,
                worker: self.configuration.worker,
                on: self.group,
                logger: self.logger
            ) { job in
                try await self.begin(job)
                self.beginReports(of: settings.job)
                // It ends with the load: leaving the scope cancels it.
                async let _ = self.keepReporting()
                return try await self.withIndexes(of: job, drops: drops, rebuilds: rebuilds) {
                    try await self.run(job)
                }
            }
            self.state.withLock { $0.last = end.status }
            return Self.end(end)
        } catch {
            if Task.isCancelled || error is CancellationError { return .stopped }
            self.state.withLock { $0.error = "\(error)" }
            return .failed(reason: "\(error)")
        }
    }

    /// Files tell all times: nothing of theirs is guessed.
    private func waitUntilPast(_ ceiling: Int64?) async throws {
        guard let ceiling, case .cluster = self.configuration.source else { return }
        let now = Int64(Date().timeIntervalSince1970 * 1_000_000)
        let wait = try CeilingWait.duration(ceiling: ceiling, now: now, skew: self.configuration.clockSkew)
        guard wait > .zero else { return }
        self.logger.info("waiting until the ceiling has passed", metadata: ["time": "\(wait)"])
        try await Task.sleep(for: wait)
    }

    private func begin(_ job: LoadJob) async throws {
        self.state.withLock { state in
            (state.job, state.plan, state.isConnected) = (job, job.plan, true)
        }
        for problem in job.plan.problems {
            self.logger.warning("\(problem.what) is not loaded", metadata: ["reason": "\(problem.reason)"])
        }
        if let first = job.plan.leftOut.first {
            let count = Human.many(job.plan.leftOut.count, "table or folder", "tables or folders")
            self.logger.info(
                "\(count) left out; sstable-loader plan lists them",
                metadata: ["first": "\(first.what)", "reason": "\(first.reason)"]
            )
        }
        for table in job.plan.tables {
            guard let failure = table.failure else { continue }
            self.logger.warning("\(table.name) is not loaded", metadata: ["reason": "\(failure)"])
        }
        // What failed may have been mended.
        _ = try await job.retryFailed()
        // The job may have been stopped in an earlier run; what was said to this one before there was a job counts.
        switch self.state.withLock({ $0.run.state }) {
        case .stopping: try await job.stop()
        case .paused: try await job.pause()
        case .running, .idle, .done, .stopped, .failed: try await job.resume()
        }
    }

    /// Where the store ends a load, what is missing is told all the same: what cannot be written can mostly be read.
    private func run(_ job: LoadJob) async throws -> LoadEnd {
        do {
            return try await job.run()
        } catch let error as TokenRangesError where error.code == .storage {
            guard let status = try? await job.status() else { throw error }
            self.state.withLock { $0.last = status }
            let missing = status.tables.filter { $0.progress.covered < 1 }.map { table in
                "\(table.keyspace).\(table.table) (\(Human.percent(table.progress.covered)) of its tokens are done)"
            }
            throw StoreFailure(underlying: error, missing: missing)
        }
    }

    /// The job's store has failed while parts were not done.
    private struct StoreFailure: Error, CustomStringConvertible {
        let underlying: TokenRangesError
        let missing: [String]

        var description: String {
            let missing = self.missing.isEmpty ? "" : "; missing: \(self.missing.joined(separator: ", "))"
            return "\(self.underlying)\(missing); a start goes on there"
        }
    }

    private static func end(_ end: LoadEnd) -> LoaderRun.End {
        switch end {
        case .complete: return .done
        case .stopped: return .stopped
        case .incomplete(let status):
            var missing: [String] = []
            let ranges = status.tables.reduce(0) { $0 + $1.missing.count }
            if ranges > 0 { missing.append(Human.many(ranges, "range") + " given up") }
            if status.deadLetters > 0 {
                missing.append(Human.many(status.deadLetters, "dead letter") + " in \(status.deadLetterPath)")
            }
            if !status.problems.isEmpty {
                missing.append(Human.many(status.problems.count, "problem") + " of the source")
            }
            let reason = status.tables.lazy.flatMap(\.failures).first.map { ": \($0.reason)" } ?? ""
            return .failed(reason: missing.joined(separator: ", ") + reason)
        }
    }

    /// What a load of a subject is to do. Each subject is a job of its own: its parts are others.
    func settings(for subject: LoaderStart.Subject) async throws -> LoadSettings {
        var settings = self.base
        switch subject {
        case .everything: break
        case .keyspaces(let names):
            settings.job += "." + names.sorted().joined(separator: "+")
            settings.tables.only = Set(names.map { .keyspace($0) })
        case .table(let keyspace, let table):
            settings.job += ".\(keyspace).\(table)"
            settings.tables.only = [.table(TableName(keyspace: keyspace, table: table))]
        }
        settings.ceiling = try await self.ceiling()
        return settings
    }

    private func ceiling() async throws -> Int64? {
        switch self.configuration.ceiling {
        case .at(let microseconds): return microseconds
        case .none: return nil
        case .dualWriter:
            guard let source = self.configuration.dualWriter else { return nil }
            let microseconds = try await DualWritingSince.microseconds(
                source,
                self.configuration.reports.tls,
                skew: self.configuration.clockSkew
            )
            self.state.withLock { $0.ceiling.microseconds = microseconds }
            return microseconds
        }
    }
}
