import Operations
import Synchronization

/// A loader that runs for as long as nobody ends it, and only remembers what it was asked for.
final class FakeLoader: LoaderControl {
    struct State {
        var run = LoaderRun()
        var readiness = Readiness.ready
        var refusal: AdminError?
        var starts: [LoaderStart] = []
        var actions: [LoaderAction] = []
        var indexChanges: [IndexesChange] = []
        var discovered: [String] = []
        var verdict = IndexesVerifiedDocument.Index.Verdict.same
    }

    private let state = Mutex(State())

    func with<Result>(_ body: (inout State) -> Result) -> Result { self.state.withLock { body(&$0) } }

    /// Throws what `body` throws, outside of the lock.
    private func decide<Value: Sendable>(
        _ body: (inout State) -> Result<Value, AdminError>
    ) throws(AdminError) -> Value {
        try self.with { state in state.refusal.map { .failure($0) } ?? body(&state) }.get()
    }

    func status() async -> LoaderStatus {
        var status = LoaderStatus.example
        status.run = self.with { $0.run }
        return status
    }

    func health() async -> LoaderHealthDocument {
        LoaderHealthDocument(await self.status(), indexManagerEnabled: true, indexCount: 4)
    }

    func readiness() async -> Readiness { self.with { $0.readiness } }

    func start(_ start: LoaderStart) async throws(AdminError) -> LoaderActionDocument {
        try self.decide { state in
            do throws(AdminError) {
                try state.run.start(start.subject)
            } catch {
                return .failure(error)
            }
            state.starts.append(start)
            return .success(.init(action: "start", message: "begun", job: "load", state: state.run.state))
        }
    }

    func perform(_ action: LoaderAction) async throws(AdminError) -> LoaderActionDocument {
        try self.decide { state in
            do throws(AdminError) {
                let changed = try state.run.perform(action.verb)
                state.actions.append(action)
                return .success(
                    .init(
                        action: action.verb.rawValue,
                        message: "told",
                        job: "load",
                        state: state.run.state,
                        changed: changed
                    )
                )
            } catch {
                return .failure(error)
            }
        }
    }

    func discover(keyspace: String) async throws(AdminError) -> DiscoveryDocument {
        try self.decide { state in
            state.discovered.append(keyspace)
            return .success(
                DiscoveryDocument(
                    keyspace: keyspace,
                    tables: [
                        .init(name: "orders", loaded: true, bytes: 4_096, partitions: 12),
                        .init(name: "views", loaded: false, reason: "counters: refuse"),
                    ]
                )
            )
        }
    }

    func indexes() async throws(AdminError) -> IndexesDocument {
        try self.decide { _ in .success(IndexesDocument(Self.indexes)) }
    }

    func verifyIndexes() async throws(AdminError) -> IndexesVerifiedDocument {
        try self.decide { state in
            .success(
                IndexesVerifiedDocument([
                    .init(
                        keyspace: "shop",
                        table: "orders",
                        name: "by_day",
                        verdict: state.verdict,
                        recorded: "CREATE …"
                    )
                ])
            )
        }
    }

    func change(_ change: IndexesChange) async throws(AdminError) -> IndexesChangedDocument {
        try self.decide { state in
            do throws(AdminError) {
                try state.run.checkMayChangeIndexes()
            } catch {
                return .failure(error)
            }
            state.indexChanges.append(change)
            return .success(IndexesChangedDocument(change, Self.indexes))
        }
    }

    private static let indexes: [IndexesDocument.Index] = [
        .init(keyspace: "shop", table: "orders", name: "by_day", state: .present, statement: "CREATE …"),
        .init(keyspace: "shop", table: "orders", name: "by_user", state: .dropped, statement: "CREATE …"),
        .init(
            keyspace: "shop",
            table: "users",
            name: "by_mail",
            state: .failed,
            reason: "the target is away",
            statement: "CREATE …"
        ),
    ]
}

extension LoaderStatus {
    /// A load in the middle, with a different figure in every place.
    static var example: LoaderStatus {
        var status = LoaderStatus(
            version: "1.2.3",
            job: "load",
            worker: "pod-0",
            source: .init(kind: "cluster", names: ["10.0.0.1:9042"], isConnected: true),
            target: .init(kind: "cluster", names: ["10.0.0.2:9042"], error: "connection refused"),
            ceiling: .init(microseconds: 1_700_000_000_000_000, origin: .dualWriter)
        )
        status.uptimeSeconds = 12.5
        status.elapsedSeconds = 10.5
        status.progress.ranges.pending = 5
        status.progress.ranges.leased = 2
        status.progress.ranges.done = 9
        status.progress.ranges.failed = 1
        status.progress.tokensCovered = 0.62508
        status.progress.rows = 1_000
        status.progress.bytes = 64_000
        status.progress.expectedBytes = 128_000
        status.expectedRows = 2_000
        status.deadLetters = 3
        status.deadLettersFile = "/state/dead-letters.jsonl"
        status.counters.rows = 400
        status.counters.bytes = 25_600
        status.counters.statements = 410
        status.counters.filteredRows = 7
        status.counters.deadLetters = 2
        status.counters.retries = ["timeout": 4, "overloaded": 6]
        status.counters.guesses.columns = 21
        status.counters.guesses.markers = 22
        status.counters.guesses.lists = 23
        status.counters.latency = HistogramSnapshot(bounds: [0.001, 0.01], counts: [5, 3, 1], sum: 0.25)
        status.inFlight = 31
        status.limits.inFlight = 64
        status.limits.inFlightMin = 4
        status.limits.inFlightMax = 128
        status.limits.rowsPerSecond = 5_000
        status.rowsPerSecond = 95.25
        status.bytesPerSecond = 6_096
        status.secondsLeft = 80
        var orders = Table(name: "shop.orders", state: .running)
        orders.progress.tokensCovered = 0.25
        orders.progress.rows = 900
        orders.progress.ranges.failed = 1
        orders.guesses.columns = 20
        orders.untoldColumns = ["tags"]
        var views = Table(name: "shop.views", state: .skipped)
        views.reason = "counters: refuse"
        status.tables = [Table(name: "shop.users", state: .done), orders, views]
        status.failures = [.init(table: "shop.orders", start: .min, end: -5, reason: "corrupted")]
        return status
    }
}

extension FakeLoader: LogControl {
    func logs() async -> LogsDocument {
        LogsDocument(
            level: "notice",
            requests: .init(),
            until: nil,
            configuredLevel: "info",
            configuredRequests: .init(),
            linesDropped: 0,
            linesHeldBack: 0
        )
    }

    func change(_ change: LogsChange) async throws(AdminError) -> LogsDocument { await self.logs() }
}
