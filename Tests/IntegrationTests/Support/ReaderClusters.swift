import CQLProtocol
import EmbeddedNode
import FoundationEssentials
import NIOCore
import NIOPosix
import TestSupport

/// Two nodes with the same table and the same rows, for readers that run as processes of their own.
final class ReaderClusters: Sendable {
    static let rows = 200
    let source: EmbeddedNode
    let target: EmbeddedNode
    /// Clients of the two.
    let atSource: TestClient
    let atTarget: TestClient
    let folder: TemporaryFolder

    /// - Parameter faults: what the nodes do wrong from the beginning.
    init() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        self.folder = try TemporaryFolder()
        self.source = try await EmbeddedNode.start(on: group, store: EmbeddedStore())
        self.target = try await EmbeddedNode.start(on: group, store: EmbeddedStore())
        self.atSource = try await Self.client(of: self.source)
        self.atTarget = try await Self.client(of: self.target)
        for client in [self.atSource, self.atTarget] {
            try await client.makeTables("p int, c int, v text, PRIMARY KEY (p, c)", in: "shop")
            for row in 0..<Self.rows { try await Self.write(row, "v\(row)", client) }
        }
    }

    private static func client(of node: EmbeddedNode) async throws -> TestClient {
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: node.port)
        return try await TestClient.start(on: address, group: MultiThreadedEventLoopGroup.singleton)
    }

    /// Writes a row, a second later than `row` says where it is to differ from one of the same number.
    static func write(_ row: Int, _ value: String, _ client: TestClient, seconds: Int64 = 0) async throws {
        let text = "INSERT INTO shop.t (p, c, v) VALUES (\(row / 10), \(row % 10), '\(value)')"
        _ = try await client.ask(query(text, timestamp: 1_700_000_000_000_000 + Int64(row) + seconds * 1_000_000))
    }

    /// What a node has of a row: its value and its writetime.
    static func row(_ row: Int, _ client: TestClient) async throws -> [String] {
        let text = "SELECT v, writetime(v) FROM shop.t WHERE p = \(row / 10) AND c = \(row % 10)"
        guard let cells = try await client.ask(query(text)).rows?.first?.cells else { return [] }
        return cells.map { cell in cell.map { "\(Array($0.readableBytesView))" } ?? "null" }
    }

    /// What makes a command of the reader work between the two.
    func arguments(_ command: [String], settings: [String] = []) -> [String] {
        let all =
            [
                "source.hosts=127.0.0.1:\(self.source.port)", "target.hosts=127.0.0.1:\(self.target.port)",
                "settle.wait_ms=1", "settle.pause_max_ms=10", "state_dir=\(self.folder.path)/state",
                "admin.listen=127.0.0.1:0",
            ] + settings
        return ["dual-reader"] + command + all.flatMap { ["--set", $0] }
    }

    func run(_ command: [String], settings: [String] = []) async throws -> ChildProcess.Result {
        try await ChildProcess(self.arguments(command, settings: settings)).result()
    }

    func stop() async {
        await self.atSource.close()
        await self.atTarget.close()
        await self.source.stop()
        await self.target.stop()
    }
}
