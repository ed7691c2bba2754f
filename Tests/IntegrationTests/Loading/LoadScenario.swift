import CQLProtocol
import DualWriteCore
import EmbeddedNode
import FoundationEssentials
import NIOCore
import NIOPosix
import Operations
import Synchronization
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Two nodes with old data on the source, a sidecar process between them with applications that write, and loader processes that
/// are killed and started again.
final class LoadScenario: Sendable {
    /// How far clocks may be apart here, in milliseconds: all are one. A switch is told to the millisecond, and writes were on their
    /// way then.
    private static let skewMilliseconds = 500
    private static let group = MultiThreadedEventLoopGroup.singleton

    let keyspace: String
    let stores: [Cluster: EmbeddedStore] = [.source: EmbeddedStore(), .target: EmbeddedStore()]
    private let configurations: [Cluster: EmbeddedNodeConfiguration]
    private let nodes: Mutex<[Cluster: EmbeddedNode]>
    private let folder: TemporaryFolder

    /// - Parameter release: what the nodes say that they are, which decides what they tell of elements' times.
    init(keyspace: String, release: String, schema: [String]) async throws {
        self.keyspace = keyspace
        self.folder = try TemporaryFolder()
        var configuration = EmbeddedNodeConfiguration()
        configuration.releaseVersion = release
        // Eight ranges, so that a load has some parts to each table.
        configuration.tokens = (Int64(-3)...4).map { $0 == 4 ? .max : $0 << 61 }
        self.configurations = [.source: configuration, .target: configuration]
        var nodes: [Cluster: EmbeddedNode] = [:]
        for cluster in Cluster.allCases {
            nodes[cluster] = try await EmbeddedNode.start(
                on: Self.group,
                store: self.stores[cluster] ?? EmbeddedStore(),
                configuration: configuration
            )
        }
        self.nodes = Mutex(nodes)
        let replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
        for cluster in Cluster.allCases {
            try await self.client(of: cluster) { client in
                for text in ["CREATE KEYSPACE \(keyspace) WITH replication = \(replication)"] + schema {
                    let answer = try await client.ask(query(text))
                    guard case .result = answer else { throw WrittenTable.Strange(answer: answer) }
                }
            }
        }
    }

    func port(_ cluster: Cluster) -> Int { self.nodes.withLock { $0[cluster]?.port ?? 0 } }

