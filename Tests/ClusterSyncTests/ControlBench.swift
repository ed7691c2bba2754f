import CQLClient
import DualWriteCore
import FoundationEssentials
import Logging
import NIOCore
import Operations
import Synchronization
import Testing

@testable import ClusterSync
@testable import DualWriter

/// A proxy that only remembers what it was told.
final class FakeProxy: SidecarProxy {
    struct Refusal: Error, CustomStringConvertible { let description = "connection refused" }

    struct State {
        var mode = WriteMode.primaryOnly
        var overrides = ModeOverrides.none
        var epoch = 0
        var connected: Set<Cluster> = [.source, .target]
        /// What nodes say when they are asked.
        var signs: [Cluster: [NodeID: SignOfLife]] = [:]
        /// How often they were asked.
        var questions = 0
        var refusesModes = false
        var refusesHosts = false
        var isDraining = false
        var hasJournal = true
        var configureLeg: @Sendable (inout DualWriterStatus.Leg) -> Void = { _ in }
        var letters: [DeadLetter] = []
        /// How many dead letters the journal has room for.
        var room = Int.max
        var dirty: [DirtyPartition] = []
        var owed: Set<[UInt8]> = []
        var isOwedComplete = true
        var calls: [String] = []
        var timeouts: DualWriterTimeouts?
        var percentage: Double?
        var filter = CurrentFilter(.all, from: .configuration)
        var requestLog = RequestLogSettings()
        var refusesPercentages = false
        var counters = DualWriterCounters()
        var isBehind = false
        var actsUntil: NIODeadline?
        var entered: [TableModes] = []
    }

    private let state = Mutex(State())
    func with<Result>(_ body: (inout State) throws -> Result) rethrows -> Result {
        try self.state.withLock { try body(&$0) }
    }

    func currentStatus() async -> DualWriterStatus { self.status() }

    func status() -> DualWriterStatus {
        self.with { state in
            let legs = Cluster.allCases.map { cluster in
                var leg = DualWriterStatus.Leg(cluster: cluster)
                leg.isConnected = state.connected.contains(cluster)
                leg.isBehind = state.isBehind && cluster == .target
                leg.lastError = leg.isConnected ? nil : "connection refused"
                leg.deadLetters = state.letters.count { $0.cluster == cluster }
                for partition in state.dirty where partition.cluster == cluster {
                    leg.dirtyByReason[partition.reason, default: 0] += 1
                }
                state.configureLeg(&leg)
                return leg
            }
            var status = DualWriterStatus(
                mode: state.mode,
                epoch: state.epoch,
                legs: legs,
                clients: 3,
                isReady: true,
                isDraining: state.isDraining,
                counters: state.counters
            )
            status.hasJournal = state.hasJournal
            status.overrides = state.overrides
            return status
        }
    }

    func askNodes(of cluster: Cluster, within time: Duration) async -> [NodeID: SignOfLife] {
        self.with { state in
            state.questions += 1
            let node = NodeID(host: "10.0.0.1", port: 9_042)
            return state.signs[cluster] ?? [node: .answered(after: .milliseconds(2))]
        }
    }

    func setMode(_ mode: WriteMode, epoch: Int, force: Bool, reason: String?) async throws {
        try self.with { state in
            state.calls.append("mode \(mode) \(epoch)\(force ? " forced" : "")")
            if state.refusesModes { throw Refusal() }
            state.mode = mode
            state.epoch = epoch
        }
    }

    func enter(_ modes: TableModes, epoch: Int, reason: String) async throws {
        try await self.setMode(modes.stage.mode, epoch: epoch, force: true, reason: reason)
        self.with { state in
            state.overrides = modes.overrides
            state.entered.append(modes)
        }
    }

    func check(_ modes: TableModes, force: Bool, reason: String?) async throws {
        if self.with({ $0.refusesModes }) { throw Refusal() }
    }

    func mayAct(until moment: NIODeadline, inPart: Bool) { self.with { $0.actsUntil = moment } }

    func setOverrides(_ overrides: ModeOverrides, epoch: Int, force: Bool, reason: String?) async throws {
        try self.with { state in
            let words = overrides.list.map(\.description).joined(separator: " ")
            state.calls.append("overrides \(words) \(epoch)\(force ? " forced" : "")")
            if state.refusesModes { throw Refusal() }
            state.overrides = overrides
            state.epoch = epoch
        }
    }

    var filter: CurrentFilter { self.with { $0.filter } }
    func setRequestLog(_ settings: RequestLogSettings) async { self.with { $0.requestLog = settings } }

    func setFilter(_ filter: CurrentFilter) { self.with { $0.filter = filter } }

    func setTimeouts(_ timeouts: DualWriterTimeouts) async throws { self.with { $0.timeouts = timeouts } }

    func setComparisonPercentage(_ percentage: Double) async throws {
        try self.with { state in
            if state.refusesPercentages { throw Refusal() }
            state.percentage = percentage
        }
    }

    func setHosts(source: [String]?, target: [String]?) async throws {
        try self.with { state in
            state.calls.append("hosts \(source.map { "\($0)" } ?? "-") \(target.map { "\($0)" } ?? "-")")
            if state.refusesHosts { throw Refusal() }
        }
    }

