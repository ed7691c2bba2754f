import CQLClient
import CQLProtocol
import DualWriteCore
import DualWriter
import EmbeddedNode
import Logging
import NIOCore
import NIOPosix
import Testing

/// A sidecar between two embedded nodes, over real sockets.
struct SidecarHarness {
    let proxy: DualWriterService
    let source: EmbeddedNode
    let target: EmbeddedNode
    let group: any EventLoopGroup

    var address: SocketAddress {
        get throws { try #require(self.proxy.boundAddress) }
    }

    func client() async throws -> TestClient { try await TestClient.start(on: try self.address, group: self.group) }

    func node(_ cluster: Cluster) -> EmbeddedNode { cluster == .source ? self.source : self.target }

    /// A client of the sidecar that has come as far as the answer to its name and password.
    func login(_ name: String, _ password: String) async throws -> (client: TestClient, answer: Response) {
        try await TestClient.login(name, password, on: try self.address, group: self.group)
    }

    /// What a node itself says, past the sidecar.
    func ask(
        _ cluster: Cluster,
        _ text: String,
        as login: (name: String, password: String)? = nil
    ) async throws -> Response {
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: self.node(cluster).port)
        let client =
            if let login {
                try await TestClient.login(login.name, login.password, on: address, group: self.group).client
            } else {
                try await TestClient.start(on: address, group: self.group)
            }
        let answer = try await client.ask(query(text))
        await client.close()
        return answer
    }

    /// Runs `body` with a sidecar that is connected to both nodes, then stops everything.
    ///
    /// - Parameter schema: statements that both nodes run before the sidecar starts.
    static func run(
        mode: WriteMode,
        node: EmbeddedNodeConfiguration = EmbeddedNodeConfiguration(),
        targetNode: EmbeddedNodeConfiguration? = nil,
        schema: [String] = [],
        configure: (inout DualWriterConfiguration) -> Void = { _ in },
        _ body: (SidecarHarness) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let source = try await EmbeddedNode.start(on: group, configuration: node)
        let target = try await EmbeddedNode.start(on: group, configuration: targetNode ?? node)
        for node in [source, target] where !schema.isEmpty {
            let client = try await TestClient.start(
                on: try SocketAddress(ipAddress: "127.0.0.1", port: node.port),
                group: group
            )
            for statement in schema { _ = try await client.ask(query(statement)) }
            await client.close()
        }
        let result: Result<Void, any Error>
        do {
            try await Self.serve(
                (host: "127.0.0.1", port: source.port),
                (host: "127.0.0.1", port: target.port),
                mode,
                configure
            ) { proxy in
                try await body(SidecarHarness(proxy: proxy, source: source, target: target, group: group))
            }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await source.stop()
        await target.stop()
        try result.get()
    }

    /// Runs `body` with the address of a sidecar between two real clusters.
    static func run(
        between clusters: RealClusters,
        mode: WriteMode,
        _ body: (SocketAddress) async throws -> Void
    ) async throws {
        try await Self.serve(
            (host: clusters[.source].host, port: clusters[.source].port),
            (host: clusters[.target].host, port: clusters[.target].port),
            mode,
            { _ in }
        ) { proxy in
            try await body(try #require(proxy.boundAddress))
        }
    }

    private static func serve(
        _ source: (host: String, port: Int),
        _ target: (host: String, port: Int),
        _ mode: WriteMode,
        _ configure: (inout DualWriterConfiguration) -> Void,
        _ body: (DualWriterService) async throws -> Void
    ) async throws {
        func cluster(_ name: String, _ place: (host: String, port: Int)) -> ClusterConfiguration {
            ClusterConfiguration(name: name, contactPoints: [ContactPoint(host: place.host, port: place.port)])
        }
        var configuration = DualWriterConfiguration(
            listenAddress: try SocketAddress(ipAddress: "127.0.0.1", port: 0),
            source: cluster("source", source),
            target: cluster("target", target),
            mode: mode
        )
        configuration.timeouts.drainMilliseconds = 2_000
        configure(&configuration)
        var logger = Logger(label: "proxy")
        logger.logLevel = .critical
        let proxy = DualWriterService(configuration: configuration, logger: logger)
        let running = Task { try await proxy.run() }
        let result: Result<Void, any Error>
        do {
            try await eventually {
                let status = await proxy.status()
                return proxy.boundAddress != nil && status.legs.allSatisfy(\.isConnected)
            }
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

extension Response {
    /// The texts of the first column, in order.
    var firstColumn: [String] {
        guard case .result(.rows(let rows)) = self else { return [] }
        return rows.map { row in row.cells.first.flatMap { $0.map { String(buffer: $0) } } ?? "null" }
    }
}
