import CQLClient
import CQLProtocol
import DualWriteCore
import DualWriter
import EmbeddedNode
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A long life in a short time: nodes restart and forget, certificates and passwords rotate, modes flip, schemas change, clients come
/// and go, all at once. No application sees an error; nothing grows.
///
/// CLUSTER_SYNC_LIFE_SECONDS makes it longer than the ten seconds of every day.
@Suite(.serialized, .timeLimit(.minutes(30)))
struct LifeTests {
    private static let seconds = getenv("CLUSTER_SYNC_LIFE_SECONDS").flatMap { Int(String(cString: $0)) } ?? 10

    @Test func `a life`() async throws {
        let life = try await Life()
        try await life.run(for: .seconds(Self.seconds))
        let account = life.account
        #expect(account.errors == [])
        #expect(account.requests > 200 * Self.seconds / 10)
        #expect(account.visitors > 0 && account.events.values.allSatisfy { $0 > 0 } && account.events.count == 8)
        print("life: \(account)")
        let (early, late) = try (#require(account.early), #require(account.late))
        // Allocators keep what they had at the busiest moment; a leak of one request's memory each time would be far more.
        #expect(late.kilobytes < early.kilobytes + 65_536, "resident memory before and after")
    }
}

/// What a life has come to.
private struct Account: Sendable {
    struct Footprint: Sendable {
        var descriptors: Int
        var kilobytes: Int

        static func now() -> Footprint {
            var count = 0
            if let folder = opendir("/proc/self/fd") {
                while readdir(folder) != nil { count += 1 }
                closedir(folder)
            }
            let pages = (try? Fixtures.text("/proc/self/statm"))?.split(separator: " ").dropFirst().first.flatMap {
                Int($0)
            }
            return Footprint(descriptors: count, kilobytes: (pages ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE))) / 1_024)
        }
    }

    var requests = 0
    var visitors = 0
    var events: [String: Int] = [:]
    var slowest: [String: Duration] = [:]
    var errors: [String] = []
    var early: Footprint?
    var late: Footprint?
}

private final class Life: Sendable {
    private static let group = MultiThreadedEventLoopGroup.singleton
    private static let silent = Logger(label: "life") { _ in SwiftLogNoOpLogHandler() }
    private static let schema = [
        "CREATE KEYSPACE life WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATE TABLE life.t (p int PRIMARY KEY, v text)",
    ]

    private struct Passwords: Sendable {
        var app = "app 0"
        var service = "service 0"

        var authentication: EmbeddedNodeConfiguration.Authentication {
            .password(["app": self.app, "service": self.service])
        }
    }

    private let state = Mutex(Account())
    private let passwords = Mutex(Passwords())
    private let stores: [Cluster: EmbeddedStore] = [.source: EmbeddedStore(), .target: EmbeddedStore()]
    private let nodes: Mutex<[Cluster: [EmbeddedNode]]> = Mutex([:])
    private let service = RotatingCredentials(username: "service", password: "service 0")
    private let app = RotatingCredentials(username: "app", password: "app 0")
    private let tls: TLSEndpoint
    private let proxy: DualWriterService

    var account: Account { self.state.withLock { $0 } }

    init() async throws {
        var nodes: [Cluster: [EmbeddedNode]] = [:]
        for cluster in Cluster.allCases {
            for _ in 0..<2 {
                nodes[cluster, default: []].append(try await Self.node(0, self.stores[cluster], Passwords()))
            }
        }
        self.nodes.withLock { $0 = nodes }
        self.tls = try TLSEndpoint.clients(try Self.certificate("node"))
        func configuration(_ cluster: Cluster) -> ClusterConfiguration {
            let points = (nodes[cluster] ?? []).map { ContactPoint(host: "127.0.0.1", port: $0.port) }
            return ClusterConfiguration(name: cluster.description, contactPoints: points)
        }
        var dualWriter = DualWriterConfiguration(
            listenAddress: try SocketAddress(ipAddress: "127.0.0.1", port: 0),
            source: configuration(.source),
            target: configuration(.target),
            mode: .primaryOnly
        )
        for path in [\DualWriterConfiguration.source, \.target] {
            dualWriter[keyPath: path].credentials = self.service
            dualWriter[keyPath: path].reconnectMillisecondsMin = 20
            dualWriter[keyPath: path].reconnectMillisecondsMax = 200
            dualWriter[keyPath: path].credentialsValidMilliseconds = 0
            // An embedded node that is gone is in no table of its cluster, and no event tells when it is back.
            dualWriter[keyPath: path].topologyIntervalMilliseconds = 200
        }
        dualWriter.source.compression = .lz4
        dualWriter.tls = self.tls
        dualWriter.limits.idlePoolMillisecondsMax = 400
        self.proxy = DualWriterService(configuration: dualWriter, logger: Self.silent)
    }

