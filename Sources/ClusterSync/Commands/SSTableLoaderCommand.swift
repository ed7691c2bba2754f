import ArgumentParser
import FoundationEssentials
import Logging
import NIOPosix
import Operations
import SSTableLoader
import ServiceLifecycle
import UnixSignals

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// `cluster-sync sstable-loader`: the bulk load of what was there before.
struct SSTableLoaderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sstable-loader",
        abstract: "Load what was there before dual writing began, from a cluster or from SSTable files.",
        subcommands: [
            Run.self, Plan.self, LoaderStatusCommand.self, LoaderStartCommand.self, LoaderMigrateCommand.self,
            LoaderStopCommand.self, LoaderPauseCommand.self, LoaderResumeCommand.self, LoaderDiscoverCommand.self,
            LoaderIndexesCommand.self,
        ],
        defaultSubcommand: Run.self
    )

    /// What names the configuration.
    struct Options: ParsableArguments {
        @Option(
            help: "A YAML file; config/sstable-loader.yaml explains every key.",
            completion: .file(extensions: ["yaml", "yml"])
        )
        var config: String?

        @Option(name: .customLong("set"), help: "Any key of the file, as key=value. Can be repeated.")
        var settings: [String] = []

        /// Reads the configuration, and sets up the log by it.
        func load(logLevel: Logger.Level? = nil) throws -> (LoaderConfiguration, Logger) {
            let layers = try ConfigurationOptions.layers(.loader, file: self.config, settings: self.settings)
            let configuration: LoaderConfiguration
            do {
                configuration = try LoaderConfiguration(layers, readFile: ConfigurationOptions.secret)
            } catch {
                throw fail(Exit.configuration, "\(error)")
            }
            let logger = ConfigurationOptions.startLog(
                logLevel ?? configuration.logLevel,
                configuration.logFormat,
                layers
            )
            return (configuration, logger)
        }
    }

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Load, and serve the loader's admin port meanwhile.",
            discussion: """
                Started again, it goes on where it was; started several times with one job, the workers share it.

                Exit codes: 0 everything has arrived, 1 something is missing (the last lines say what), 69 an address cannot \
                be listened on, 73 the state folder is unusable, 74 ended before everything had arrived, 78 wrong configuration.
                """
        )

        @OptionGroup var options: Options

        @Flag(help: "Change nothing, and say what would be done: as sstable-loader plan.")
        var dryRun = false

        func run() async throws {
            if self.dryRun { return try await Plan.say(self.options, asJSON: false) }
            // A file that may not grow (ulimit -f, LimitFSIZE) is an error with the file's name, not the end of the process.
            signal(SIGXFSZ, SIG_IGN)
            let (configuration, logger) = try self.options.load()
            do {
                try FileManager.default.createDirectory(
                    atPath: configuration.stateDirectory,
                    withIntermediateDirectories: true
                )
            } catch {
                throw fail(
                    Exit.state,
                    "the folder '\(configuration.stateDirectory)' (state_dir) cannot be made: \(StateFolder.reason(error))"
                )
            }
            let secrets = SecretReloader(interval: .milliseconds(configuration.reloadMilliseconds), logger: logger)
            let settings: LoadSettings
            do {
                settings = try await configuration.settings(secrets: secrets)
            } catch {
                throw fail(Exit.configuration, "\(error)")
            }
            let engine = LoaderEngine(
                configuration,
                settings,
                on: MultiThreadedEventLoopGroup.singleton,
                logger: logger
            )
            try await Self.serve(engine, secrets, logger)
            switch engine.end {
            case .done, .idle: return
            case .failed: throw Exit.negative
            case .running, .paused, .stopping, .stopped: throw Exit.undelivered
            }
        }

        private static func serve(_ engine: LoaderEngine, _ secrets: SecretReloader, _ logger: Logger) async throws {
            let configuration = engine.configuration
            let port: AdminServer.Configuration
            do {
                port = try await AdminServer.Configuration(
                    configuration.admin,
                    token: configuration.adminToken,
                    tls: configuration.adminTLS,
                    following: secrets,
                    logger: logger
                )
            } catch {
                throw fail(Exit.configuration, "admin.tls: \(error)")
            }
            let metrics = MetricsRegistry()
            metrics.register { page in ProcessMetrics.collect(into: &page) }
            metrics.register { page in LoaderMetrics.collect(await engine.status(), into: &page) }
            let admin = AdminServer(
                configuration: port,
                loader: engine,
                log: RunningLog(LogSettings(level: configuration.logLevel), logger: logger),
                metrics: metrics,
                eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
                logger: logger
            ) { address in
                logger.info("admin port listens", metadata: ["address": "\(address)"])
            }
            let group = ServiceGroup(
                configuration: .init(
                    services: [
                        .init(service: secrets), .init(service: admin),
                        .init(
                            service: ProgressLine(logger: logger) {
                                let status = await engine.status()
                                return status.run.state.isActive ? status.progressText : nil
                            },
                            successTerminationBehavior: .ignore
                        ),
                        .init(service: engine, successTerminationBehavior: .gracefullyShutdownGroup),
                    ],
                    gracefulShutdownSignals: [.sigterm, .sigint],
                    logger: logger
                )
            )
            do {
                try await group.run()
            } catch {
                throw fail(Exit.unavailable, "\(error)")
            }
        }
    }

    struct Plan: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say what a load would do, and change nothing.",
            discussion: """
                Exit codes: 0 everything that is wanted can be loaded, 1 something cannot (it says what), 66 a path of the \
                source cannot be read, 69 a cluster does not answer, 78 wrong configuration.
                """
        )

        @OptionGroup var options: Options

        @Flag(help: "Print the plan as JSON.")
        var json = false

        func run() async throws { try await Self.say(self.options, asJSON: self.json) }

        static func say(_ options: Options, asJSON: Bool) async throws {
            let (configuration, logger) = try options.load(logLevel: .warning)
            let secrets = SecretReloader(interval: .milliseconds(configuration.reloadMilliseconds), logger: logger)
            let group = MultiThreadedEventLoopGroup.singleton
            let plan: LoadPlan
            do {
                let settings = try await configuration.settings(secrets: secrets)
                plan = try await LoaderEngine(configuration, settings, on: group, logger: logger).plan(of: .everything)
            } catch let error as AdminError {
                throw fail(error.code == .nothingFound ? Exit.input : Exit.unavailable, error.message)
            } catch {
                throw fail(Exit.configuration, "\(error)")
            }
            if asJSON {
                Output.line(String(decoding: try DocumentCoding.encode(plan), as: UTF8.self))
            } else {
                Output.line("\(plan)")
            }
            if !plan.isLoadable { throw Exit.negative }
        }
    }
}
