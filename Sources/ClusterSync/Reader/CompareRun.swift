import CQLClient
import DualReader
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import TokenRanges

/// One comparison of both clusters, from its beginning, or from where an earlier one was interrupted, to its report.
///
/// A cluster that is away at the start is waited for. A comparison that ends is forgotten, so that the next one begins anew; one
/// that several workers share stays until it is told to begin anew, so that each of them can tell its report. One that is
/// interrupted gives back what it holds. Safe from any task.
final class CompareRun: Service {
    /// How it has ended.
    enum End: Sendable {
        /// Nobody has anything left to do.
        case report(CompareReport)
        /// The program was told to end before everything was compared.
        case interrupted
        /// It could not be made.
        case failed(any Error)
    }

    /// The command line names what neither cluster has.
    struct NothingOfThatName: Error, CustomStringConvertible {
        let names: [String]
        var description: String { "neither cluster has \(self.names.joined(separator: ", "))" }
    }

    /// The rows of one tenant are asked for, and a table does not say whose they are.
    struct NoTenants: Error, CustomStringConvertible {
        let table: TableName
        let column: String
        var description: String { "\(self.table) has no column \(self.column), which would say whose a row is" }
    }

    private struct State {
        var job: CompareJob?
        var end = End.interrupted
        /// Why it has not begun yet; nil once it has.
        var obstacle: String?
        var isToldToEnd = false
    }

    /// The pauses between two attempts to reach a cluster that is away.
    private static let pauses = (first: Duration.milliseconds(200), max: Duration.seconds(10))

    let settings: CompareSettings
    private let worker: String
    private let beginsAnew: Bool
    private let dualWriter: DualWriterView
    private let patience: Duration?
    private let isOfTenants: Bool
    private let group: any EventLoopGroup
    private let logger: Logger
    private let state = Mutex(State())

    /// A comparison; nothing happens before it runs.
    ///
    /// - Parameters:
    ///   - beginsAnew: whether what an interrupted one has found is forgotten first.
    ///   - worker: this worker's name.
    ///   - dualWriter: who is asked what is still owed and what is in doubt.
    ///   - patience: how long a cluster that is away at the start is waited for; nil: until it is there.
    ///   - isOfTenants: whether a table without the column of tenants is refused. Else it is compared as a whole.
    init(
        _ settings: CompareSettings,
        worker: String = "reader",
        beginsAnew: Bool,
        dualWriter: DualWriterView = .none,
        patience: Duration?,
        isOfTenants: Bool = false,
        on group: any EventLoopGroup,
        logger: Logger
    ) {
        self.settings = settings
        self.worker = worker
        self.dualWriter = dualWriter
        self.patience = patience
        self.isOfTenants = isOfTenants
        self.beginsAnew = beginsAnew
        self.group = group
        self.logger = logger
    }

    /// How it has ended; interrupted before it has.
    var end: End { self.state.withLock { $0.end } }

    /// How far it is; nil before there is a plan.
    func progress() async -> CompareReport? { try? await self.state.withLock { $0.job }?.progress() }

    /// Why it has not begun yet, where a cluster is away; nil once it has.
    var obstacle: String? { self.state.withLock { $0.obstacle } }

    /// Whether both clusters have been reached.
    var hasBegun: Bool { self.state.withLock { $0.job != nil } }

    func run() async throws {
        let end = await cancelWhenGracefulShutdown { await self.compare() }
        self.state.withLock { state in
            state.job = nil
            state.end = end
        }
    }

    /// Lets it end before everything is compared; what it holds is given back, and the next one goes on there.
    func stop() async {
        let job = self.state.withLock { state in
            state.isToldToEnd = true
            return state.job
        }
        do { try await job?.stop() } catch {
            self.logger.warning("the comparison does not hear that it is to end", metadata: ["reason": "\(error)"])
        }
    }

    private var isToldToEnd: Bool { self.state.withLock { $0.isToldToEnd } }

    private func compare() async -> End {
        do {
            if self.beginsAnew { try await self.forget() }
            let report = try await self.withBothClusters { job in try await self.compare(job) }
            guard let report, report.state == .ended else { return .interrupted }
            return .report(report)
        } catch let error as CompareError where error.code == .nothingToCompare {
            guard let only = self.settings.tables.only else { return .failed(error) }
            return .failed(NothingOfThatName(names: only.map(\.text).sorted()))
        } catch {
            return Task.isCancelled || error is CancellationError ? .interrupted : .failed(error)
        }
    }

