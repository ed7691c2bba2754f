import CQLProtocol
import EmbeddedNode
import NIOCore
import NIOPosix
import TestSupport
import Testing

/// The gates as a whole migration meets them: sidecar, loader, reader and command line are processes of their own.
struct GateCommandTests {
    private static let token = "hush"

    /// Two nodes with a table, and a sidecar between them.
    private final class Stage: Sendable {
        let source: EmbeddedNode
        let target: EmbeddedNode
        let folder: TemporaryFolder
        let sidecar: ChildProcess
        let admin: String

        init() async throws {
            let group = MultiThreadedEventLoopGroup.singleton
            self.folder = try TemporaryFolder()
            self.source = try await EmbeddedNode.start(on: group)
            self.target = try await EmbeddedNode.start(on: group)
            for node in [self.source, self.target] {
                let address = try SocketAddress(ipAddress: "127.0.0.1", port: node.port)
                let client = try await TestClient.start(on: address, group: group)
                try await client.makeTables("p int PRIMARY KEY, v text", in: "shop")
                if node === self.source {
                    for row in 0..<50 {
                        let text = "INSERT INTO shop.t (p, v) VALUES (\(row), 'v')"
                        _ = try await client.ask(query(text, timestamp: 1_700_000_000_000_000))
                    }
                }
                await client.close()
            }
            let settings = [
                "source.hosts=127.0.0.1:\(self.source.port)", "target.hosts=127.0.0.1:\(self.target.port)",
                "admin.listen=127.0.0.1:0", "admin.token=\(GateCommandTests.token)", "listen=127.0.0.1:0",
                "state_dir=\(self.folder.path)/sidecar", "timeouts.shadow_write_ms=200", "gates.limits.answer_ms=20000",
            ]
            let sidecar = try ChildProcess(["dual-writer"] + settings.flatMap { ["--set", $0] })
            let listening = #/admin port listens address=\S*:(\d+)\n/#
            try await eventually { sidecar.errors.contains(listening) }
            let port = try #require(sidecar.errors.firstMatch(of: listening)?.output.1, "\(sidecar.errors)")
            self.sidecar = sidecar
            let admin = "http://127.0.0.1:\(port)"
            self.admin = admin
            try await eventually {
                try await ChildProcess.run(["status", "--endpoint", admin]).output.ranges(of: "connected").count == 2
            }
        }

        /// A command of an operator.
        func command(_ words: String...) async throws -> ChildProcess.Result {
            try await ChildProcess.run(words + ["--endpoint", self.admin, "--token", GateCommandTests.token])
        }

        /// A job between the two nodes that reports to the sidecar.
        func job(_ words: [String], _ settings: String...) async throws -> ChildProcess.Result {
            let all =
                [
                    "source.hosts=127.0.0.1:\(self.source.port)", "target.hosts=127.0.0.1:\(self.target.port)",
                    "dual_writer.admin=\(self.admin)", "dual_writer.token=\(GateCommandTests.token)",
                    "state_dir=\(self.folder.path)/\(words[0])",
                ] + settings
            return try await ChildProcess.run(words + all.flatMap { ["--set", $0] })
        }

        func stop() async {
            self.sidecar.signal(15)
            _ = await self.sidecar.result()
            await self.source.stop()
            await self.target.stop()
        }
    }

    @Test func `a migration goes on when loader and reader have reported, and comes back by one command`() async throws
    {
        let stage = try await Stage()
        #expect(try await stage.command("phase", "verdict").code == 0)
        #expect(try await stage.command("phase", "set", "1").code == 0)
        #expect(try await stage.command("phase", "set", "2").code == 0)

        let verdict = try await stage.command("phase", "verdict")
        #expect(verdict.code == 1)
        #expect(verdict.output.contains("bulk_load") && verdict.output.contains("no report"))
        let refused = try await stage.command("phase", "set", "3")
        #expect(refused.code == 1)
        #expect(refused.errors.contains("  bulk_load: no report") && refused.errors.contains("  comparison: no report"))

        let load = try await stage.job(["sstable-loader"], "ceiling=none", "admin.listen=127.0.0.1:0")
        #expect(load.code == 0, "\(load.errors)")
        let afterLoad = try await stage.command("phase", "verdict", "ShadowPrimary", "--json")
        #expect(afterLoad.code == 1 && afterLoad.output.contains("No comparison of whole tables was reported"))
        let compare = try await stage.job(["dual-reader", "compare"], "settle.wait_ms=1")
        #expect(compare.code == 0, "\(compare.errors)")
        let ready = try await stage.command("phase", "verdict")
        #expect(ready.code == 0, "\(ready.output)")
        #expect(try await stage.command("phase", "set", "3", "--reason", "all is loaded").code == 0)

        let plan = try await stage.command("phase", "rollback", "--dry-run")
        #expect(plan.code == 0 && plan.output.contains("would go from ShadowPrimary to DualWriteSync"))
        let back = try await stage.command("phase", "rollback", "--reason", "errors in the shop")
        #expect(back.code == 0 && back.output.contains("gone from ShadowPrimary to DualWriteSync"))
        let audit = try await stage.command("audit")
        #expect(audit.code == 0)
        #expect(audit.output.contains("errors in the shop") && audit.output.contains("all is loaded"))
        await stage.stop()
    }

    @Test func `a dual writer that is away or wants another token does not stop a load`() async throws {
        let stage = try await Stage()
        let load = try await stage.job(
            ["sstable-loader"],
            "ceiling=none",
            "admin.listen=127.0.0.1:0",
            "dual_writer.token=wrong"
        )
        #expect(load.code == 0)
        #expect(load.errors.contains("does not take the report") && load.errors.contains("401"))
        #expect(!load.errors.contains("wrong"))
        await stage.stop()
    }
}
