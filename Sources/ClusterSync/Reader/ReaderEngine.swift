import CQLClient
import DualReader
import Logging
import NIOCore
import Operations
import ServiceLifecycle
import Synchronization
import TokenRanges

/// Runs comparisons, one at a time, when the configuration's interval or the admin port asks for one.
///
/// Safe from any task. A cluster that is away is waited for. A comparison that is ended by the end of the program gives back what
/// it holds; a later one of the same goes on there.
final class ReaderEngine: Service {
    struct State {
        var run = ReaderRun()
        /// The comparison that runs.
        var active: CompareRun?
        /// When it began, in milliseconds since 1970.
        var began: Int64 = 0
        var memory = ReaderMemory()
        var counters = ReaderStatus.Counters()
        var nextAt: Int64?
        /// Whether the row of a difference is being repaired.
        var isReconciling = false
    }

    let configuration: ReaderConfiguration
    let base: CompareSettings
    let dualWriter: DualWriterView
    let group: any EventLoopGroup
    let logger: Logger
    let start = ContinuousClock.now
    let state = Mutex(State())
    private let file: ReaderMemoryFile
    private let asked: AsyncStream<ReaderStart>
    private let ask: AsyncStream<ReaderStart>.Continuation

    init(
        _ configuration: ReaderConfiguration,
        _ settings: CompareSettings,
        dualWriter: DualWriterView,
        folder: StateFolder,
        on group: any EventLoopGroup,
        logger: Logger
    ) {
        self.configuration = configuration
        var base = settings
        if configuration.repair.isAutomatic { base.repair = configuration.repair.settings(isDryRun: false) }
        self.base = base
        self.dualWriter = dualWriter
        self.group = group
        self.logger = logger
        self.file = ReaderMemoryFile(folder: folder)
        (self.asked, self.ask) = AsyncStream.makeStream(of: ReaderStart.self, bufferingPolicy: .bufferingNewest(1))
    }

    var limits: ReaderMemory.Limits {
        .init(
            verdicts: self.configuration.service.historyMax,
            discrepancies: self.configuration.service.discrepanciesMax
        )
    }

    /// Takes a comparison on; it begins as soon as this service runs.
    func takeOn(_ start: ReaderStart) throws(AdminError) {
        try self.state.withLock { state throws(AdminError) in try state.run.start(start.subject) }
        self.ask.yield(start)
    }

