import Operations
import Synchronization

/// A reader whose comparisons run for as long as nobody ends them, and that only remembers what it was asked for.
final class FakeReader: ReaderControl {
    struct State {
        var run = ReaderRun()
        var starts: [ReaderStart] = []
        var stops: [String] = []
        var lists: [String] = []
        var clearings: [DiscrepancyClearing] = []
        var reconciliations: [ReaderReconciliation] = []
        var last: ReaderReportDocument?
        var discrepancies: [DiscrepancyDocument] = []
    }

    private let state = Mutex(State())

    func with<Result>(_ body: (inout State) -> Result) -> Result { self.state.withLock { body(&$0) } }

    func readiness() async -> Readiness { .ready }

    func status() async -> ReaderStatus {
        var status = ReaderStatus(version: "1.2.3")
        (status.run, status.last, status.lastWhole) = self.with { ($0.run, $0.last, $0.last) }
        return status
    }

    func start(_ start: ReaderStart) async throws(AdminError) -> ReaderActionDocument {
        let result = self.with { state -> Result<Void, AdminError> in
            do throws(AdminError) { try state.run.start(start.subject) } catch { return .failure(error) }
            state.starts.append(start)
            return .success(())
        }
        try result.get()
        return ReaderActionDocument(action: "validate", message: "begun", state: .running)
    }

    func stop(by: String, reason: String?) async throws(AdminError) -> ReaderActionDocument {
        let result = self.with { state -> Result<Bool, AdminError> in
            do throws(AdminError) {
                let isChanged = try state.run.stop()
                state.stops.append(reason ?? "-")
                return .success(isChanged)
            } catch { return .failure(error) }
        }
        return ReaderActionDocument(action: "stop", message: "told", state: .stopping, changed: try result.get())
    }

    func discrepancies(of table: String?, max: Int) async -> DiscrepanciesDocument {
        self.with { state in
            state.lists.append("\(table ?? "all") \(max)")
            return DiscrepanciesDocument(
                discrepancies: state.discrepancies,
                total: state.discrepancies.count,
                counted: [:]
            )
        }
    }

    func clear(_ clearing: DiscrepancyClearing) async throws(AdminError) -> DiscrepanciesClearedDocument {
        self.with { $0.clearings.append(clearing) }
        return DiscrepanciesClearedDocument(cleared: 3, left: 0)
    }

    func reconcile(_ reconciliation: ReaderReconciliation) async throws(AdminError) -> ReconciledDocument {
        guard reconciliation.id == "00ff" else { throw AdminError(.unknownDiscrepancy, "none") }
        self.with { $0.reconciliations.append(reconciliation) }
        return ReconciledDocument(id: "00ff", outcome: reconciliation.applies ? .repaired : .listed, report: "file")
    }

    func filter() async -> ReaderFilterDocument {
        ReaderFilterDocument(
            tenantColumn: "tenant",
            tenants: 2,
            tablesIncluded: [],
            tablesExcluded: [],
            columnsExcluded: [],
            sampledPercentage: 100,
            last: self.with { $0.last }
        )
    }
}
