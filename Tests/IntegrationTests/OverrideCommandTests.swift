import CQLProtocol
import DualWriteCore
import EmbeddedNode
import NIOCore
import NIOPosix
import TestSupport
import Testing

/// Tables with modes of their own as an operator meets them: the sidecar is a process of its own, and is killed.
@Suite(.timeLimit(.minutes(2)))
struct OverrideCommandTests {
    private static let schema = [
        "CREATE KEYSPACE shop WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATE TABLE shop.t (p int PRIMARY KEY, v text)", "CREATE TABLE shop.\"Canary\" (p int PRIMARY KEY, v text)",
    ]

    private final class Stage: Sendable {
        let group = MultiThreadedEventLoopGroup.singleton
        let source: EmbeddedNode
        let target: EmbeddedNode
        let folder: TemporaryFolder

        init() async throws {
            self.folder = try TemporaryFolder()
            self.source = try await EmbeddedNode.start(on: self.group)
            self.target = try await EmbeddedNode.start(on: self.group)
            for node in [self.source, self.target] {
                for text in OverrideCommandTests.schema { _ = try await self.ask(node.port, query(text)) }
            }
        }

        func ask(_ port: Int, _ request: Request) async throws -> Response {
            let address = try SocketAddress(ipAddress: "127.0.0.1", port: port)
            let client = try await TestClient.start(on: address, group: self.group)
            let answer = try await client.ask(request)
            await client.close()
            return answer
        }

        func start(_ settings: String...) async throws -> Sidecar {
            try await Sidecar(
                [
                    "source.hosts=127.0.0.1:\(self.source.port)", "target.hosts=127.0.0.1:\(self.target.port)",
                    "admin.listen=127.0.0.1:0", "listen=127.0.0.1:0", "write_mode=DualWriteAsync",
                    "state_dir=\(self.folder.path)/sidecar", "timeouts.shadow_write_ms=1000",
                ] + settings
            )
        }

        func stop() async {
            await self.source.stop()
            await self.target.stop()
        }
    }

    private struct Sidecar {
        let process: ChildProcess
        let admin: String
        let port: Int

        init(_ settings: [String]) async throws {
            let process = try ChildProcess(["dual-writer"] + settings.flatMap { ["--set", $0] })
            self.process = process
            let listening = #/admin port listens address=\S*:(\d+)\n/#
            try await eventually { process.errors.contains(listening) }
            let port = try #require(process.errors.firstMatch(of: listening)?.output.1, "\(process.errors)")
            let admin = "http://127.0.0.1:\(port)"
            self.admin = admin
            try await eventually {
                let status = try await ChildProcess.run(["status", "--json", "--endpoint", admin])
                return status.output.ranges(of: #/"connected"\s*:\s*true/#).count == 2
            }
            let status = try await ChildProcess.run(["status", "--json", "--endpoint", admin])
            self.port = try #require(
                status.output.firstMatch(of: #/"listen"\s*:\s*"[^"]*:(\d+)"/#).flatMap { Int($0.output.1) }
            )
        }

        func command(_ words: String...) async throws -> ChildProcess.Result {
            try await ChildProcess.run(words + ["--endpoint", self.admin])
        }

        func kill() async {
            self.process.signal(9)
            _ = await self.process.result()
        }
    }

    private static let canary = "shop.\"Canary\""

    @Test func `an override is set, walks, outlives a kill, is named and removed`() async throws {
        let stage = try await Stage()
        var sidecar = try await stage.start()
        #expect(
            try await sidecar.command("phase", "override", "list").output.contains("all tables are in DualWriteAsync")
        )
        for mode in ["2", "ReadsFirst"] {
            let set = try await sidecar.command(
                "phase",
                "override",
                "set",
                Self.canary,
                mode,
                "--reason",
                "goes ahead",
                "--force"
            )
            #expect(set.code == 0, "\(set.errors)")
        }
        let shown = try await sidecar.command("phase")
        #expect(shown.output.contains("\(Self.canary) (ReadsFirst)"), "\(shown.output)")
        #expect(try await sidecar.command("phase", "verdict").output.contains("does not touch"))

        _ = try await stage.ask(stage.target.port, query("INSERT INTO \(Self.canary) (p, v) VALUES (0, 'target')"))
        func read(_ table: String) async throws -> [String] {
            try await stage.ask(sidecar.port, query("SELECT v FROM \(table)")).firstColumn
        }
        #expect(try await read(Self.canary) == ["target"])
        for key in 1...20 {
            for table in [Self.canary, "shop.t"] {
                let text = "INSERT INTO \(table) (p, v) VALUES (\(key), 'v')"
                #expect(try await stage.ask(sidecar.port, query(text)) == .result(.void))
            }
        }
        await sidecar.kill()
        // The configuration of the next start says something else: the folder goes before it.
        sidecar = try await stage.start("overrides=shop.t=PrimaryOnly")
        let list = try await sidecar.command("phase", "override", "list")
        #expect(
            list.output.contains("\(Self.canary)  ReadsFirst") && !list.output.contains("shop.t "),
            "\(list.output)"
        )
        #expect(sidecar.process.errors.contains("the overrides of the state folder go before the configured ones"))
        #expect(try await read(Self.canary).count == 21)
        #expect(try await read("shop.t").count == 20)
        try await eventually {
            try await stage.ask(stage.target.port, query("SELECT v FROM shop.t")).firstColumn.count == 20
        }

