import DualWriter
import Logging
import NIOCore
import NIOPosix
import Operations
import ServiceLifecycle
import SharedState

/// The parts of a running sidecar, put together: the proxy, what controls it, and the admin port.
struct SidecarAssembly {
    let service: DualWriterService
    let proxy: ServiceProxy
    private let admin: AdminServer
    private let following: SharedMode.Following?
    private let prepared: PreparedKeeper
    private let gates: GateWatch

    init(
        _ dualWriter: DualWriterConfiguration,
        _ configuration: SidecarConfiguration,
        _ store: PhaseStore,
        _ phase: PhaseState,
        _ shadows: ShadowStore?,
        _ admin: AdminServer.Configuration,
        shared: SharedMode? = nil,
        logger: Logger,
        onAdminListening: @escaping @Sendable (SocketAddress) async -> Void
    ) {
        let service = DualWriterService(configuration: dualWriter, store: shadows, logger: logger)
        self.service = service
        self.prepared = PreparedKeeper(
            store: PreparedStore(folder: store.folder),
            proxy: service,
            logger: logger
        )
        self.proxy = ServiceProxy(
            service: service,
            filter: CurrentFilter(
                configuration.filter,
                from: configuration.filterFile.map { .file($0) } ?? .configuration
            )
        )
        let control = SidecarControl(
            proxy: self.proxy,
            store: store,
            phase: phase,
            configuration: configuration,
            timeouts: dualWriter.timeouts,
            shared: shared?.control,
            stage: dualWriter.stage,
            logger: logger
        )
        self.gates = GateWatch(control: control)
        self.following = shared?.following(control)
        let metrics = MetricsRegistry()
        metrics.register { page in ProcessMetrics.collect(into: &page) }
        metrics.register { page in SidecarMetrics.collect(await control.nextVerdict(), into: &page) }
        if let shared { metrics.register { page in SidecarMetrics.collect(shared.control.latest, into: &page) } }
        metrics.register { page in
            SidecarMetrics.collect(await service.status(lookingAtTables: true), into: &page)
        }
        self.admin = AdminServer(
            configuration: admin,
            control: control,
            health: control,
            live: control,
            metrics: metrics,
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: logger,
            onListening: onAdminListening
        )
    }

    /// In the order of their start. Stopping goes backwards: the proxy drains while the admin port still says so.
    var services: [ServiceGroupConfiguration.ServiceConfiguration] {
        [
            .init(service: self.admin), .init(service: self.prepared), .init(service: self.proxy),
            .init(service: self.gates),
        ] + (self.following.map { [.init(service: $0)] } ?? []) + [.init(service: self.service)]
    }
}
