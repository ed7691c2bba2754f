import CQLClient
import DualWriteCore
import DualWriter
import EmbeddedNode
import Logging
import NIOCore
import NIOPosix
import Operations
import ServiceLifecycle
import Synchronization

/// What the demonstration plays on: two embedded nodes and a sidecar between them.
struct DemoStage: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let source: EmbeddedNode
    let target: EmbeddedNode
    let sidecar: SidecarAssembly
    private let adminAddress: AsyncStream<SocketAddress>
    let clusters: [Cluster: ClusterConfiguration]

    init(listen: String, admin: String, stateDirectory: String) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        func node(_ name: String) async throws -> EmbeddedNode {
            var configuration = EmbeddedNodeConfiguration()
            configuration.clusterName = name
            return try await EmbeddedNode.start(on: group, configuration: configuration)
        }
        self.source = try await node("source")
        self.target = try await node("target")
        let hosts = ["127.0.0.1:\(self.source.port)", "127.0.0.1:\(self.target.port)"]
        let layers = ConfigurationLayers(
            schema: .sidecar,
            options: [
                ("listen", listen), ("admin.listen", admin), ("state_dir", stateDirectory),
                ("source.hosts", hosts[0]), ("target.hosts", hosts[1]),
                // There is nothing to load, and the demonstration compares by itself.
                ("gates.bulk_load", "off"), ("gates.comparison", "off"),
            ],
            environment: [:],
            file: nil
        )
        let configuration = try SidecarConfiguration(layers) { _ in nil }
        let store = PhaseStore(folder: try StateFolder(path: configuration.stateDirectory))
        let phase = PhaseState(mode: .primaryOnly, epoch: 0, history: [])
        try store.save(phase)
        let logger = Logger(label: "sidecar")
        let (stream, continuation) = AsyncStream.makeStream(of: SocketAddress.self)
        self.adminAddress = stream
        self.sidecar = SidecarAssembly(
            try await configuration.dualWriter(mode: .primaryOnly, epoch: 0, secrets: SecretReloader(logger: logger)),
            configuration,
            store,
            phase,
            try configuration.openShadowStore(logger: logger),
            AdminServer.Configuration(host: configuration.admin.host, port: configuration.admin.port),
            logger: logger
        ) { address in
            continuation.yield(address)
            continuation.finish()
        }
        func cluster(_ name: String, _ host: String) throws -> ClusterConfiguration {
            ClusterConfiguration(name: name, contactPoints: [try ContactPoint(parsing: host)])
        }
        self.clusters = [.source: try cluster("source", hosts[0]), .target: try cluster("target", hosts[1])]
    }

    /// Waits until the sidecar serves; tells where applications connect and where the admin port is.
    func ready() async throws -> (proxy: ClusterConfiguration, admin: String) {
        var admin = ""
        for await address in self.adminAddress { admin = "http://127.0.0.1:\(address.port ?? 0)" }
        let deadline = ContinuousClock.now + .seconds(20)
        // Nothing tells when both legs stand, so it is asked.
        while ContinuousClock.now < deadline {
            let status = await self.sidecar.service.status()
            if let port = self.sidecar.service.boundAddress?.port, status.legs.allSatisfy(\.isConnected) {
                let point = ContactPoint(host: "127.0.0.1", port: port)
                return (ClusterConfiguration(name: "sidecar", contactPoints: [point]), admin)
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw Failure(description: "the sidecar does not reach both nodes")
    }

    /// Runs `body` with sessions on the sidecar and, past it, on both nodes.
    func withSessions(
        _ proxy: ClusterConfiguration,
        _ body: @Sendable @escaping (DemoSessions) async throws -> Bool
    ) async throws -> Bool {
        guard let source = self.clusters[.source], let target = self.clusters[.target] else { return false }
        let loops = MultiThreadedEventLoopGroup.singleton
        let quiet = Logger(label: "demo") { _ in SwiftLogNoOpLogHandler() }
        return try await CQLSession.withSession(source, on: loops.next(), logger: quiet) { source in
            try await CQLSession.withSession(target, on: loops.next(), logger: quiet) { target in
                try await CQLSession.withSession(proxy, on: loops.next(), logger: quiet) { application in
                    try await body(DemoSessions(application: application, source: source, target: target))
                }
            }
        }
    }

    func stopNodes() async {
        await self.source.stop()
        await self.target.stop()
    }
}

/// Who talks to whom in the demonstration.
struct DemoSessions: Sendable {
    /// Through the sidecar.
    let application: CQLSession
    /// Past it.
    let source: CQLSession
    /// Past it.
    let target: CQLSession
}
