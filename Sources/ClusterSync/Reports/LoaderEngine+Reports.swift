import Operations
import Synchronization

/// What the dual writer's gates are told of a load.
extension LoaderEngine {
    private static var interval: Duration { .seconds(60) }
    private static var attemptsAtEnd: Int { 4 }

    /// Notes that the first row is about to be read.
    func beginReports(of job: String) {
        self.state.withLock { $0.reported = (job, Timestamp.now()) }
    }

    /// Says how far the load is, now and every minute, until it is cancelled.
    func keepReporting() async {
        guard !self.reports.targets.addresses.isEmpty else { return }
        while !Task.isCancelled {
            if let report = await self.report(.running) { await self.reports.send(report, attempts: 1) }
            try? await Task.sleep(for: Self.interval)
        }
    }

    /// Says what the load has come to. Nothing is said of one that has not begun.
    func report(_ end: LoaderRun.End) async {
        guard !self.reports.targets.addresses.isEmpty else { return }
        let isComplete = if case .done = end { true } else { false }
        guard let report = await self.report(isComplete ? .complete : .incomplete) else { return }
        await self.reports.send(report, attempts: isComplete ? Self.attemptsAtEnd : 1)
        self.state.withLock { $0.reported = nil }
    }

    private enum ReportedState: String { case running, complete, incomplete }

    private func report(_ state: ReportedState) async -> LoadReport? {
        guard let reported = self.state.withLock({ $0.reported }) else { return nil }
        let status = await self.status()
        return LoadReport(
            job: reported.job,
            source: self.configuration.worker,
            state: state.rawValue,
            beganAt: reported.began,
            at: Timestamp.now(),
            tokensCoveredRatio: status.progress.tokensCovered ?? 0,
            deadLetters: Int(clamping: status.deadLetters),
            tables: status.tables.filter { $0.state != .skipped }.map {
                .init(table: $0.name, tokensCoveredRatio: $0.progress.tokensCovered ?? 0)
            }
        )
    }
}
