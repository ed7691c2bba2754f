import EmbeddedNode
import FoundationEssentials
import NIOPosix
import Operations
import TestSupport
import Testing

/// Commands that are asked of several processes at once: sidecars about their journals, loaders and readers about their jobs.
struct SeveralEndpointsTests {
    private static let token = "hush"
    /// Where nobody listens.
    private static let nobody = "http://127.0.0.1:1"

    /// Processes that end with the test.
    private final class Stage: Sendable {
        let folder: TemporaryFolder
        private let nodes: [EmbeddedNode]

        init() async throws {
            self.folder = try TemporaryFolder()
            var nodes: [EmbeddedNode] = []
            for _ in 0..<2 { nodes.append(try await EmbeddedNode.start(on: MultiThreadedEventLoopGroup.singleton)) }
            self.nodes = nodes
        }

        func stop() async { for node in self.nodes { await node.stop() } }

        /// Starts one that has an admin port.
        func start(_ command: [String], _ name: String, _ settings: String...) async throws -> (ChildProcess, String) {
            let hosts = zip(["source", "target"], self.nodes).map { "\($0).hosts=127.0.0.1:\($1.port)" }
            let all = hosts + ["admin.listen=127.0.0.1:0", "state_dir=\(self.folder.path)/\(name)"] + settings
            let process = try ChildProcess(command + all.flatMap { ["--set", $0] })
            let listening = #/admin port listens address=\S*:(\d+)\n/#
            try await eventually { process.errors.contains(listening) }
            let port = try #require(process.errors.firstMatch(of: listening)?.output.1, "\(process.errors)")
            return (process, "http://127.0.0.1:\(port)")
        }
    }

    private static func run(_ words: [String], _ endpoints: String...) async throws -> ChildProcess.Result {
        try await ChildProcess.run(words + endpoints.flatMap { ["--endpoint", $0] })
    }

    @Test func `running sidecars tell of their journals, and verify them`() async throws {
        let stage = try await Stage()
        let settings = ["listen=127.0.0.1:0", "admin.token=\(Self.token)"]
        let (first, one) = try await stage.start(["dual-writer"], "one", settings[0], settings[1])
        let (second, two) = try await stage.start(["dual-writer"], "two", settings[0], settings[1])
        for admin in [one, two] {
            try await eventually { try await Self.run(["status"], admin).code == 0 }
        }

        let list = try await Self.run(["journal", "list"], one)
        #expect(list.code == 0 && list.output.contains("owed writes are in a journal"), "\(list.errors)")
        #expect(list.output.contains(#/target +0 .* keeps up/#), "\(list.output)")
        let all = try await Self.run(["journal", "list"], one, Self.nobody, two)
        #expect(all.code == 69 && all.errors.contains("1 of 3 replicas failed"), "\(all.errors)")
        for admin in [one, two] { #expect(all.output.contains("\(admin)")) }
        #expect(all.output.contains("no answer"))
        let json = try await Self.run(["journal", "list", "--json"], one, two)
        #expect(json.code == 0 && json.output.contains("\"replicas\"") && json.output.contains("\"disk_bytes\""))

        let show = try await Self.run(["journal", "show", "target"], one)
        #expect(show.code == 0 && show.output.contains("target is owed 0 writes, keeps up"), "\(show.output)")
        #expect(!show.output.contains("source"))
        let log = try await Self.run(["journal", "show", "target-0"], one)
        #expect(log.code == 64 && log.errors.contains("--state-dir"), "\(log.errors)")
        let both = try await Self.run(["journal", "list", "--state-dir", "\(stage.folder.path)/one"], one)
        #expect(both.code == 64)

        let stranger = try await Self.run(["journal", "verify"], one)
        #expect(stranger.code == 77, "\(stranger.errors)")
        let verified = try await Self.run(["journal", "verify", "--token", Self.token], one, two)
        #expect(verified.code == 0, "\(verified.errors)")
        #expect(verified.output.ranges(of: "everything that was written can be read").count == 2)
        // As a start sets aside what it cannot read.
        try stage.folder.put("two/journal/target-0/segment-0000000001.damaged", Data([1, 2, 3]))
        let damaged = try await Self.run(["journal", "verify", "--token", Self.token], one, two)
        #expect(damaged.code == 1, "\(damaged.output)")
        #expect(damaged.output.contains("set aside when the log was opened"))
        let document = try await Self.run(["journal", "verify", "--json", "--token", Self.token], two)
        let answer = try DocumentCoding.decode(JournalVerificationDocument.self, from: Data(document.output.utf8))
        #expect(document.code == 1 && !answer.isWhole)
        #expect(answer.logs.filter { !$0.isWhole }.map(\.name) == ["target-0"])
        for process in [first, second] { process.signal(15) }
        for process in [first, second] { _ = await process.result() }
        await stage.stop()
    }

    @Test func `a sidecar without a journal says so`() async throws {
        let stage = try await Stage()
        let (process, admin) = try await stage.start(
            ["dual-writer"],
            "one",
            "listen=127.0.0.1:0",
            "journal.enabled=false"
        )
        let verified = try await Self.run(["journal", "verify"], admin)
        #expect(verified.code == 1 && verified.errors.contains("has no journal"), "\(verified.errors)")
        let list = try await Self.run(["journal", "list"], admin)
        #expect(list.code == 0 && list.output.contains("in memory alone"), "\(list.output)")
        process.signal(15)
        _ = await process.result()
        await stage.stop()
    }

    @Test func `loaders and readers are asked several at a time`() async throws {
        let stage = try await Stage()
        let (loader, one) = try await stage.start(
            ["sstable-loader"],
            "loader",
            "ceiling=none",
            "job.exit_when_done=false"
        )
        let load = try await Self.run(["sstable-loader", "status"], one, Self.nobody)
        #expect(
            load.code == 69 && load.output.contains("LOADER") && load.output.contains("no answer"),
            "\(load.errors)"
        )
        #expect(load.output.contains(one) && load.errors.contains("1 of 2"))
        // There is no table: that is no good news of several either.
        try await eventually {
            try await Self.run(["sstable-loader", "status"], one).output.contains("failed: there is nothing to load")
        }
        let json = try await Self.run(["sstable-loader", "status", "--json"], one, one)
        #expect(json.code == 1 && json.output.ranges(of: "\"migration\"").count == 2, "\(json.errors)")
        let alone = try await Self.run(["sstable-loader", "pause"], one, Self.nobody)
        #expect(alone.code == 64 && alone.errors.contains("one loader at a time"), "\(alone.errors)")

        let (reader, two) = try await stage.start(["dual-reader"], "reader", "service.interval_seconds=0")
        // Nothing was compared yet: no good news of either.
        let comparison = try await Self.run(["dual-reader", "status"], two, two)
        #expect(comparison.code == 1 && comparison.output.contains("READER"), "\(comparison.errors)")
        #expect(comparison.output.ranges(of: two).count >= 2)
        for process in [loader, reader] { process.signal(15) }
        for process in [loader, reader] { _ = await process.result() }
        await stage.stop()
    }
}
