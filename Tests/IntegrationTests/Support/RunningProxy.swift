import CQLClient
import DualWriteCore
import DualWriter
import Logging
import NIOCore
import ShadowJournal
import SystemPackage
import TestSupport
import Testing

/// A proxy between two clusters for as long as a test needs it.
enum RunningProxy {
    typealias Place = (host: String, port: Int)

    /// Runs `body` with a proxy that is up, then stops it.
    ///
    /// - Parameter folder: of the journal; nil: one that goes with the proxy.
    static func run(
        between source: Place,
        and target: Place,
        mode: WriteMode,
        folder kept: TemporaryFolder? = nil,
        journal: ShadowStore.Configuration = .small,
        logger given: Logger? = nil,
        configure: (inout DualWriterConfiguration) -> Void = { _ in },
        isUp: (DualWriterStatus) -> Bool = { $0.legs.allSatisfy(\.isConnected) },
        _ body: (DualWriterService) async throws -> Void
    ) async throws {
        func cluster(_ name: String, _ place: Place) -> ClusterConfiguration {
            ClusterConfiguration(name: name, contactPoints: [ContactPoint(host: place.host, port: place.port)])
        }
        var configuration = DualWriterConfiguration(
            listenAddress: try SocketAddress(ipAddress: "127.0.0.1", port: 0),
            source: cluster("source", source),
            target: cluster("target", target),
            mode: mode
        )
        configuration.timeouts = .ofTests
        configure(&configuration)
        var logger = given ?? Logger(label: "proxy")
        if given == nil { logger.logLevel = .critical }
        let folder = try kept ?? TemporaryFolder()
        let store = try ShadowStore(FilePath(folder.path), journal)
        let proxy = DualWriterService(configuration: configuration, store: store, logger: logger)
        let running = Task { try await proxy.run() }
        let result: Result<Void, any Error>
        do {
            try await eventually { isUp(await proxy.status()) && proxy.boundAddress != nil }
            try await body(proxy)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        running.cancel()
        _ = try? await running.value
        try result.get()
    }
}

extension ShadowStore.Configuration {
    /// Files that are short enough for a test to fill some.
    static var small: Self {
        var configuration = Self()
        configuration.segmentBytes = 64 << 10
        return configuration
    }
}

extension DualWriterTimeouts {
    /// The defaults, but a stop that does not wait for long.
    static var ofTests: Self {
        var timeouts = Self()
        timeouts.drainMilliseconds = 2_000
        return timeouts
    }
}

extension DualWriterService {
    /// Lets requests from now on wait for other times; without a change for those that they begin with.
    ///
    /// A test shortens them when somebody is about to be silent and not before: on a busy machine an honest answer takes long, too.
    func wait(_ change: (inout DualWriterTimeouts) -> Void = { _ in }) {
        var timeouts = DualWriterTimeouts.ofTests
        change(&timeouts)
        self.setTimeouts(timeouts)
    }
}