    private static func node(
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

    private static func certificate(_ name: String) throws -> TLSMaterial {
        let root = #filePath.dropLast("/Tests/IntegrationTests/LifeTests.swift".count)
        return TLSMaterial(
            certificateChain: try Fixtures.bytes("\(root)/Fixtures/tls/\(name).pem"),
            privateKey: try Fixtures.bytes("\(root)/Fixtures/tls/\(name).key")
        )
    }

    // MARK: Applications

    /// The sidecar as an application knows it.
    private func cluster() throws -> ClusterConfiguration {
        let root = #filePath.dropLast("/Tests/IntegrationTests/LifeTests.swift".count)
        let port = try #require(self.proxy.boundAddress?.port)
        var cluster = ClusterConfiguration(
            name: "sidecar",
            contactPoints: [ContactPoint(host: "127.0.0.1", port: port)]
        )
        cluster.credentials = self.app
        let authority = TLSMaterial(trustRoots: try Fixtures.bytes("\(root)/Fixtures/tls/authority.pem"))
        cluster.tls = try TLSEndpoint.cluster(authority, verification: .certificate)
        return cluster
    }

    private func session<Result: Sendable>(
        _ body: @Sendable @escaping (CQLSession) async throws -> Result
    ) async throws -> Result {
        try await CQLSession.withSession(try self.cluster(), on: Self.group.next(), logger: Self.silent, body)
    }

    private func note(_ what: String, _ error: any Error) {
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

    // MARK: Events

    private typealias Event = (name: String, act: @Sendable (Life) async throws -> Void)

    private static let events: [Event] = [
        (
            "mode",
            { life in
                let now = life.proxy.mode.mode
                let next =
                    WriteMode.allCases.filter { abs(Int($0.rawValue) - Int(now.rawValue)) == 1 }.randomElement() ?? now
                // What is owed is a reason to wait, not a failure.
                _ = try? await life.proxy.setMode(next)
            }
        ),
        (
            "node restarts",
            { life in
                let cluster = Cluster.allCases.randomElement() ?? .source
                let index = Int.random(in: 0..<2)
                guard let node = life.nodes.withLock({ $0[cluster]?[index] }) else { return }
                await node.kill()
                try await Task.sleep(for: .milliseconds(100))
                let passwords = life.passwords.withLock { $0 }
                let again = try await Life.node(node.port, life.stores[cluster], passwords)
                life.nodes.withLock { $0[cluster]?[index] = again }
                // One at a time: two nodes bear the loss of one.
                let mode = life.proxy.mode.mode
                try await eventually {
                    await life.proxy.status().legs.allSatisfy {
                        $0.isConnected && ($0.nodesConnected == 2 || !mode.needs($0.cluster))
                    }
                }
            }
        ),
        (
            "node forgets",
            { life in
                life.nodes.withLock { Array($0.values.joined()) }.randomElement()?.forgetPrepared()
            }
        ),
        ("service password", { life in life.rotate { $0.service = "service \(UInt32.random(in: 0...(.max)))" } }),
        ("app password", { life in life.rotate { $0.app = "app \(UInt32.random(in: 0...(.max)))" } }),
        (
            "certificate",
            { life in
                try life.tls.replace(try Life.certificate(["node", "elsewhere"].randomElement() ?? "node"))
            }
        ),
        (
            "schema",
            { life in
                try await life.session { session in
                    let column = "c\(UInt32.random(in: 0...(.max)))"
                    try await session.query("ALTER TABLE life.t ADD \(column) int")
                    try await session.query("ALTER TABLE life.t DROP \(column)")
                }
            }
        ),
        (
            "crowd",
            { life in
                let port = try #require(life.proxy.boundAddress?.port)
                let address = try SocketAddress(ipAddress: "127.0.0.1", port: port)
                for _ in 0..<40 {
                    let client = try await TestClient.connect(to: address, on: Life.group)
                    client.sendRaw((0..<50).map { _ in UInt8.random(in: 0...255) })
                    await client.close()
                }
            }
        ),
    ]

    private func rotate(_ change: @Sendable (inout Passwords) -> Void) {
        let passwords = self.passwords.withLock { passwords in
            change(&passwords)
            return passwords
        }
        for node in self.nodes.withLock({ Array($0.values.joined()) }) {
            node.setAuthentication(passwords.authentication)
        }
        self.service.replace(password: passwords.service)
        self.app.replace(password: passwords.app)
    }

    private func happen(until deadline: ContinuousClock.Instant) async {
        var turn = 0
        let beginning = ContinuousClock.now
        while ContinuousClock.now < deadline {
            // Each at least once, then as it comes.
            let event =
                turn < Self.events.count ? Self.events[turn] : Self.events[Int.random(in: 0..<Self.events.count)]
            do {
                let began = ContinuousClock.now
                try await event.act(self)
                let took = ContinuousClock.now - began
                self.state.withLock { $0.slowest[event.name] = max($0.slowest[event.name] ?? .zero, took) }
                self.state.withLock { $0.events[event.name, default: 0] += 1 }
                try await Task.sleep(for: .milliseconds(50))
            } catch {
                self.note(event.name, error)
            }
            turn += 1
            let isThird = ContinuousClock.now - beginning > (deadline - beginning) / 3
            if isThird, self.account.early == nil { self.state.withLock { $0.early = .now() } }
        }
    }

    func run(for duration: Duration) async throws {
        for store in Cluster.allCases { try await self.makeSchema(store) }
        let running = Task { try await self.proxy.run() }
        try await eventually {
            let status = await self.proxy.status()
            return self.proxy.boundAddress != nil && status.legs.allSatisfy(\.isConnected)
        }
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<4 { group.addTask { await self.resident(number) } }
            group.addTask { await self.visitors() }
            await self.happen(until: ContinuousClock.now + duration)
            self.state.withLock { $0.late = .now() }
            group.cancelAll()
        }
        // With the applications gone there must be fewer open files than in their midst; their sockets close in their own time.
        let early = self.account.early?.descriptors ?? 0
        try await eventually { Account.Footprint.now().descriptors <= early }
        running.cancel()
        _ = try? await running.value
        for node in self.nodes.withLock({ Array($0.values.joined()) }) { await node.stop() }
    }

    private func makeSchema(_ cluster: Cluster) async throws {
        let port = try #require(self.nodes.withLock { $0[cluster]?.first?.port })
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: port)
        let (client, _) = try await TestClient.login("app", "app 0", on: address, group: Self.group)
        for statement in Self.schema { _ = try await client.ask(query(statement)) }
        await client.close()
    }
}