    /// A client of a node itself, past the sidecar.
    func client<Result>(of cluster: Cluster, _ body: (TestClient) async throws -> Result) async throws -> Result {
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: self.port(cluster))
        let client = try await TestClient.start(on: address, group: Self.group)
        let result = try await body(client)
        await client.close()
        return result
    }

    func stop() async { for node in self.nodes.withLock({ Array($0.values) }) { await node.stop() } }

    // MARK: The sidecar

    /// A sidecar that writes to the source alone, and where applications find it.
    func sidecar() async throws -> (process: SidecarProcess, address: SocketAddress) {
        let sidecar = try await SidecarProcess(files: [:]) { folder in
            """
            listen: 127.0.0.1:0
            admin: {listen: 127.0.0.1:0}
            state_dir: \(folder)/state
            write_mode: PrimaryOnly
            source: {hosts: ["127.0.0.1:\(self.port(.source))"]}
            target: {hosts: ["127.0.0.1:\(self.port(.target))"]}
            """
        }
        try await eventually { try await sidecar.status().legs.allSatisfy(\.connected) }
        let listen = try #require(try await sidecar.status().listen.firstMatch(of: #/:(\d+)$/#)?.output.1)
        return (sidecar, try SocketAddress(ipAddress: "127.0.0.1", port: try #require(Int(listen))))
    }

    // MARK: Loaders

    /// A loader process from here to the target.
    func loader(from source: [String], _ sidecar: SidecarProcess, _ settings: String...) throws -> ChildProcess {
        try self.loader(
            source + [
                "target.hosts=127.0.0.1:\(self.port(.target))", "ceiling=dual_writer",
                "dual_writer.admin=\(sidecar.admin)", "clock_skew_ms=\(Self.skewMilliseconds)", "job.lease_ms=5000",
                "state_dir=\(self.folder.path)/state",
            ] + settings
        )
    }

    /// A loader process of files into the source, as they lie there.
    func loader(intoSource files: [String]) throws -> ChildProcess {
        try self.loader(
            files + [
                "target.hosts=127.0.0.1:\(self.port(.source))", "ceiling=none", "state_dir=\(self.folder.path)/before",
            ]
        )
    }

    /// A loader process of files into the target, without applications and a sidecar.
    func loader(intoTarget files: [String], _ settings: String...) throws -> ChildProcess {
        try self.loader(
            files + [
                "target.hosts=127.0.0.1:\(self.port(.target))", "ceiling=none", "state_dir=\(self.folder.path)/state",
            ] + settings
        )
    }

    private func loader(_ settings: [String]) throws -> ChildProcess {
        let all = settings + ["admin.listen=127.0.0.1:0"]
        return try ChildProcess(["sstable-loader"] + all.flatMap { ["--set", $0] })
    }

    /// Loads while applications write, with a worker that is killed, a target that is away for a while, and a worker that is ended.
    ///
    /// - Parameters:
    ///   - source: where the loader reads, as its settings.
    ///   - isSnapshot: whether that was taken before any of this: then applications begin when both clusters are written.
    ///   - still: a table that nobody but the loader writes: there is seen how far it is.
    func run(
        _ tables: [WrittenTable],
        from source: [String],
        isSnapshot: Bool = false,
        still: String,
        seed: UInt64
    ) async throws {
        let (sidecar, address) = try await self.sidecar()
        if isSnapshot { #expect(try await sidecar.setMode(.dualWriteAsync)) }
        let writer = RandomWriter(tables, seed: seed)
        let writing = Task { try await writer.run(3, through: address) }
        try await writer.advanced(by: 100)
        if !isSnapshot { #expect(try await sidecar.setMode(.dualWriteAsync)) }

        let whole = self.count(still, .source)
        let slow = "limits.rows_per_second=500"
        let killed = try self.loader(from: source, sidecar, slow)
        try await eventually { self.count(still, .target) > 0 }
        killed.signal(SIGKILL)
        let first = await killed.result()
        #expect(first.code == 128 + SIGKILL, "\(first.errors)")

        let ended = try self.loader(from: source, sidecar, slow)
        // It must be at work when the target goes: what the first one has loaded says nothing of it.
        let loaded = self.count(still, .target)
        try await eventually { self.count(still, .target) > min(max(whole / 2, loaded), whole - 1) }
        await self.nodes.withLock { $0[.target] }?.kill()
        try await writer.advanced(by: 100)
        try await self.restartTarget()
        ended.signal(SIGTERM)
        let second = await ended.result()
        // 74: ended before everything had arrived.
        #expect(second.code == 74, "\(second.errors)")

        let last = await (try self.loader(from: source, sidecar)).result()
        #expect(last.code == 0, "\(last.errors)")
        try await writer.advanced(by: 100)
        writer.stop()
        try await writing.value
        #expect(writer.failures == [])
        try await eventually { try await sidecar.status().legs.allSatisfy { $0.shadowQueued == 0 } }
        #expect(try await sidecar.status().legs.allSatisfy { $0.shadowOverflowed == 0 && $0.shadowDead == 0 })
        let end = await sidecar.stop()
        #expect(end.code == 0, "\(end.errors)")
    }

    private func restartTarget() async throws {
        let again = try await EmbeddedNode.start(
            on: Self.group,
            port: self.port(.target),
            store: self.stores[.target] ?? EmbeddedStore(),
            configuration: self.configurations[.target] ?? EmbeddedNodeConfiguration()
        )
        self.nodes.withLock { $0[.target] = again }
    }

    // MARK: What has become of it

    func count(_ table: String, _ cluster: Cluster) -> Int {
        self.stores[cluster]?.cells(keyspace: self.keyspace, table: table).count ?? 0
    }

    /// What `dual-reader compare` says of all tables: `cells` with values and write times.
    func compare() async throws -> ChildProcess.Result {
        let settings = [
            "source.hosts=127.0.0.1:\(self.port(.source))", "target.hosts=127.0.0.1:\(self.port(.target))",
            "settle.wait_ms=1", "state_dir=\(self.folder.path)/compare",
        ]
        return try await ChildProcess.run(
            ["dual-reader", "compare", "--keyspace", self.keyspace] + settings.flatMap { ["--set", $0] }
        )
    }

    /// What differs between what both nodes store: values that are alive, with their write times.
    ///
    /// - Parameter untimed: columns whose elements' times are guessed.
    func differences(_ table: String, untimed: Set<String> = []) -> [String] {
        func cells(_ cluster: Cluster) -> [Place: Content] {
            var cells: [Place: Content] = [:]
            for cell in self.stores[cluster]?.cells(keyspace: self.keyspace, table: table) ?? [] {
                guard case .cell(let column) = cell.kind, let value = cell.value else { continue }
                let place = Place(
                    partition: cell.partition,
                    clustering: cell.clustering,
                    column: column,
                    path: cell.path
                )
                cells[place] = Content(
                    value: value,
                    timestamp: untimed.contains(column) ? nil : cell.timestamp,
                    isExpiring: cell.expiresAt > 0 && !untimed.contains(column)
                )
            }
            return cells
        }
        let (there, here) = (cells(.source), cells(.target))
        #expect(!there.isEmpty, "\(table) is empty")
        return Set(there.keys).union(here.keys).filter { there[$0] != here[$0] }.map { place in
            "\(table) \(place): \(there[place].map { "\($0)" } ?? "nothing") on the source, "
                + "\(here[place].map { "\($0)" } ?? "nothing") on the target"
        }
    }

    private struct Place: Hashable {
        let partition: [UInt8]
        let clustering: [[UInt8]]
        let column: String
        let path: [UInt8]
    }

    private struct Content: Hashable {
        let value: [UInt8]
        let timestamp: Int64?
        let isExpiring: Bool
    }
}
