import CQLClient
import CQLProtocol
import DualWriteCore
import DualWriter
import EmbeddedNode
import NIOCore
import NIOPosix
import TestSupport
import Testing

/// Two embedded nodes that outlive the sidecars between them, and the folder that outlives those.
struct JournalHarness {
    let source: EmbeddedNode
    let target: EmbeddedNode
    let folder: TemporaryFolder
    private let group = MultiThreadedEventLoopGroup.singleton

    static func run(
        schema: String = "p text PRIMARY KEY, v text",
        _ body: (JournalHarness) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let harness = JournalHarness(
            source: try await EmbeddedNode.start(on: group),
            target: try await EmbeddedNode.start(on: group),
            folder: try TemporaryFolder()
        )
        let result: Result<Void, any Error>
        do {
            for cluster in Cluster.allCases {
                try await harness.client(of: cluster) { try await $0.makeTables(schema, in: "one") }
            }
            result = .success(try await body(harness))
        } catch {
            result = .failure(error)
        }
        await harness.source.stop()
        await harness.target.stop()
        try result.get()
    }

    func node(_ cluster: Cluster) -> EmbeddedNode { cluster == .source ? self.source : self.target }

    /// A client of a node itself, past any sidecar.
    func client<Result>(of cluster: Cluster, _ body: (TestClient) async throws -> Result) async throws -> Result {
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: self.node(cluster).port)
        let client = try await TestClient.start(on: address, group: self.group)
        let result = try await body(client)
        await client.close()
        return result
    }

    /// All rows of the table with the write times of a column.
    func rows(_ cluster: Cluster, _ columns: String = "p, v, writetime(v)") async throws -> Set<[ByteBuffer?]> {
        try await self.client(of: cluster) { client in
            guard case .result(.rows(let rows)) = try await client.ask(query("SELECT \(columns) FROM one.t")) else {
                return []
            }
            return Set(rows.map(\.cells))
        }
    }

    /// Runs `body` with a sidecar on the folder, or on a copy of it, and a client of it.
    func sidecar(
        _ mode: WriteMode,
        in folder: TemporaryFolder? = nil,
        journal: ShadowStore.Configuration = .small,
        configure: (inout DualWriterConfiguration) -> Void = { _ in },
        _ body: (DualWriterService, TestClient) async throws -> Void
    ) async throws {
        try await RunningProxy.run(
            between: ("127.0.0.1", self.source.port),
            and: ("127.0.0.1", self.target.port),
            mode: mode,
            folder: folder ?? self.folder,
            journal: journal,
            configure: {
                // A node that is well again is found out soon.
                $0.limits.shadowBreaker.pauseMillisecondsMax = 250
                configure(&$0)
            }
        ) { proxy in
            let client = try await TestClient.start(on: try #require(proxy.boundAddress), group: self.group)
            try await body(proxy, client)
            await client.close()
        }
    }

    /// Waits until nothing is owed any more, with patience for each answer: a busy machine must not be taken for a silent node.
    ///
    /// - Parameter silently: the node goes on being silent; then the patience stays as it is.
    func settled(_ proxy: DualWriterService, silently: Bool = false) async throws {
        if !silently { proxy.wait() }
        try await eventually {
            await proxy.status().legs.allSatisfy { $0.shadowWritesQueued == 0 }
        }
    }
}