        let wrong = try await sidecar.command("phase", "override", "remove", "shop.nothing", "--reason", "a slip")
        #expect(wrong.code == 64 && wrong.errors.contains("has no override"))
        let far = try await sidecar.command("phase", "override", "set", "shop.t", "4", "--reason", "a slip")
        #expect(far.code == 1 && far.errors.contains("cannot go from DualWriteAsync to TargetOnly"), "\(far.errors)")
        let removed = try await sidecar.command("phase", "override", "remove", Self.canary, "--reason", "all is well")
        #expect(removed.code == 0, "\(removed.errors)")
        let audit = try await sidecar.command("audit")
        #expect(audit.output.contains("overrides") && audit.output.contains("all is well"))
        #expect(try await read(Self.canary).count == 20)
        await sidecar.kill()
        await stage.stop()
    }

    @Test func `tenants are sent ahead, outlive a kill and are taken back`() async throws {
        let stage = try await Stage()
        var sidecar = try await stage.start()
        func override(_ words: String...) async throws -> ChildProcess.Result {
            try await ChildProcess.run(
                ["phase", "override"] + words + ["--reason", "a canary", "--endpoint", sidecar.admin]
            )
        }
        func read(_ key: Int) async throws -> [String] {
            try await stage.ask(sidecar.port, query("SELECT v FROM shop.t WHERE p = \(key)")).firstColumn
        }
        for (node, name) in [(stage.source, "source"), (stage.target, "target")] {
            for key in 1...3 {
                let text = "INSERT INTO shop.t (p, v) VALUES (\(key), '\(name)')"
                _ = try await stage.ask(node.port, query(text))
            }
        }
        let waiting = try await override("set", "shop.t", "ReadsFirst", "--tenant", "p=1,2")
        #expect(waiting.code == 0 && waiting.output.contains("p=1,2"), "\(waiting.errors)")
        #expect(waiting.output.contains("waiting"))
        #expect(try await read(1) == ["source"])
        let step = try await sidecar.command("phase", "set", "DualWriteSync")
        #expect(step.code == 1 && step.errors.contains("Tenants cannot go ahead to the target yet"), "\(step.errors)")
        let forced = try await sidecar.command("phase", "set", "DualWriteSync", "--force", "--reason", "a canary")
        #expect(forced.code == 0, "\(forced.errors)")
        try await eventually { try await read(1) == ["target"] }
        #expect(try await read(3) == ["source"])
        let refused = try await override("set", "shop.t", "ReadsFirst", "--tenant", "p=3")
        #expect(refused.code == 1 && refused.errors.contains("bulk_load"), "\(refused.errors)")
        let phase = try await sidecar.command("phase")
        #expect(phase.output.contains("tenants ahead of their tables: shop.t p=1,2 (ahead)"), "\(phase.output)")

        await sidecar.kill()
        sidecar = try await stage.start()
        try await eventually { try await read(2) == ["target"] }
        #expect(try await read(3) == ["source"])
        let stranger = try await override("remove", "shop.t", "--tenant", "p=7")
        #expect(
            stranger.code == 64 && stranger.errors.contains("p=7 of shop.t does not go ahead"),
            "\(stranger.errors)"
        )
        let wrong = try await override("set", "shop.t", "ShadowPrimary", "--tenant", "p=7")
        #expect(wrong.code == 64 && wrong.errors.contains("ReadsFirst"), "\(wrong.errors)")
        #expect(try await override("remove", "shop.t", "--tenant", "p=1").code == 0)
        #expect(try await read(1) == ["source"])
        #expect(try await read(2) == ["target"])
        let all = try await override("remove", "shop.t", "--tenant", "p")
        #expect(all.code == 0 && all.output.contains("all tables are in DualWriteSync"), "\(all.output)")
        #expect(try await read(2) == ["source"])
        await sidecar.kill()
        await stage.stop()
    }

    @Test func `a sidecar killed while tables change their modes starts with the list before or after`() async throws {
        let stage = try await Stage()
        var sidecar = try await stage.start("overrides=shop.t=DualWriteSync")
        for round in 0..<4 {
            let mode = round.isMultiple(of: 2) ? "ReadsFirst" : "DualWriteSync"
            let change = Task { [sidecar] in
                try await sidecar.command("phase", "override", "set", "shop.t", mode, "--reason", "round", "--force")
            }
            try await Task.sleep(for: .milliseconds(20 * round))
            await sidecar.kill()
            let code = try await change.value.code
            sidecar = try await stage.start()
            let list = try await sidecar.command("phase", "override", "list", "--json").output
            let kept = list.firstMatch(of: #/"mode"\s*:\s*"(DualWriteSync|ReadsFirst)"/#)
            #expect(kept != nil, "\(list)")
            // What was confirmed is kept.
            if code == 0 { #expect(kept?.output.1 == Substring(mode)) }
        }
        await sidecar.kill()
        await stage.stop()
    }
}
