import CQLClient
import CQLProtocol
import DualWriteCore
import DualWriter
import EmbeddedNode
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Testing

/// TLS on the three legs, with the certificates of `Fixtures/tls`.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct TLSTests {
    private static let group = MultiThreadedEventLoopGroup.singleton
    private static let silent = Logger(label: "tls") { _ in SwiftLogNoOpLogHandler() }

    private static func file(_ name: String) throws -> [UInt8] {
        let root = #filePath.dropLast("/Tests/IntegrationTests/TLSTests.swift".count)
        return try Fixtures.bytes("\(root)/Fixtures/tls/\(name)")
    }

    private static func material(_ own: String?, trusts authority: String?) throws -> TLSMaterial {
        TLSMaterial(
            certificateChain: try own.map { try Self.file("\($0).pem") },
            privateKey: try own.map { try Self.file("\($0).key") },
            trustRoots: try authority.map { try Self.file("\($0).pem") }
        )
    }

    /// A node that shows a certificate and, where it names an authority, wants one of it.
    private static func node(_ own: String?, wants authority: String? = nil) async throws -> EmbeddedNode {
        var configuration = EmbeddedNodeConfiguration()
        if let own {
            var tls = TLSConfiguration.makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMBytes(try Self.file("\(own).pem")).map {
                    .certificate($0)
                },
                privateKey: .privateKey(try NIOSSLPrivateKey(bytes: try Self.file("\(own).key"), format: .pem))
            )
            if let authority {
                tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(try Self.file("\(authority).pem")))
                tls.certificateVerification = .noHostnameVerification
            }
            configuration.tls = try NIOSSLContext(configuration: tls)
        }
        return try await EmbeddedNode.start(on: Self.group, configuration: configuration)
    }

    private static func cluster(
        _ name: String,
        port: Int,
        _ material: TLSMaterial?,
        _ verification: TLSEndpoint.Verification = .full,
        serverName: String? = nil
    ) throws -> ClusterConfiguration {
        var cluster = ClusterConfiguration(name: name, contactPoints: [ContactPoint(host: "127.0.0.1", port: port)])
        cluster.tls = try material.map {
            try TLSEndpoint.cluster($0, verification: verification, serverName: serverName)
        }
        return cluster
    }

    private static func session<Result: Sendable>(
        _ cluster: ClusterConfiguration,
        _ body: @Sendable @escaping (CQLSession) async throws -> Result
    ) async throws -> Result {
        try await CQLSession.withSession(cluster, on: Self.group.next(), logger: Self.silent, body)
    }

    /// The first thing that a control connection says: nil when it stands, else why not.
    private static func complaint(_ cluster: ClusterConfiguration) async throws -> String? {
        let (notices, feed) = AsyncStream.makeStream(of: ClusterMonitor.Notice.self)
        let monitor = ClusterMonitor(configuration: cluster, eventLoop: Self.group.next(), logger: Self.silent) {
            feed.yield($0)
        }
        let running = Task { await monitor.run() }
        defer { running.cancel() }
        for await notice in notices {
            if case .lost(let error) = notice { return error.description }
            return nil
        }
        return nil
    }

    private func withProxy(
        _ source: EmbeddedNode,
        _ target: EmbeddedNode,
        _ tls: TLSEndpoint,
        _ body: (DualWriterService, _ port: Int) async throws -> Void
    ) async throws {
        var configuration = DualWriterConfiguration(
            listenAddress: try SocketAddress(ipAddress: "127.0.0.1", port: 0),
            source: try Self.cluster("source", port: source.port, Self.material("client", trusts: "authority")),
            target: try Self.cluster("target", port: target.port, Self.material(nil, trusts: "authority")),
            mode: .dualWriteSync
        )
        configuration.tls = tls
        let proxy = DualWriterService(configuration: configuration, logger: Self.silent)
        let running = Task { try await proxy.run() }
        defer { running.cancel() }
        try await eventually { await proxy.status().isReady && proxy.boundAddress != nil }
        try await eventually { await proxy.status().legs.allSatisfy(\.isConnected) }
        try await body(proxy, try #require(proxy.boundAddress?.port))
        running.cancel()
        _ = try? await running.value
    }

    @Test func `all three legs are encrypted, with certificates of clients where they are wanted`() async throws {
        let source = try await Self.node("node", wants: "authority")
        let target = try await Self.node("node")
        let clients = try TLSEndpoint.clients(try Self.material("node", trusts: "authority"))
        try await withProxy(source, target, clients) { proxy, port in
            let cluster = try Self.cluster("proxy", port: port, Self.material("client", trusts: "authority"))
            let count = try await Self.session(cluster) { session in
                try await session.query(
                    "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
                )
                try await session.query("CREATE TABLE k.t (p int PRIMARY KEY, v text)")
                let insert = try await session.prepare("INSERT INTO k.t (p, v) VALUES (?, ?)")
                // Longer than a record of TLS, which holds 16 KiB.
                let long = String(repeating: "v", count: 100_000)
                for key in 0..<20 { try await session.execute(insert, [.int(Int32(key)), .text(long)]) }
                return try await session.query("SELECT count(*) FROM k.t").rows?.first?.value(at: 0)
            }
            #expect(count == .bigint(20))
            for (own, reason) in [(nil, "certificate"), ("unknown-client", "TLS")] as [(String?, String)] {
                let refused = try Self.cluster("proxy", port: port, Self.material(own, trusts: "authority"))
                let complaint = try #require(try await Self.complaint(refused))
                #expect(complaint.contains(reason), "\(complaint)")
            }
            let plain = try #require(try await Self.complaint(try Self.cluster("proxy", port: port, nil)))
            #expect(plain.contains("closed the connection"), "\(plain)")
            try await eventually { await proxy.status().counters.tlsFailures >= 3 }
        }
        await source.stop()
        await target.stop()
    }

    @Test func `a node is trusted as far as it was asked to be`() async throws {
        let node = try await Self.node("node")
        let elsewhere = try await Self.node("elsewhere")
        let plain = try await Self.node(nil)
        func complaint(
            _ node: EmbeddedNode,
            trusts authority: String,
            _ verification: TLSEndpoint.Verification = .full,
            serverName: String? = nil
        ) async throws -> String? {
            let material = try Self.material(nil, trusts: authority)
            return try await Self.complaint(
                try Self.cluster("c", port: node.port, material, verification, serverName: serverName)
            )
        }
        #expect(try await complaint(node, trusts: "authority") == nil)
        #expect(try await complaint(node, trusts: "authority", serverName: "localhost") == nil)
        #expect(try await complaint(node, trusts: "stranger", .none) == nil)
        #expect(try await complaint(elsewhere, trusts: "authority", .certificate) == nil)
        #expect(try await complaint(elsewhere, trusts: "authority", serverName: "elsewhere.example") == nil)
        for verification in [TLSEndpoint.Verification.full, .certificate] {
            let text = try #require(try await complaint(node, trusts: "stranger", verification))
            #expect(text.contains("does not come from a trusted authority"), "\(text)")
        }
        for serverName in [nil, "other.example"] {
            let text = try #require(try await complaint(elsewhere, trusts: "authority", serverName: serverName))
            #expect(text.contains("not made for this host name"), "\(text)")
        }
        var silent = try Self.cluster("c", port: plain.port, try Self.material(nil, trusts: "authority"))
        silent.handshakeTimeoutMilliseconds = 200
        let text = try #require(try await Self.complaint(silent))
        #expect(text.contains("does it speak TLS?"), "\(text)")
        for node in [node, elsewhere, plain] { await node.stop() }
    }

    @Test func `new certificates count for new connections, and those that stand go on`() async throws {
        let source = try await Self.node("node", wants: "authority")
        let target = try await Self.node("node")
        let clients = try TLSEndpoint.clients(try Self.material("node", trusts: nil))
        try await withProxy(source, target, clients) { _, port in
            let cluster = try Self.cluster("proxy", port: port, Self.material(nil, trusts: "authority"))
            try await Self.session(cluster) { session in
                #expect(try await session.query("SELECT key FROM system.local").rows?.rowCount == 1)
                try clients.replace(try Self.material("elsewhere", trusts: nil))
                let complaint = try #require(try await Self.complaint(cluster))
                #expect(complaint.contains("not made for this host name"), "\(complaint)")
                #expect(try await session.query("SELECT key FROM system.local").rows?.rowCount == 1)
            }
        }
        await source.stop()
        await target.stop()
    }

    @Test func `material that cannot be used is named, and changes nothing`() async throws {
        let good = try Self.material("node", trusts: "authority")
        let endpoint = try TLSEndpoint.clients(good)
        func part(_ change: (inout TLSMaterial) throws -> Void) throws -> TLSMaterialError.Part? {
            var material = good
            try change(&material)
            return #expect(throws: TLSMaterialError.self) { try endpoint.replace(material) }?.part
        }
        #expect(try part { $0.certificateChain = Array("no certificate".utf8) } == .certificateChain)
        #expect(try part { $0.certificateChain = nil } == .certificateChain)
        #expect(try part { $0.privateKey = try Self.file("node.pem") } == .privateKey)
        #expect(try part { $0.privateKey = try Self.file("client.key") } == .privateKey)
        #expect(try part { $0.privateKey = nil } == .privateKey)
        #expect(try part { $0.trustRoots = [] } == .trustRoots)
        #expect("\(good)" == "TLSMaterial(hidden)")
    }
}