    private func forget() async throws {
        switch self.settings.store {
        case .sqlite(let path): try await SQLiteJobStore(path: path).remove(self.settings.job)
        case .target:
            try await CompareJob.withJob(self.settings, worker: self.worker, on: self.group, logger: self.logger) {
                try await $0.forget()
            }
        }
    }

    /// Runs `body` with the job as soon as both clusters answer; nil where it was told to end before.
    private func withBothClusters(
        _ body: @Sendable @escaping (CompareJob) async throws -> CompareReport
    ) async throws -> CompareReport? {
        let start = ContinuousClock.now
        var pause = Self.pauses.first
        while !self.isToldToEnd {
            do {
                return try await CompareJob.withJob(
                    self.settings,
                    worker: self.worker,
                    on: self.group,
                    debt: self.dualWriter.debt,
                    dirty: self.dualWriter.dirty,
                    logger: self.logger,
                    body
                )
            } catch let error as CQLSessionError {
                try Task.checkCancellation()
                // Once it has begun it is the parts that are tried again.
                guard !self.hasBegun, self.patience.map({ ContinuousClock.now - start + pause <= $0 }) ?? true else {
                    throw error
                }
                if self.obstacle == nil {
                    self.logger.warning("a cluster is away; waiting for it", metadata: ["reason": "\(error)"])
                }
                self.state.withLock { $0.obstacle = "\(error)" }
                try await Task.sleep(for: pause)
                pause = min(pause * 2, Self.pauses.max)
            }
        }
        return nil
    }

    private func compare(_ job: CompareJob) async throws -> CompareReport {
        let tables = job.plan.tables.map(\.name) + job.plan.refusals.map(\.table)
        let unknown = (self.settings.tables.only ?? []).filter { name in !tables.contains { name.means($0) } }
        guard unknown.isEmpty else {
            try await job.forget()
            throw NothingOfThatName(names: unknown.map(\.text).sorted())
        }
        if self.isOfTenants, let column = self.settings.tenants?.column,
            let table = job.plan.tables.first(where: { !$0.hasColumn(column) })
        {
            try await job.forget()
            throw NoTenants(table: table.name, column: column)
        }
        for refusal in job.plan.refusals {
            self.logger.warning("\(refusal.table) is not compared", metadata: ["reason": "\(refusal.reason)"])
        }
        let before = try await job.report()
        let isWhole = before.coverage == 0
        if before.state == .ended, before.coverage == 1 {
            // Only a job that several workers share stays when it has ended.
            self.logger.notice("the comparison has ended before, and this is its report; --anew begins the next one")
        } else if !isWhole {
            self.logger.notice("the comparison goes on where an earlier one was interrupted")
            // What failed may have been mended.
            _ = try await job.retryFailed()
        }
        // An earlier one may have been stopped.
        try await job.resume()
        let isToldToEnd = self.state.withLock { state in
            (state.job, state.obstacle) = (job, nil)
            return state.isToldToEnd
        }
        if isToldToEnd { try await job.stop() }
        let marks = await self.wholeTableMarks(of: job.plan, isWhole)
        let report = try await job.run()
        guard report.state == .ended else { return report }
        await self.clear(marks, by: report)
        if case .sqlite = self.settings.store { try await job.forget() }
        return report
    }

    // MARK: Tables in doubt

    /// What the sidecars have in doubt as a whole before anything is compared; nothing where not all of it will be.
    private func wholeTableMarks(of plan: ComparePlan, _ isWhole: Bool) async -> [TableName: [SidecarDirtySet.Mark]] {
        guard isWhole else { return [:] }
        do {
            return try await self.dualWriter.wholeTableMarks(of: plan)
        } catch {
            self.logger.warning("the sidecars do not say what is in doubt", metadata: ["reason": "\(error)"])
            return [:]
        }
    }

    /// Tables that are in sync are in doubt no more, but for what was put into doubt since they were looked at.
    private func clear(_ marks: [TableName: [SidecarDirtySet.Mark]], by report: CompareReport) async {
        for table in report.tables where table.verdict == .inSync && self.settings.comparesAll(of: table.name) {
            guard let marks = marks[table.name], !marks.isEmpty else { continue }
            do { try await self.dualWriter.entries?.clear(marks) } catch {
                self.logger.warning(
                    "a table is in sync, and a sidecar does not hear of it",
                    metadata: ["table": "\(table.name)", "reason": "\(error)"]
                )
            }
        }
    }
}

extension ComparedTable {
    fileprivate func hasColumn(_ name: String) -> Bool {
        (self.partitionKey + self.clustering + self.columns).contains { $0.name == name }
    }
}