    func run() async throws {
        self.remember()
        await withTaskCancellationOrGracefulShutdownHandler {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await cancelWhenGracefulShutdown { await self.begin(every: self.interval) } }
                for await start in self.asked { await self.compare(start) }
                group.cancelAll()
            }
        } onCancelOrGracefulShutdown: {
            self.ask.finish()
        }
    }

    // MARK: Memory

    private func remember() {
        do {
            guard let memory = try self.file.load() else { return }
            self.state.withLock { $0.memory = memory }
        } catch {
            self.logger.warning("what was found before is forgotten", metadata: ["reason": "\(error)"])
        }
    }

    /// Changes what is remembered, on the disk, too.
    func remember<Result>(_ change: (inout ReaderMemory) -> Result) -> Result {
        let (result, memory) = self.state.withLock { state in (change(&state.memory), state.memory) }
        do { try self.file.save(memory) } catch {
            self.logger.error("what was found cannot be kept", metadata: ["reason": "\(error)"])
        }
        return result
    }

    // MARK: By itself

    private var interval: Duration? {
        let seconds = self.configuration.service.intervalSeconds
        return seconds > 0 ? .seconds(seconds) : nil
    }

    /// Begins a comparison of everything at once and at each interval, where none runs.
    private func begin(every interval: Duration?) async {
        guard let interval else { return }
        while !Task.isCancelled {
            do throws(AdminError) {
                try self.takeOn(ReaderStart(.everything, by: "service.interval_seconds"))
            } catch {
                self.logger.info("the last comparison has not ended yet; the next interval begins another one")
            }
            self.state.withLock { $0.nextAt = Timestamp.milliseconds() + interval.components.seconds * 1_000 }
            try? await Task.sleep(for: interval)
        }
    }

    // MARK: One comparison

    private func compare(_ start: ReaderStart) async {
        self.logger.notice(
            "a comparison begins",
            metadata: ["subject": "\(start.subject)", "by": "\(start.by)", "reason": "\(start.reason ?? "-")"]
        )
        let settings = self.settings(for: start.subject)
        var run = self.run(settings, start.subject, beginsAnew: false)
        await self.carryOut(run)
        if case .failed(let error as CompareError) = run.end, error.code == .otherJob {
            // What was interrupted was configured otherwise.
            run = self.run(settings, start.subject, beginsAnew: true)
            await self.carryOut(run)
        }
        let end: ReaderRun.End
        switch run.end {
        case .report(let report):
            await self.ended(start.subject, report, settings)
            end = .done
        case .interrupted: end = .stopped
        case .failed(let error):
            self.logger.error("a comparison could not be made", metadata: ["reason": "\(error)"])
            self.state.withLock { $0.counters.runs["failed", default: 0] += 1 }
            end = .failed(reason: "\(error)")
        }
        self.state.withLock { state in
            state.active = nil
            if state.run.state.isActive { state.run.ended(end) }
        }
    }

    private func run(_ settings: CompareSettings, _ subject: ReaderStart.Subject, beginsAnew: Bool) -> CompareRun {
        let isOfTenants = if case .tenant = subject { true } else { false }
        return CompareRun(
            settings,
            worker: self.configuration.worker,
            beginsAnew: beginsAnew,
            dualWriter: self.dualWriter,
            patience: nil,
            isOfTenants: isOfTenants,
            on: self.group,
            logger: self.logger
        )
    }

    private func carryOut(_ run: CompareRun) async {
        let isToldToEnd = self.state.withLock { state in
            (state.active, state.began) = (run, Timestamp.milliseconds())
            return state.run.state == .stopping
        }
        // What was said before there was anything to end counts, too.
        if isToldToEnd { await run.stop() }
        try? await run.run()
    }

    private func ended(_ subject: ReaderStart.Subject, _ report: CompareReport, _ settings: CompareSettings) async {
        let document = self.document(report, subject, settings)
        self.remember { $0.add(document, report, of: subject, self.limits) }
        self.state.withLock { $0.counters.add(document) }
        self.logger.notice(
            "a comparison has ended",
            metadata: [
                "subject": "\(subject)", "verdict": "\(document.verdict)", "reason": "\(document.reason ?? "-")",
                "rows": "\(document.counts.rows)", "different": "\(document.counts.rowsDifferent)",
                "repaired": "\(document.counts.rowsRepaired)",
            ]
        )
        // Parts say nothing about the whole.
        guard case .everything = subject else { return }
        let told = ComparisonReport(
            report,
            beganAt: Timestamp.text(milliseconds: self.state.withLock { $0.began }),
            sampledPercentage: settings.sampling.percentage
        )
        await ReportSender(targets: self.configuration.reports, logger: self.logger).send(told, attempts: 4)
    }

    func document(
        _ report: CompareReport,
        _ subject: ReaderStart.Subject,
        _ settings: CompareSettings
    ) -> ReaderReportDocument {
        ReaderReportDocument(
            report,
            subject: subject,
            of: settings,
            began: self.state.withLock { $0.began },
            now: Timestamp.milliseconds()
        )
    }

    /// What a comparison of a subject is to do. Each subject is a job of its own: its parts are others.
    func settings(for subject: ReaderStart.Subject) -> CompareSettings {
        var settings = self.base
        switch subject {
        case .everything: break
        case .table(let keyspace, let table):
            settings.tables.only = [.table(TableName(keyspace: keyspace, table: table))]
            settings.job += "." + ReaderConfiguration.name(of: settings.tables.only ?? [])
        case .tenant(let keyspace, let table, let value):
            settings.tables.only = [.table(TableName(keyspace: keyspace, table: table))]
            settings.tenants = self.configuration.tenants.column.map { TenantFilter(column: $0, values: [value]) }
            settings.job += "." + ReaderConfiguration.name(of: settings.tables.only ?? []) + ".tenant"
        }
        return settings
    }
}
