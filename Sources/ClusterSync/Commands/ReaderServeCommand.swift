import ArgumentParser
import CQLClient
import DualReader
import Logging
import NIOPosix
import Operations
import ServiceLifecycle
import UnixSignals

extension DualReaderCommand {
    /// `cluster-sync dual-reader serve`, which is what `cluster-sync dual-reader` alone does.
    struct Serve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Serve the reader's admin port, and compare when it or the interval asks for it, until told to end.",
            discussion: """
                A cluster that is away is waited for. Started again, an interrupted comparison goes on where it was with the \
                next one of the same.

                Exit codes: 0 told to end, 69 an address cannot be listened on, 73 or 75 the state folder is unusable or taken, \
                78 wrong configuration.
                """
        )

        @OptionGroup var options: Options

        func run() async throws {
            let (configuration, logger) = try self.options.load()
            let folder = try Options.folder(configuration.stateDirectory)
            let secrets = SecretReloader(interval: .milliseconds(configuration.reloadMilliseconds), logger: logger)
            var settings: CompareSettings
            let dualWriter: DualWriterView
            var peer: PeerConnection?
            do {
                settings = try await configuration.settings(only: nil, secrets: secrets)
                if let place = configuration.peer { peer = try await PeerConnection(place, secrets: secrets) }
                settings.peering = peer?.peering
                dualWriter = try await DualWriterView(configuration.sidecars, secrets: secrets)
            } catch {
                throw fail(Exit.configuration, "\(error)")
            }
            let engine = ReaderEngine(
                configuration,
                settings,
                dualWriter: dualWriter,
                folder: folder,
                on: MultiThreadedEventLoopGroup.singleton,
                logger: logger
            )
            try await Self.serve(engine, secrets, peer, logger)
        }

        private static func serve(
            _ engine: ReaderEngine,
            _ secrets: SecretReloader,
            _ peer: PeerConnection?,
            _ logger: Logger
        ) async throws {
            let service = engine.configuration.service
            let port: AdminServer.Configuration
            do {
                port = try await .init(
                    service.admin,
                    token: service.token,
                    tls: service.adminTLS,
                    following: secrets,
                    logger: logger
                )
            } catch {
                throw fail(Exit.configuration, "\(error)")
            }
            let metrics = MetricsRegistry()
            metrics.register { page in ProcessMetrics.collect(into: &page) }
            metrics.register { page in ReaderMetrics.collect(await engine.status(), into: &page) }
            let admin = AdminServer(
                configuration: port,
                reader: engine,
                log: RunningLog(LogSettings(level: engine.configuration.logLevel), logger: logger),
                metrics: metrics,
                eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
                logger: logger
            ) { address in
                logger.info("admin port listens", metadata: ["address": "\(address)"])
            }
            let group = ServiceGroup(
                configuration: .init(
                    services: (peer.map { [.init(service: $0)] } ?? []) + [
                        .init(service: secrets), .init(service: admin), .init(service: engine),
                    ],
                    gracefulShutdownSignals: [.sigterm, .sigint],
                    logger: logger
                )
            )
            do {
                try await group.run()
            } catch {
                throw fail(Exit.unavailable, service.admin.words(error))
            }
        }
    }
}
