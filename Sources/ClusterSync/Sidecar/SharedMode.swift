import CQLClient
import DualWriteCore
import DualWriter
import Logging
import NIOPosix
import ServiceLifecycle
import SharedState

/// This replica among the others that have the same write mode: joined before the proxy is made, followed while it runs.
struct SharedMode: Sendable {
    let control: SharedControl
    private let registers: [Cluster: ClusterRegister]

    /// Opens connections to the control state of both clusters.
    ///
    /// - Parameter phase: the write mode of the state folder, where no cluster has any.
    init(
        _ settings: ReplicaSettings,
        _ dualWriter: DualWriterConfiguration,
        admin: String,
        _ store: ControlStore,
        _ kept: Replica.Kept,
        _ phase: PhaseState,
        logger: Logger
    ) async {
        var registers: [Cluster: ClusterRegister] = [:]
        for (cluster, configuration) in [(Cluster.source, dualWriter.source), (.target, dualWriter.target)]
        where !configuration.contactPoints.isEmpty {
            registers[cluster] = ClusterRegister(
                name: settings.group,
                in: configuration,
                isLocal: settings.isLocal,
                replication: settings.replication,
                coding: ModesDocument(),
                on: MultiThreadedEventLoopGroup.singleton.next(),
                logger: logger
            )
        }
        for register in registers.values { await register.start() }
        var pace = SharedControl.Pace()
        pace.poll = .milliseconds(settings.pollMilliseconds)
        let replica = Replica(
            id: store.id,
            initial: phase.modes,
            initialEpoch: Int64(phase.epoch),
            kept: kept,
            times: settings.times
        )
        self.registers = registers
        self.control = SharedControl(
            replica,
            times: settings.times,
            address: settings.address ?? admin,
            registers: registers,
            memory: store,
            pace: pace,
            logger: logger
        )
    }

    /// A service that follows the others, and leaves them at its end.
    func following(_ taker: any StageTaker) -> Following { Following(mode: self, taker: taker) }

    struct Following: Service {
        let mode: SharedMode
        let taker: any StageTaker

        func run() async throws {
            await cancelWhenGracefulShutdown { await self.mode.control.run(self.taker) }
            await self.mode.close()
        }
    }

    func close() async { for register in self.registers.values { await register.stop() } }
}
