import DualReader
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import TokenRanges

/// One comparison of both clusters, from its beginning, or from where an earlier one was interrupted, to its report.
///
/// A comparison that ends is forgotten, so that the next one begins anew; one that several workers share stays until it is told to
/// begin anew, so that each of them can tell its report. One that is interrupted gives back what it holds. Safe from any task.
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

    let settings: CompareSettings
    private let worker: String
    private let beginsAnew: Bool
    private let group: any EventLoopGroup
    private let logger: Logger
    private let state = Mutex<(job: CompareJob?, end: End)>((nil, .interrupted))

    /// A comparison; nothing happens before it runs.
    ///
    /// - Parameters:
    ///   - beginsAnew: whether what an interrupted one has found is forgotten first.
    ///   - worker: this worker's name.
    init(
        _ settings: CompareSettings,
        worker: String = "reader",
        beginsAnew: Bool,
        on group: any EventLoopGroup,
        logger: Logger
    ) {
        self.settings = settings
        self.worker = worker
        self.beginsAnew = beginsAnew
        self.group = group
        self.logger = logger
    }

    /// How it has ended; interrupted before it has.
    var end: End { self.state.withLock { $0.end } }

    /// How far it is; nil before there is a plan.
    func progress() async -> CompareReport? { try? await self.state.withLock { $0.job }?.report() }

    func run() async throws {
        let end = await cancelWhenGracefulShutdown { await self.compare() }
        self.state.withLock { $0 = (nil, end) }
    }

    private func compare() async -> End {
        do {
            if self.beginsAnew { try await self.forget() }
            let report = try await CompareJob.withJob(
                self.settings,
                worker: self.worker,
                on: self.group,
                logger: self.logger
            ) { try await self.compare($0) }
            return report.state == .ended ? .report(report) : .interrupted
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

    private func compare(_ job: CompareJob) async throws -> CompareReport {
        let tables = job.plan.tables.map(\.name) + job.plan.refusals.map(\.table)
        let unknown = (self.settings.tables.only ?? []).filter { name in !tables.contains { name.means($0) } }
        guard unknown.isEmpty else {
            try await job.forget()
            throw NothingOfThatName(names: unknown.map(\.text).sorted())
        }
        for refusal in job.plan.refusals {
            self.logger.warning("\(refusal.table) is not compared", metadata: ["reason": "\(refusal.reason)"])
        }
        if try await job.report().coverage > 0 {
            self.logger.notice("the comparison goes on where an earlier one was interrupted")
            // What failed may have been mended.
            _ = try await job.retryFailed()
        }
        self.state.withLock { $0.job = job }
        let report = try await job.run()
        if report.state == .ended, case .sqlite = self.settings.store { try await job.forget() }
        return report
    }
}
