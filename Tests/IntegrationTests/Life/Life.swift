import CQLClient
import CQLProtocol
import DualWriteCore
import EmbeddedNode
import FoundationEssentials
import Logging
import NIOCore
import NIOPosix
import Operations
import Synchronization
import TestSupport
import Testing

/// A sidecar in a process of its own between two clusters of two embedded nodes each, and applications that use it over TLS.
final class Life: Sendable {
    static let group = MultiThreadedEventLoopGroup.singleton
    private static let silent = Logger(label: "life") { _ in SwiftLogNoOpLogHandler() }
    private static let schema = [
        "CREATE KEYSPACE life WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATE TABLE life.t (p int PRIMARY KEY, v text)",
    ]

    struct Passwords: Sendable {
        var app = "app 0"
        var service = "service 0"

        var authentication: EmbeddedNodeConfiguration.Authentication {
            .password(["app": self.app, "service": self.service])
        }

        /// The service's, as the sidecar finds it.
        var files: [String: Data] {
            let content = Data("\(self.service)\n".utf8)
            return ["source.password": content, "target.password": content]
        }
    }

    let state = Mutex(Account())
    let passwords = Mutex(Passwords())
    let certificate = Mutex("node")
    let stores: [Cluster: EmbeddedStore] = [.source: EmbeddedStore(), .target: EmbeddedStore()]
    let nodes: Mutex<[Cluster: [EmbeddedNode]]>
    let sidecar: SidecarProcess
    /// Where applications connect.
    let address: SocketAddress
    let app = RotatingCredentials(username: "app", password: "app 0")

    var account: Account { self.state.withLock { $0 } }

    init() async throws {
        var nodes: [Cluster: [EmbeddedNode]] = [:]
        for cluster in Cluster.allCases {
            for _ in 0..<2 {
                nodes[cluster, default: []].append(try await Self.node(0, self.stores[cluster], Passwords()))
            }
        }
        self.nodes = Mutex(nodes)
        for node in nodes.values.compactMap(\.first) { try await Self.makeSchema(node) }
        func cluster(_ cluster: Cluster, _ folder: String) -> String {
            """
            \(cluster):
              hosts: [\((nodes[cluster] ?? []).map { "127.0.0.1:\($0.port)" }.joined(separator: ", "))]
              username: service
              password_file: \(folder)/\(cluster).password
              compression: \(cluster == .source ? "lz4" : "none")
            """
        }
        let files = Passwords().files.merging(try Self.certificateFiles("node")) { $1 }
        let sidecar = try await SidecarProcess(files: files) { folder in
            """
            listen: 127.0.0.1:0
            tls: {certificate: \(folder)/tls.crt, key: \(folder)/tls.key}
            admin: {listen: 127.0.0.1:0}
            state_dir: \(folder)/state
            # As often as it may be, so that a short life has many of these moments.
            reload_ms: 100
            limits: {idle_pool_ms: 400}
            # Nothing was there before, and the life itself compares; what fails on purpose must not keep it in one mode.
            gates: {bulk_load: off, comparison: off, error_rate: off, dead_letters: off, losses: off, mismatches: off}
            \(cluster(.source, folder))
            \(cluster(.target, folder))
            """
        }
        try await eventually { try await sidecar.status().legs.allSatisfy(\.connected) }
        let listen = try #require(try await sidecar.status().listen.firstMatch(of: #/:(\d+)$/#)?.output.1)
        self.address = try SocketAddress(ipAddress: "127.0.0.1", port: try #require(Int(listen)))
        self.sidecar = sidecar
    }

    static func node(
        _ port: Int,
        _ store: EmbeddedStore?,
        _ passwords: Passwords
    ) async throws -> EmbeddedNode {
        var configuration = EmbeddedNodeConfiguration()
        configuration.authentication = passwords.authentication
        return try await EmbeddedNode.start(
            on: Self.group,
            port: port,
            store: store ?? EmbeddedStore(),
            configuration: configuration
        )
    }

    private static func makeSchema(_ node: EmbeddedNode) async throws {
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: node.port)
        let (client, _) = try await TestClient.login("app", "app 0", on: address, group: Self.group)
        for statement in Self.schema { _ = try await client.ask(query(statement)) }
        await client.close()
    }

