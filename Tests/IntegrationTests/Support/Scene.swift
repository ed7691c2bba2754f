import CQLProtocol
import DualWriteCore
import DualWriter
import EmbeddedNode
import NIOCore
import TestSupport
import Testing

/// A sidecar between two nodes in which one thing is written while one thing goes wrong, and what has become of it.
struct Scene {
    /// What the client was told.
    enum Answer: Equatable {
        case done
        case applied(Bool)
        case error(ErrorCode)
    }

    /// Who will not answer: only for this one the sidecar's patience is short, so that a busy machine is not taken for a silent one.
    enum Silent { case primary, shadow, both }

    /// The table `t` has texts, `n` counters, `l` lists, all by a text key.
    static let tables = [
        "CREATE TABLE one.n (p text PRIMARY KEY, n counter)", "CREATE TABLE one.l (p text PRIMARY KEY, l list<text>)",
        "CREATE TABLE one.u (p text PRIMARY KEY, u timeuuid, d timestamp)",
    ]

    let harness: JournalHarness
    let proxy: DualWriterService
    let client: TestClient
    let mode: WriteMode

    var primary: Cluster { self.mode.primary }
    var shadow: Cluster { self.mode.primary.other }

    static func run(
        _ mode: WriteMode,
        silent: Silent? = nil,
        configure: (inout DualWriterConfiguration) -> Void = { _ in },
        _ body: (Scene) async throws -> Void
    ) async throws {
        try await JournalHarness.run { harness in
            for cluster in Cluster.allCases {
                try await harness.client(of: cluster) { client in
                    for table in Self.tables { _ = try await client.ask(query(table)) }
                }
            }
            try await Self.run(mode, harness, silent: silent, configure: configure, body)
        }
    }

    /// The same with nodes and a folder that have a past.
    static func run(
        _ mode: WriteMode,
        _ harness: JournalHarness,
        in folder: TemporaryFolder? = nil,
        silent: Silent? = nil,
        configure: (inout DualWriterConfiguration) -> Void = { _ in },
        _ body: (Scene) async throws -> Void
    ) async throws {
        try await harness.sidecar(mode, in: folder) {
            $0.timeouts.primaryWriteMilliseconds = silent == .primary || silent == .both ? 1_000 : 20_000
            $0.timeouts.shadowWriteMilliseconds = silent == .shadow || silent == .both ? 300 : 20_000
            $0.timeouts.drainMilliseconds = 200
            configure(&$0)
        } _: { proxy, client in
            try await body(Scene(harness: harness, proxy: proxy, client: client, mode: mode))
        }
    }

    func fault(_ cluster: Cluster, _ reaction: FaultRule.Reaction, on text: String, times: Int? = nil) {
        self.harness.node(cluster).setFaults([FaultRule(.textContains(text), reaction, times: times)])
    }

    func heal() { for cluster in Cluster.allCases { self.harness.node(cluster).setFaults([]) } }

    func write(_ text: String) async throws -> Answer {
        switch try await self.client.ask(query(text)) {
        case .error(let error): return .error(error.code)
        case .result(.rows(let rows)): return .applied(rows.first?["[applied]"]?.getInteger(at: 0, as: UInt8.self) == 1)
        case let other:
            #expect(other == .result(.void))
            return .done
        }
    }

    /// All cells of a query's answer, in some order.
    func cells(_ cluster: Cluster, _ text: String) async throws -> Set<[ByteBuffer?]> {
        try await self.harness.client(of: cluster) { client in
            guard case .result(.rows(let rows)) = try await client.ask(query(text)) else { return [] }
            return Set(rows.map(\.cells))
        }
    }

    /// Values of `one.t` with their write times, by cluster.
    func texts(_ cluster: Cluster) async throws -> Set<[ByteBuffer?]> {
        try await self.cells(cluster, "SELECT p, v, writetime(v) FROM one.t")
    }

    func isThere(_ cluster: Cluster, _ key: String = "k") async throws -> Bool {
        try await !self.cells(cluster, "SELECT v FROM one.t WHERE p = '\(key)'").isEmpty
    }

    /// The counter `k`; nil where there is none.
    func counter(_ cluster: Cluster) async throws -> Int64? {
        try await self.cells(cluster, "SELECT n FROM one.n WHERE p = 'k'").first?[0]?.getInteger(at: 0)
    }

    /// Both clusters hold the same, and something.
    func expectEqual(_ text: String = "SELECT p, v, writetime(v) FROM one.t") async throws {
        try await self.settled()
        let source = try await self.cells(.source, text)
        #expect(try await self.cells(.target, text) == source)
        #expect(!source.isEmpty)
    }

    func settled() async throws { try await self.harness.settled(self.proxy) }

    /// Why partitions are in doubt, on either cluster.
    var doubts: [DoubtReason] { self.proxy.dirtyPartitions(max: 100).map(\.reason) }
}
