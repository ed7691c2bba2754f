import EmbeddedNode
import NIOCore
import NIOPosix
import TestSupport

/// Two nodes with a table; the source has rows.
final class LoaderClusters: Sendable {
    /// Rows of the source.
    let rows: Int
    let (from, to) = (EmbeddedStore(), EmbeddedStore())
    let source: EmbeddedNode
    let target: EmbeddedNode
    let folder: TemporaryFolder
    /// A client of the target.
    let client: TestClient

    /// - Parameter ranges: into how many the source's tokens are cut, a power of 2; each is a part of a load.
    init(rows: Int = 2_000, ranges: Int = 1) async throws {
        self.rows = rows
        let group = MultiThreadedEventLoopGroup.singleton
        self.folder = try TemporaryFolder()
        var configuration = EmbeddedNodeConfiguration()
        if ranges > 1 {
            let width = UInt64.max / UInt64(ranges) + 1
            configuration.tokens = (1...UInt64(ranges)).map { Int64(bitPattern: (1 << 63) &+ $0 &* width &- 1) }
        }
        self.source = try await EmbeddedNode.start(on: group, store: self.from, configuration: configuration)
        self.target = try await EmbeddedNode.start(on: group, store: self.to)
        for node in [self.source, self.target] {
            let client = try await Self.client(of: node)
            try await client.makeTables("p int, c int, v text, PRIMARY KEY (p, c)", in: "shop")
            await client.close()
        }
        self.client = try await Self.client(of: self.target)
        let writer = try await Self.client(of: self.source)
        for row in 0..<rows {
            let text = "INSERT INTO shop.t (p, c, v) VALUES (\(row / 10), \(row % 10), 'v\(row)')"
            _ = try await writer.ask(query(text, timestamp: 1_700_000_000_000_000 + Int64(row)))
        }
        await writer.close()
    }

    private static func client(of node: EmbeddedNode) async throws -> TestClient {
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: node.port)
        return try await TestClient.start(on: address, group: MultiThreadedEventLoopGroup.singleton)
    }

    /// What makes the command load between the two.
    func arguments(_ settings: String...) -> [String] { self.arguments(settings) }

    func arguments(_ settings: [String]) -> [String] {
        let all =
            [
                "source.hosts=127.0.0.1:\(self.source.port)", "target.hosts=127.0.0.1:\(self.target.port)",
                "ceiling=none", "state_dir=\(self.folder.path)/state", "admin.listen=127.0.0.1:0",
            ] + settings
        return ["sstable-loader"] + all.flatMap { ["--set", $0] }
    }

    func stored(_ store: EmbeddedStore) -> [StoredCell] { store.cells(keyspace: "shop", table: "t") }

    func cells(_ store: EmbeddedStore) -> Set<String> { Set(self.stored(store).map { "\($0)" }) }

    func stop() async {
        await self.client.close()
        await self.source.stop()
        await self.target.stop()
    }
}
