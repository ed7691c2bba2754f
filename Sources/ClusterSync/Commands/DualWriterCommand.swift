import ArgumentParser
import DualWriteCore
import DualWriter
import FoundationEssentials
import Logging
import Operations
import ServiceLifecycle
import ShadowJournal
import UnixSignals

/// `cluster-sync dual-writer`: the sidecar.
struct DualWriterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dual-writer",
        abstract: "Run the sidecar: a CQL proxy that writes to two clusters.",
        discussion: """
            Values come from the command line, else from the environment (CLUSTER_SYNC_… for every key, and CASSANDRA_HOSTS, \
            SCYLLA_HOSTS, WRITE_MODE), else from the file, else they have their defaults. The write mode of the state folder \
            goes before all of them: a restart does not change it.

            Exit codes: 0 stopped in order, 69 an address cannot be listened on, 73 or 75 the state folder is unusable or \
            taken, 74 stopped while a cluster still lacked writes, 78 wrong configuration.
            """
    )

    @Option(
        help: "A YAML file; config/dual-writer-cassandra.yaml explains every key.",
        completion: .file(extensions: ["yaml", "yml"])
    )
    var config: String?

    @Option(help: "Where applications connect: host:port, or a port of 127.0.0.1.")
    var listen: String?

    @Option(help: "Where the admin port listens: host:port, or a port of 127.0.0.1.")
    var admin: String?

    @Option(help: "The folder that keeps the write mode; one sidecar each.")
    var stateDir: String?

    @Option(help: "The write mode of a new state folder.")
    var writeMode: String?

    @Option(name: .customLong("set"), help: "Any key of the file, as key=value. Can be repeated.")
    var settings: [String] = []

    func run() async throws {
        let (configuration, unknownVariables) = try self.load()
        SinkLogHandler.bootstrap(configuration.log.level, configuration.logFormat)
        let logger = Logger(label: "cluster-sync")
        for name in unknownVariables { logger.warning("\(name) is no variable of cluster-sync; it is ignored") }
        var (store, phase) = try self.openState(configuration, logger)
        if configuration.replica.control == .file,
            let missing = SidecarControl.missing(
                phase.mode,
                phase.modes.overrides,
                (configuration.source.hosts, configuration.target.hosts)
            )
        {
            throw fail(Exit.configuration, missing)
        }
        let secrets = SecretReloader(interval: .milliseconds(configuration.reloadMilliseconds), logger: logger)
        var dualWriter: DualWriterConfiguration
        do {
            dualWriter = try await configuration.dualWriter(mode: phase.mode, epoch: phase.epoch, secrets: secrets)
        } catch {
            throw fail(Exit.configuration, "\(error)")
        }
        let shared: SharedMode?
        (shared, phase) = try await Self.join(configuration, &dualWriter, store, phase, logger: logger)
        dualWriter.overrides = phase.modes.overrides
        Self.fit(&dualWriter.limits, logger)
        let prepared = PreparedStore(folder: store.folder).load()
        dualWriter.preparedTexts = prepared.texts
        if let remark = prepared.remark { logger.warning("prepared statements are not remembered: \(remark)") }
        let shadows: ShadowStore?
        do {
            shadows = try configuration.openShadowStore(logger: logger)
        } catch {
            throw fail(error.code == .inUse ? Exit.locked : Exit.state, "\(error)")
        }
        try await Self.serve(dualWriter, configuration, store, phase, shadows, shared, secrets, logger)
    }

    private func load() throws -> (SidecarConfiguration, unknownVariables: [String]) {
        var options: [(path: String, text: String)] = []
        for (path, text) in [
            ("listen", self.listen), ("admin.listen", self.admin), ("state_dir", self.stateDir),
            ("write_mode", self.writeMode),
        ] {
            if let text { options.append((path, text)) }
        }
        for setting in self.settings {
            let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw ValidationError("--set takes key=value, not '\(setting)'") }
            options.append((String(parts[0]), String(parts[1])))
        }
        do {
            let layers = ConfigurationLayers(
                schema: .sidecar,
                options: options,
                environment: ProcessInfo.processInfo.environment,
                file: self.config.map { ConfigurationFile(path: $0, schema: .sidecar) }
            )
            let configuration = try SidecarConfiguration(layers) { path in
                FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
            }
            return (configuration, layers.unknownVariables)
        } catch {
            throw fail(Exit.configuration, "\(error)")
        }
    }

    /// The write mode of the state folder, or of the configuration where the folder is new.
    private func openState(
        _ configuration: SidecarConfiguration,
        _ logger: Logger
    ) throws -> (PhaseStore, PhaseState) {
        do throws(StateError) {
            let store = PhaseStore(folder: try StateFolder(path: configuration.stateDirectory))
            if let (state, remark) = try store.load() {
                if let remark { logger.warning("state folder: \(remark)") }
                if state.mode != configuration.writeMode {
                    logger.notice(
                        "the write mode of the state folder goes before the configured one",
                        metadata: ["kept": "\(state.mode)", "configured": "\(configuration.writeMode)"]
                    )
                }
                if state.modes.overrides != configuration.overrides, !configuration.overrides.isEmpty {
                    logger.notice(
                        "the overrides of the state folder go before the configured ones",
                        metadata: [
                            "kept": "\(state.overrides.count)", "configured": "\(configuration.overrides.list.count)",
                        ]
                    )
                }
                return (store, state)
            }
            let state = PhaseState(
                mode: configuration.writeMode,
                epoch: 0,
                history: [],
                overrides: configuration.overrides.list.map { KeptOverride(override: $0, since: 0) }
            )
            try store.save(state)
            return (store, state)
        } catch {
            throw fail(error.code == .locked ? Exit.locked : Exit.state, error.description)
        }
    }

    /// Keeps the number of clients below what the process may have open.
    private static func fit(_ limits: inout DualWriterLimits, _ logger: Logger) {
        let openFiles = OpenFiles.raise()
        let wanted = limits.clientConnectionsMax
        let clients = OpenFiles.clients(wanted: wanted, refusals: limits.clientRefusalsMax, limit: openFiles)
        guard clients < wanted else { return }
        limits.clientConnectionsMax = clients
        logger.warning(
            "the process may not open enough files for limits.client_connections; raise its limit (ulimit -n)",
            metadata: ["open-files": "\(openFiles)", "wanted": "\(wanted)", "clients": "\(clients)"]
        )
    }

    private static func serve(
        _ dualWriter: DualWriterConfiguration,
        _ configuration: SidecarConfiguration,
        _ store: PhaseStore,
        _ phase: PhaseState,
        _ shadows: ShadowStore?,
        _ shared: SharedMode?,
        _ secrets: SecretReloader,
        _ logger: Logger
    ) async throws {
        let admin: AdminServer.Configuration
        do {
            admin = try await AdminServer.Configuration(
                configuration.admin,
                token: configuration.adminToken,
                tls: configuration.adminTLS,
                following: secrets,
                logger: logger
            )
        } catch {
            throw fail(Exit.configuration, "admin.tls: \(error)")
        }
        let sidecar = SidecarAssembly(
            dualWriter,
            configuration,
            store,
            phase,
            shadows,
            admin,
            shared: shared,
            logger: logger
        ) {
            address in
            logger.info("admin port listens", metadata: ["address": "\(address)"])
        }
        if let file = configuration.filterFile {
            await secrets.followFilter(file, configuration.filter, sidecar.proxy.setFilter)
        }
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: secrets)] + sidecar.services
                    + [.init(service: ProgramPages(logger: logger), successTerminationBehavior: .ignore)],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
        )
        do {
            try await group.run()
        } catch let error as DualWriterError where error.code == .writesOwed {
            throw fail(Exit.undelivered, error.description)
        } catch {
            throw fail(Exit.unavailable, "\(error)")
        }
    }
}
