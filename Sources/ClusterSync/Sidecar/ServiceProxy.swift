import CQLClient
import DualWriteCore
import DualWriter
import NIOCore
import ServiceLifecycle
import Synchronization

/// The running dual writer as the control side sees it: a snapshot that is never older than a quarter of a second.
final class ServiceProxy: SidecarProxy, Service {
    private static let interval = Duration.milliseconds(250)

    private let service: DualWriterService
    private let snapshot: Mutex<DualWriterStatus>
    private let currentFilter: Mutex<CurrentFilter>

    /// - Parameter filter: what the service was configured with.
    init(service: DualWriterService, filter: CurrentFilter) {
        self.service = service
        self.currentFilter = Mutex(filter)
        let (mode, epoch) = service.mode
        self.snapshot = Mutex(
            DualWriterStatus(mode: mode, epoch: epoch)
        )
    }

    /// Keeps the snapshot fresh until the end.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await self.refresh()
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    private func refresh() async {
        let status = await self.service.status()
        self.snapshot.withLock { $0 = status }
    }

    func status() -> DualWriterStatus { self.snapshot.withLock { $0 } }

    func currentStatus() async -> DualWriterStatus {
        await self.refresh()
        return self.status()
    }

    func askNodes(of cluster: Cluster, within time: Duration) async -> [NodeID: SignOfLife] {
        await self.service.askNodes(of: cluster, within: time)
    }

    func setMode(_ mode: WriteMode, epoch: Int, force: Bool, reason: String?) async throws {
        try await self.service.setMode(mode, force: force, reason: reason)
        await self.refresh()
    }

    func enter(_ modes: TableModes, epoch: Int, reason: String) async throws {
        try await self.service.enter(modes, epoch: epoch, reason: reason)
        await self.refresh()
    }

    func check(_ modes: TableModes, force: Bool, reason: String?) async throws {
        try await self.service.check(modes, force: force, reason: reason)
    }

    func mayAct(until moment: NIODeadline, inPart: Bool) { self.service.mayAct(until: moment, inPart: inPart) }

    func setOverrides(_ overrides: ModeOverrides, epoch: Int, force: Bool, reason: String?) async throws {
        try await self.service.setOverrides(overrides, force: force, reason: reason)
        await self.refresh()
    }

    func setTimeouts(_ timeouts: DualWriterTimeouts) async throws { self.service.setTimeouts(timeouts) }

    func setComparisonPercentage(_ percentage: Double) async throws {
        self.service.setComparisonPercentage(percentage)
    }

    var filter: CurrentFilter { self.currentFilter.withLock { $0 } }

    func setRequestLog(_ settings: RequestLogSettings) async { await self.service.setRequestLog(settings) }

    func setFilter(_ filter: CurrentFilter) {
        self.currentFilter.withLock { current in
            current = filter
            self.service.setFilter(filter.filter)
        }
    }

    func setHosts(source: [String]?, target: [String]?) async throws {
        var changes: [Cluster: [ContactPoint]] = [:]
        changes[.source] = try source?.map { try ContactPoint(parsing: $0) }
        changes[.target] = try target?.map { try ContactPoint(parsing: $0) }
        try await self.service.setContactPoints(changes)
        await self.refresh()
    }

    var listenAddress: String? {
        self.service.boundAddress.flatMap { address in
            address.ipAddress.map { "\($0.contains(":") ? "[\($0)]" : $0):\(address.port ?? 0)" }
        }
    }
}

extension ServiceProxy: JournalProxy {
    func statusWithTables() async -> DualWriterStatus { await self.service.status(lookingAtTables: true) }

    func deadLetters(of cluster: Cluster?, max: Int) -> [DeadLetter] { self.service.deadLetters(max: max, of: cluster) }
    func deadLetterIDs(of cluster: Cluster) -> Set<UInt64> { self.service.deadLetterIDs(of: cluster) }

    func retryDeadLetters(of cluster: Cluster, ids: Set<UInt64>) async throws -> Int {
        try await self.service.retryDeadLetters(of: cluster, ids: ids)
    }

    func discardDeadLetters(of cluster: Cluster, ids: Set<UInt64>) async throws -> Int {
        try await self.service.discardDeadLetters(of: cluster, ids: ids)
    }

    func dirtyPartitions(on cluster: Cluster?, max: Int) -> [DirtyPartition] {
        self.service.dirtyPartitions(max: max, on: cluster)
    }

    func dirtySummary() -> [(cluster: Cluster, table: DirtyPartition.Place, reason: DoubtReason, count: Int)] {
        self.service.dirtySummary()
    }

    func clearDirtyPartitions(of cluster: Cluster, table: DirtyPartition.Place?) -> Int {
        self.service.clearDirtyPartitions(of: cluster, table: table)
    }

    func dirtyPartitions(
        of table: DirtyPartition.Place,
        on cluster: Cluster,
        after mark: UInt64,
        max: Int
    ) -> [DirtyPartition] {
        self.service.dirtyPartitions(of: table, on: cluster, after: mark, max: max)
    }

    func clearDirtyPartitions(of cluster: Cluster, marks: Set<UInt64>) -> Int {
        self.service.clearDirtyPartitions(of: cluster, marks: marks)
    }

    func owed(_ partitions: OwedPartitions) async -> OwedPartitions { await self.service.owed(partitions) }
}
