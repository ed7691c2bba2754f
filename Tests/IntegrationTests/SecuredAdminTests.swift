import EmbeddedNode
import FoundationEssentials
import NIOCore
import NIOPosix
import TestSupport
import Testing

/// Loader and reader beside a sidecar whose admin port speaks TLS and wants certificates.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct SecuredAdminTests {
    private static let tls = "\(Repository.root)/Fixtures/tls"

    /// Two nodes with the same rows.
    private static func node() async throws -> EmbeddedNode {
        let group = MultiThreadedEventLoopGroup.singleton
        let node = try await EmbeddedNode.start(on: group, store: EmbeddedStore())
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: node.port)
        let client = try await TestClient.start(on: address, group: group)
        try await client.makeTables(in: "shop")
        for row in 0..<20 {
            _ = try await client.ask(
                query("INSERT INTO shop.t (p, v) VALUES ('\(row)', 'v')", timestamp: 1_700_000_000_000_000)
            )
        }
        await client.close()
        return node
    }

    @Test func `they ask it, and tell its gates what they have come to, when they trust it and are trusted`()
        async throws
    {
        let (source, target) = (try await Self.node(), try await Self.node())
        let folder = try TemporaryFolder()
        let clusters = ["source.hosts=127.0.0.1:\(source.port)", "target.hosts=127.0.0.1:\(target.port)"]
        func process(_ words: [String], _ settings: [String]) throws -> ChildProcess {
            try ChildProcess(words + (clusters + settings).flatMap { ["--set", $0] })
        }
        let sidecar = try process(
            ["dual-writer"],
            [
                "listen=127.0.0.1:0", "admin.listen=127.0.0.1:0", "admin.token=hush",
                "state_dir=\(folder.path)/sidecar",
                "write_mode=PrimaryOnly", "admin.tls.certificate_file=\(Self.tls)/node.pem",
                "admin.tls.key_file=\(Self.tls)/node.key", "admin.tls.client_ca_file=\(Self.tls)/authority.pem",
            ]
        )
        let listening = #/admin port listens address=\S*:(\d+)\n/#
        try await eventually {
            sidecar.errors.contains(listening) && sidecar.errors.count(of: "cluster connected") == 2
        }
        let port = try #require(sidecar.errors.firstMatch(of: listening)?.output.1)
        let admin = "https://127.0.0.1:\(port)"
        let told = ["dual_writer.admin=\(admin)", "dual_writer.token=hush", "admin.listen=127.0.0.1:0"]
        let trust = [
            "dual_writer.tls.ca_file=\(Self.tls)/authority.pem",
            "dual_writer.tls.certificate_file=\(Self.tls)/client.pem",
            "dual_writer.tls.key_file=\(Self.tls)/client.key",
        ]

        let asked = [
            "--endpoint", admin, "--ca-file", "\(Self.tls)/authority.pem", "--certificate-file",
            "\(Self.tls)/client.pem",
            "--key-file", "\(Self.tls)/client.key", "--token", "hush",
        ]
        let step = try await ChildProcess.run(["phase", "set", "DualWriteAsync"] + asked)
        #expect(step.code == 0, "\(step.errors)")

        let compared = await
            (try process(["dual-reader", "compare"], told + trust + ["state_dir=\(folder.path)/reader"]))
            .result()
        #expect(compared.code == 0, "\(compared.output) \(compared.errors)")
        #expect(!compared.errors.contains("does not take the report"), "\(compared.errors)")
        let loaded = await
            (try process(
                ["sstable-loader"],
                told + trust + ["state_dir=\(folder.path)/loader", "tables.include=shop", "clock_skew_ms=0"]
            )).result()
        #expect(loaded.code == 0, "\(loaded.errors)")
        #expect(!loaded.errors.contains("does not take the report"), "\(loaded.errors)")

        let verdict = try await ChildProcess.run(["phase", "verdict", "ShadowPrimary", "--json"] + asked)
        for words in ["in_sync, 100 %", "100 % of 1 load"] {
            #expect(verdict.output.contains(words), "\(verdict.output) \(verdict.errors)")
        }
        sidecar.signal(15)
        _ = await sidecar.result()
        await source.stop()
        await target.stop()
    }
}

extension String {
    fileprivate func count(of text: String) -> Int { self.ranges(of: text).count }
}