    /// The sidecar's certificate and key, under the names that its configuration gives them.
    static func certificateFiles(_ name: String) throws -> [String: Data] {
        [
            "tls.crt": try Repository.fixture("tls/\(name).pem"),
            "tls.key": try Repository.fixture("tls/\(name).key"),
        ]
    }

    // MARK: Applications

    /// The sidecar as an application knows it.
    private func cluster() throws -> ClusterConfiguration {
        let point = ContactPoint(host: "127.0.0.1", port: self.address.port)
        var cluster = ClusterConfiguration(name: "sidecar", contactPoints: [point])
        cluster.credentials = self.app
        let authority = TLSMaterial(trustRoots: Array(try Repository.fixture("tls/authority.pem")))
        cluster.tls = try TLSEndpoint.cluster(authority, verification: .certificate)
        return cluster
    }

    func session<Result: Sendable>(
        _ body: @Sendable @escaping (CQLSession) async throws -> Result
    ) async throws -> Result {
        try await CQLSession.withSession(try self.cluster(), on: Self.group.next(), logger: Self.silent, body)
    }

    func note(_ what: String, _ error: any Error) {
        // A password that was changed ends what has begun with the old one: that is the cluster's own doing.
        let text = "\(what): \(error)"
        guard !text.contains("password are incorrect") else { return }
        self.state.withLock { if $0.errors.count < 20 { $0.errors.append(text) } }
    }

    /// An application that stays: prepared once, used for good.
    private func resident(_ number: Int) async {
        while !Task.isCancelled {
            do {
                try await self.session { session in
                    let insert = try await session.prepare(
                        "INSERT INTO life.t (p, v) VALUES (?, ?)",
                        isIdempotent: true
                    )
                    let select = try await session.prepare("SELECT * FROM life.t WHERE p = ?", isIdempotent: true)
                    var turn = 0
                    while !Task.isCancelled {
                        let key = CQLValue.int(Int32(number * 100 + turn % 100))
                        try await session.execute(insert, [key, .text(String(repeating: "v", count: turn % 2_000))])
                        _ = try await session.execute(select, [key])
                        turn += 1
                        self.state.withLock { $0.requests += 2 }
                        try await Task.sleep(for: .milliseconds(2))
                    }
                }
            } catch is CancellationError {
                return
            } catch {
                self.note("resident", error)
            }
        }
    }

    /// Applications that come, ask a little and go.
    private func visitors() async {
        while !Task.isCancelled {
            do {
                try await self.session { session in
                    for key in 0..<5 {
                        _ = try await session.query("SELECT v FROM life.t WHERE p = \(key)", isIdempotent: true)
                    }
                }
                self.state.withLock {
                    $0.visitors += 1
                    $0.requests += 5
                }
                try await Task.sleep(for: .milliseconds(20))
            } catch is CancellationError {
                return
            } catch {
                self.note("visitor", error)
            }
        }
    }

    // MARK: The whole

    func run(for duration: Duration) async throws {
        let before = try self.sidecar.footprint()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<4 { group.addTask { await self.resident(number) } }
            for _ in 0..<2 { group.addTask { await self.visitors() } }
            group.addTask { await self.observe(every: duration / 120) }
            await self.happen(until: ContinuousClock.now + duration)
            group.cancelAll()
        }
        // What the clients had open goes with them. Each leg may have a connection to each of its nodes that it had not at first.
        try await eventually {
            try await self.sidecar.status().clients == 0
                && self.sidecar.footprint().descriptors <= before.descriptors + 4
        }
        let legs = try await self.sidecar.status().legs
        #expect(legs.allSatisfy { $0.shadowOverflowed == 0 && $0.shadowDead == 0 }, "lost shadow writes")
        let peak = try self.sidecar.peak()
        self.state.withLock { $0.peakKilobytes = peak }
        let end = await self.sidecar.stop()
        #expect(end.code == 0, "\(end.errors.suffix(2_000))")
        for node in self.nodes.withLock({ Array($0.values.joined()) }) { await node.stop() }
    }

    private func observe(every interval: Duration) async {
        do {
            while true {
                try await Task.sleep(for: interval)
                let footprint = try self.sidecar.footprint()
                self.state.withLock { $0.footprints.append(footprint) }
            }
        } catch is CancellationError {
            return
        } catch {
            self.note("footprint", error)
        }
    }
}
