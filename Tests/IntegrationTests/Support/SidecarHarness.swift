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
        logger: Logger? = nil,
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
            try await RunningProxy.run(
                between: (host: "127.0.0.1", port: source.port),
                and: (host: "127.0.0.1", port: target.port),
                mode: mode,
                logger: logger,
                configure: configure
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
        try await RunningProxy.run(
            between: (host: clusters[.source].host, port: clusters[.source].port),
            and: (host: clusters[.target].host, port: clusters[.target].port),
            mode: mode
        ) { proxy in
            try await body(try #require(proxy.boundAddress))
        }
    }
}

extension Response {
    /// The texts of the first column, in order.
    var firstColumn: [String] {
        guard case .result(.rows(let rows)) = self else { return [] }
        return rows.map { row in row.cells.first.flatMap { $0.map { String(buffer: $0) } } ?? "null" }
    }
}
