import CQLClient
import DualWriteCore
import DualWriter
import Logging
import NIOCore
import ShadowJournal
import SystemPackage
import TestSupport

/// One sidecar of a simulation, from its start to its stop or its death.
final class SimulatedSidecar: Sendable {
    let service: DualWriterService
    let folder: TemporaryFolder
    private let running: Task<Void, any Error>

    private init(service: DualWriterService, folder: TemporaryFolder) {
        self.service = service
        self.folder = folder
        self.running = Task { try await service.run() }
    }

    /// Starts a sidecar and waits until it takes clients.
    static func start(
        _ settings: SimulationScript.Settings,
        mode: WriteMode,
        between source: SimulatedCluster,
        and target: SimulatedCluster,
        in folder: TemporaryFolder,
        _ disk: SimulatedDisk
    ) async throws -> SimulatedSidecar {
        func cluster(_ cluster: SimulatedCluster) -> ClusterConfiguration {
            var configuration = ClusterConfiguration(
                name: "\(cluster.name)",
                contactPoints: [ContactPoint(host: "127.0.0.1", port: cluster.port)]
            )
            configuration.reconnectMillisecondsMin = 5
            configuration.reconnectMillisecondsMax = 40
            return configuration
        }
        var configuration = DualWriterConfiguration(
            listenAddress: try SocketAddress(ipAddress: "127.0.0.1", port: 0),
            source: cluster(source),
            target: cluster(target),
            mode: mode
        )
        configuration.loops = settings.loops
        configuration.policy.syncFailure = settings.syncFailure
        configuration.policy.journalFull = settings.journalFull
        configuration.timeouts.readMilliseconds = 150
        configuration.timeouts.primaryWriteMilliseconds = 150
        configuration.timeouts.shadowWriteMilliseconds = 100
        configuration.timeouts.drainMilliseconds = 1_000
        configuration.limits.shadowRetryMillisecondsMin = 4
        configuration.limits.shadowRetryMillisecondsMax = 32
        configuration.limits.shadowUnreachableMilliseconds = 20
        configuration.limits.shadowBreaker = .init(
            pauseMillisecondsMin: 10,
            pauseMillisecondsMax: 40,
            probeMillisecondsMax: 500
        )
        if settings.hasSmallMemory { configuration.limits.shadowQueueWritesMax = 4 }
        var journal = ShadowStore.Configuration()
        journal.sync = .never
        journal.segmentBytes = settings.hasSmallJournal || settings.hasShortSegments ? 4 << 10 : 64 << 10
        journal.reserveBlocks = { disk.reserve($0, $1) }
        if settings.hasSmallJournal { journal.bytesMax = 8 << 10 }
        var logger = Logger(label: "simulation")
        logger.logLevel = .critical
        let store = try ShadowStore(FilePath(folder.path), journal)
        let service = DualWriterService(configuration: configuration, store: store, logger: logger)
        let sidecar = SimulatedSidecar(service: service, folder: folder)
        guard await sidecar.waits(for: { $0.isReady && $0.legs.allSatisfy(\.isConnected) }) else {
            sidecar.running.cancel()
            throw NotUp()
        }
        return sidecar
    }

    struct NotUp: Error {}

    /// Waits for a state that no event tells of; false when it has not come in time.
    func waits(for isThere: (DualWriterStatus) -> Bool) async -> Bool {
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            if isThere(await self.service.status()) { return true }
            try? await Task.sleep(for: .milliseconds(2))
        }
        return false
    }

    /// Ends it in an orderly way.
    func stop() async throws {
        self.running.cancel()
        try await self.running.value
    }

    /// Ends it as `kill -9` does.
    ///
    /// The clusters must be frozen: nothing that it still does reaches them, or anybody.
    ///
    /// - Returns: what it leaves behind.
    func kill() async throws -> TemporaryFolder {
        // What had come in before is written down when each loop has answered. A deadline that passes while the files are
        // copied could leave half a record, which no process that is killed does.
        var before = self.timers(await self.service.status())
        var left = try self.folder.copy()
        while true {
            let after = self.timers(await self.service.status())
            if after == before { break }
            before = after
            left = try self.folder.copy()
        }
        var timeouts = self.service.timeouts
        timeouts.drainMilliseconds = 1
        self.service.setTimeouts(timeouts)
        self.running.cancel()
        return left
    }

    /// What changes where something is written that no client or cluster has caused at that moment.
    private func timers(_ status: DualWriterStatus) -> [UInt64] {
        [
            status.counters.doubtful, status.counters.source.timeouts, status.counters.target.timeouts,
            status.counters.source.shadowDead, status.counters.target.shadowDead,
        ]
    }

    /// Waits for the end of the thread and the files of one that was killed.
    func buried() async {
        _ = try? await self.running.value
    }
}
