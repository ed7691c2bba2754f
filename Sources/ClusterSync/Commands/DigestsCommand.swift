import ArgumentParser
import DualReader
import Logging
import NIOPosix
import Operations
import ServiceLifecycle
import UnixSignals

/// `cluster-sync dual-reader digests`: answers a reader near the other cluster.
struct DigestsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "digests",
        abstract: "Answer a reader near the other cluster with digests of what this one's cluster has.",
        discussion: """
            It serves POST /v1/digests on admin.listen, reads one cluster alone, and writes nothing. What counts as a \
            difference must be configured as it is for the reader that asks.

            Exit codes: 0 told to end, 69 the cluster or the port cannot be used, 78 wrong configuration.
            """
    )

    @Option(
        help: "A YAML file; config/dual-reader.yaml explains every key.",
        completion: .file(extensions: ["yaml", "yml"])
    )
    var config: String?

    @Option(name: .customLong("set"), help: "Any key of the file, as key=value. Can be repeated.")
    var settings: [String] = []

    @Option(help: "The cluster that is near: source or target.")
    var cluster: String

    func run() async throws {
        guard let side = Side(rawValue: self.cluster) else {
            throw ValidationError("--cluster is source or target, not '\(self.cluster)'")
        }
        let layers = try ConfigurationOptions.layers(.reader, file: self.config, settings: self.settings)
        let configuration: ReaderConfiguration
        do {
            configuration = try ReaderConfiguration(layers, readFile: ConfigurationOptions.secret)
        } catch {
            throw fail(Exit.configuration, "\(error)")
        }
        let logger = ConfigurationOptions.startLog(configuration.logLevel, configuration.logFormat, layers)
        let secrets = SecretReloader(interval: .milliseconds(configuration.reloadMilliseconds), logger: logger)
        let settings: CompareSettings
        do {
            settings = try await configuration.settings(only: nil, secrets: secrets)
        } catch {
            throw fail(Exit.configuration, "\(error)")
        }
        let answerer = DigestAnswerer(
            settings,
            side: side,
            on: MultiThreadedEventLoopGroup.singleton,
            logger: logger
        )
        let source = PeerSource(answerer: answerer)
        let admin: AdminServer
        do {
            admin = try await Self.admin(configuration, source, secrets, logger)
        } catch {
            throw fail(Exit.configuration, "\(error)")
        }
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: secrets), .init(service: source), .init(service: admin)],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
        )
        do { try await group.run() } catch {
            throw fail(Exit.unavailable, configuration.service.admin.words(error))
        }
    }

    private static func admin(
        _ configuration: ReaderConfiguration,
        _ source: PeerSource,
        _ secrets: SecretReloader,
        _ logger: Logger
    ) async throws(FileFault) -> AdminServer {
        let service = configuration.service
        return AdminServer(
            configuration: try await .init(
                service.admin,
                token: service.token,
                tls: service.adminTLS,
                following: secrets,
                logger: logger
            ),
            digests: source,
            readiness: { source.answerer.isConnected ? .ready : .notReady(reason: "no connection to the cluster") },
            metrics: MetricsRegistry(),
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: logger
        ) { address in
            logger.info("admin port listens", metadata: ["address": "\(address)"])
        }
    }
}