    var listenAddress: String? { "127.0.0.1:9042" }
}

extension FakeProxy: JournalProxy {
    func statusWithTables() async -> DualWriterStatus { self.status() }

    func deadLetters(of cluster: Cluster?, max: Int) -> [DeadLetter] {
        self.with { $0.letters.filter { cluster == nil || $0.cluster == cluster }.prefix(max).map { $0 } }
    }

    func deadLetterIDs(of cluster: Cluster) -> Set<UInt64> {
        self.with { Set($0.letters.filter { $0.cluster == cluster }.map(\.id)) }
    }

    func retryDeadLetters(of cluster: Cluster, ids: Set<UInt64>) async throws -> Int {
        try self.with { state in
            state.calls.append("retry \(cluster) \(ids.sorted())")
            if state.refusesHosts { throw Refusal() }
            let taken = ids.sorted().prefix(state.room)
            state.letters.removeAll { taken.contains($0.id) }
            return taken.count
        }
    }

    func discardDeadLetters(of cluster: Cluster, ids: Set<UInt64>) async throws -> Int {
        self.with { state in
            state.calls.append("discard \(cluster) \(ids.sorted())")
            state.letters.removeAll { ids.contains($0.id) }
            return ids.count
        }
    }

    func dirtyPartitions(on cluster: Cluster?, max: Int) -> [DirtyPartition] {
        self.with { $0.dirty.filter { cluster == nil || $0.cluster == cluster }.prefix(max).map { $0 } }
    }

    func dirtySummary() -> [(cluster: Cluster, table: DirtyPartition.Place, reason: DoubtReason, count: Int)] {
        var groups: [[String]: (cluster: Cluster, table: DirtyPartition.Place, reason: DoubtReason, count: Int)] = [:]
        for partition in self.with({ $0.dirty }) {
            let table = partition.place.wholeTable
            let key = ["\(partition.cluster)", table.keyspace, table.table, partition.reason.name]
            groups[key, default: (partition.cluster, table, partition.reason, 0)].count += 1
        }
        return Array(groups.values)
    }

    func clearDirtyPartitions(of cluster: Cluster, table: DirtyPartition.Place?) -> Int {
        self.with { state in
            let before = state.dirty.count
            state.dirty.removeAll { partition in
                partition.cluster == cluster && (table == nil || partition.place.wholeTable == table)
            }
            return before - state.dirty.count
        }
    }

    func dirtyPartitions(
        of table: DirtyPartition.Place,
        on cluster: Cluster,
        after mark: UInt64,
        max: Int
    ) -> [DirtyPartition] {
        self.with { $0.dirty.filter { $0.cluster == cluster && $0.place.wholeTable == table && $0.mark > mark } }
    }

    func clearDirtyPartitions(of cluster: Cluster, marks: Set<UInt64>) -> Int {
        self.with { state in
            let before = state.dirty.count
            state.dirty.removeAll { $0.cluster == cluster && marks.contains($0.mark) }
            return before - state.dirty.count
        }
    }

    func owed(_ partitions: OwedPartitions) async -> OwedPartitions {
        var answer = partitions
        answer.owed = self.with { $0.owed }.intersection(partitions.keys)
        answer.isComplete = self.with { $0.isOwedComplete }
        return answer
    }
}

/// A control with what is around it.
struct ControlBench: Sendable {
    let proxy: FakeProxy
    let control: SidecarControl
    let path: String
    let store: PhaseStore
}

/// Tests of a control that asks a ``FakeProxy``.
protocol ControlTests {}

extension ControlTests {
    func withControl(
        hosts: (String, String) = ("a", "b"),
        mode: WriteMode = .primaryOnly,
        history: [PhaseRecord] = [],
        overrides: [KeptOverride] = [],
        gates: [(String, String)] = [],
        _ body: (ControlBench) async throws -> Void
    ) async throws {
        let path = FileManager.default.temporaryDirectory.path + "/cluster-sync-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let store = PhaseStore(folder: try StateFolder(path: path))
        let layers = ConfigurationLayers(
            schema: .sidecar,
            options: [("source.hosts", hosts.0), ("target.hosts", hosts.1)] + gates,
            environment: [:],
            file: nil
        )
        let proxy = FakeProxy()
        proxy.with { $0.mode = mode }
        proxy.with { $0.overrides = (try? ModeOverrides(overrides.map(\.override))) ?? .none }
        var timeouts = DualWriterTimeouts()
        timeouts.shadowWriteMilliseconds = 50
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let control = SidecarControl(
            proxy: proxy,
            store: store,
            phase: PhaseState(mode: mode, epoch: 0, history: history, overrides: overrides),
            configuration: try SidecarConfiguration(layers) { _ in nil },
            // Nothing waits long for what is owed.
            timeouts: timeouts,
            logger: logger
        )
        try await body(ControlBench(proxy: proxy, control: control, path: path, store: store))
    }

    func refusal(_ body: () async throws(AdminError) -> Void) async -> AdminError? {
        do {
            try await body()
            return nil
        } catch {
            return error
        }
    }
}
