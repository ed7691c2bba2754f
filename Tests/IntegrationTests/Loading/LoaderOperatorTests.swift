import EmbeddedNode
import FoundationEssentials
import NIOCore
import NIOPosix
import Operations
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What an operator does with the loader, and does wrong.
@Suite(.timeLimit(.minutes(2)))
struct LoaderOperatorTests {
    /// Runs the loader with files of a path as its source.
    private func load(
        _ path: String,
        into clusters: LoaderClusters,
        _ words: [String] = [],
        _ settings: String...
    ) async throws -> ChildProcess.Result {
        try await ChildProcess.run(self.arguments(path, clusters, words, settings))
    }

    private func arguments(
        _ path: String,
        _ clusters: LoaderClusters,
        _ words: [String] = [],
        _ settings: [String] = []
    ) -> [String] {
        let all =
            ["source.hosts=", "files.paths=\(path)", "state_dir=\(clusters.folder.path)/state-of-files"] + settings
        return ["sstable-loader"] + words + clusters.arguments(all).dropFirst()
    }

    @Test func `a load that is complete says rows, bytes, tables, time and dead letters, to people and to programs`()
        async throws
    {
        let clusters = try await LoaderClusters(rows: 100)
        let text = try await ChildProcess.run(clusters.arguments())
        let line = try #require(text.errors.split(separator: "\n").first { $0.contains("the load is complete") })
        for words in [" rows=100 ", " tables=1 ", " tables_done=1", " dead_letters=0 ", "/state/dead-letters/load-"] {
            #expect("\(line) ".contains(words), "\(words): \(line)")
        }
        #expect(line.contains(#/ bytes=[1-9]\d+ /#) && line.contains(#/ seconds=\d+\.\d /#), "\(line)")
        let json = try await ChildProcess.run(clusters.arguments("job.name=again", "log.format=json"))
        let object = try #require(json.errors.split(separator: "\n").first { $0.contains("the load is complete") })
        struct Line: Decodable {
            var message, rows, bytes, tables, seconds, dead_letters, dead_letters_file: String
        }
        let fields = try JSONDecoder().decode(Line.self, from: Data(object.utf8))
        #expect(fields.message == "the load is complete" && fields.rows == "100" && fields.dead_letters == "0")
        await clusters.stop()
    }

    @Test func `the status says what the loader may do and how long it took`() async throws {
        let clusters = try await LoaderClusters(rows: 100)
        let loader = try await ServingLoader(clusters, "limits.in_flight=32", "limits.in_flight_min=4")
        #expect(try await loader.command("start").code == 0)
        try await eventually {
            try await loader.ask("/status", as: LoaderStatusDocument.self).0.job.state == "done"
        }
        let job = try await loader.ask("/status", as: LoaderStatusDocument.self).0.job
        #expect(job.inFlightMin == 4 && job.inFlightMax == 32 && (4...32).contains(job.inFlightLimit))
        #expect(job.elapsedSeconds > 0)
        let text = try await loader.command("status")
        #expect(text.code == 0, "\(text.errors)")
        for words in ["job load: done", "100 rows", "1 table in ", "limits.in_flight_min 4", "no dead letters"] {
            #expect(text.output.contains(words), "\(words): \(text.output)")
        }
        // Who has asked for what stands in the log.
        let log = await loader.stop().errors
        #expect(log.contains("a load is asked for") && log.contains("subject=everything"), "\(log)")
        await clusters.stop()
    }

    @Test func `pause and resume twice are no error, and without a load they are`() async throws {
        let clusters = try await LoaderClusters()
        let loader = try await ServingLoader(clusters, "limits.rows_per_second=200")
        for verb in ["pause", "resume", "stop"] {
            let refused = try await loader.command(verb)
            #expect(refused.code == 1 && refused.errors.contains("No load runs."), "\(verb): \(refused.errors)")
        }
        #expect(try await loader.command("start").code == 0)
        for verb in ["pause", "resume"] {
            let first = try await loader.command(verb, "--reason", "a test")
            #expect(first.code == 0 && first.output.contains("All workers of the job are told"), "\(first.errors)")
            let second = try await loader.command(verb)
            #expect(second.code == 0 && second.output.contains("That is so already"), "\(second.errors)")
        }
        let log = await loader.stop().errors
        for verb in ["pause", "resume"] {
            #expect(
                log.contains(try Regex("the load is told to \(verb) by=\"admin 127\\.0\\.0\\.1\" reason=\"a test\"")),
                "\(log)"
            )
        }
        await clusters.stop()
    }

    @Test func `where no loader runs, its commands say where they have looked`() async throws {
        for words in [["status"], ["pause"], ["indexes", "rebuild"]] {
            let result = try await ChildProcess.run(
                ["sstable-loader"] + words + ["--endpoint", "http://127.0.0.1:1"]
            )
            #expect(result.code == 69)
            #expect(result.errors.contains("http://127.0.0.1:1") && result.errors.contains("--endpoint"))
        }
    }

    @Test func `a dry run says what a plan says, and changes nothing`() async throws {
        let clusters = try await LoaderClusters(rows: 10)
        let arguments = clusters.arguments()
        let dry = try await ChildProcess.run(arguments + ["--dry-run"])
        let plan = try await ChildProcess.run(["sstable-loader", "plan"] + arguments.dropFirst())
        #expect(dry.code == 0 && dry.output == plan.output && dry.output.contains("table shop.t"), "\(dry.errors)")
        #expect(clusters.cells(clusters.to).isEmpty)
        #expect(access("\(clusters.folder.path)/state", F_OK) != 0)
        await clusters.stop()
    }

    @Test func `a file that cannot be read is the only fault that is told`() async throws {
        let result = try await ChildProcess.run(["sstable-loader", "--config", "/nowhere/x.yaml"])
        #expect(result.code == 78)
        #expect(result.errors.contains("/nowhere/x.yaml: the file cannot be read"))
        #expect(!result.errors.contains("source.hosts"), "\(result.errors)")
    }

    @Test func `a cluster that does not answer is named, in words`() async throws {
        let clusters = try await LoaderClusters(rows: 10)
        let plan = try await ChildProcess.run(
            ["sstable-loader", "plan"] + clusters.arguments("target.hosts=127.0.0.1:1").dropFirst()
        )
        #expect(plan.code == 69)
        #expect(plan.errors.contains("no connection to target yet: cannot connect to 127.0.0.1:1: Connection refused"))
        #expect(!plan.errors.contains("The source cannot"), "it is the target: \(plan.errors)")
        await clusters.stop()
    }

    @Test func `paths that hold nothing are told as that, whatever the reason`() async throws {
        let clusters = try await LoaderClusters(rows: 10)
        let folder = clusters.folder.path
        let id = String(repeating: "0123456789abcdef", count: 2)
        for path in ["empty", "snapshots/shop/t-\(id)/snapshots/monday"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(path)", withIntermediateDirectories: true)
        }
        let missing = try await self.load("\(folder)/missing", into: clusters)
        #expect(missing.code == 1)
        #expect(missing.errors.contains("missing': there is no such file or folder; check the path"))
        let empty = try await self.load("\(folder)/empty", into: clusters)
        #expect(empty.code == 1 && empty.errors.contains("there is nothing in SSTables under"), "\(empty.errors)")
        let snapshot = try await self.load("\(folder)/snapshots", into: clusters, [], "files.snapshot=mondy")
        #expect(snapshot.code == 1 && snapshot.errors.contains("snapshots/mondy: there is no such folder"))
        let plan = try await self.load("\(folder)/empty", into: clusters, ["plan"])
        #expect(plan.code == 1 && plan.output.contains("nothing to load: there is nothing in"), "\(plan.output)")
        #expect(plan.output.contains("0 tables, 0 parts"))
        await clusters.stop()
    }

    @Test func `a column that the target lacks keeps its table away until it is left out`() async throws {
        let clusters = try await LoaderClusters(rows: 10)
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: clusters.source.port)
        let client = try await TestClient.start(on: address, group: MultiThreadedEventLoopGroup.singleton)
        _ = try await client.ask(query("ALTER TABLE shop.t ADD extra text"))
        await client.close()
        let result = try await ChildProcess.run(clusters.arguments())
        #expect(result.code == 1)
        #expect(
            result.errors.contains("column extra is missing: add it to the target, or leave it out (columns.exclude)"),
            "\(result.errors)"
        )
        #expect(clusters.cells(clusters.to).isEmpty)
        let without = try await ChildProcess.run(clusters.arguments("columns.exclude=shop.t.extra", "job.name=without"))
        #expect(without.code == 0, "\(without.errors)")
        #expect(clusters.cells(clusters.to) == clusters.cells(clusters.from))
        await clusters.stop()
    }

    // MARK: Files

    /// A data directory with one recorded table of a Cassandra, as `ks.wide`.
    private func recorded(in folder: String) throws -> (path: String, table: String) {
        let table = "\(folder)/data/ks/wide-" + String(repeating: "0123456789abcdef", count: 2)
        try FileManager.default.createDirectory(atPath: "\(folder)/data/ks", withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: Fixtures.sstables("cassandra-4.1/wide") ?? "", toPath: table)
        return ("\(folder)/data", table)
    }

    private func makeTable(on node: EmbeddedNode) async throws {
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: node.port)
        let client = try await TestClient.start(on: address, group: MultiThreadedEventLoopGroup.singleton)
        let replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
        _ = try await client.ask(query("CREATE KEYSPACE ks WITH replication = \(replication)"))
        _ = try await client.ask(
            query(
                "CREATE TABLE ks.wide (tenant text, day date, at timestamp, seq int, reading double, note text, "
                    + "label text static, PRIMARY KEY ((tenant, day), at, seq)) "
                    + "WITH CLUSTERING ORDER BY (at DESC, seq ASC)"
            )
        )
        await client.close()
    }

    @Test(.enabled(if: Fixtures.sstables("cassandra-4.1/wide") != nil, "the recorded fixtures are not here"))
    func `a worker that is killed in the middle of a file leaves what the next start completes`() async throws {
        func cells(_ store: EmbeddedStore) -> Set<String> {
            Set(store.cells(keyspace: "ks", table: "wide").map { "\($0)" })
        }
        let clusters = try await LoaderClusters(rows: 1)
        for node in [clusters.target, clusters.source] { try await self.makeTable(on: node) }
        let (path, _) = try self.recorded(in: clusters.folder.path)
        let worker = try ChildProcess(
            self.arguments(path, clusters, [], ["limits.rows_per_second=800", "job.lease_ms=5000"])
        )
        try await eventually { !cells(clusters.to).isEmpty }
        worker.signal(SIGKILL)
        #expect(await worker.result().code == 128 + SIGKILL)
        let before = cells(clusters.to)
        // The lease of the killed worker has to run out first.
        let result = try await self.load(path, into: clusters, [], "job.lease_ms=5000")
        #expect(result.code == 0, "\(result.errors)")
        // What an uninterrupted load leaves, on the node that is only a source elsewhere.
        let whole = try await self.load(
            path,
            into: clusters,
            [],
            "target.hosts=127.0.0.1:\(clusters.source.port)",
            "job.name=whole"
        )
        #expect(whole.code == 0, "\(whole.errors)")
        #expect(before.count < cells(clusters.from).count)
        #expect(cells(clusters.to) == cells(clusters.from))
        await clusters.stop()
    }

    @Test(.enabled(if: Fixtures.sstables("cassandra-4.1/wide") != nil, "the recorded fixtures are not here"))
    func `what is no SSTable is named with its file, and a folder in place of a file is told as one`() async throws {
        let clusters = try await LoaderClusters(rows: 1)
        try await self.makeTable(on: clusters.target)
        let (path, table) = try self.recorded(in: clusters.folder.path)
        for name in ["foo-Data.db", "nb-9-big-Data.db"] {
            #expect(FileManager.default.createFile(atPath: "\(table)/\(name)", contents: Data("x".utf8)))
        }
        let result = try await self.load(path, into: clusters)
        #expect(result.code == 1)
        #expect(result.errors.contains("foo-Data.db': is not the data file of an SSTable"), "\(result.errors)")
        #expect(result.errors.contains("nb-9-big-Data.db is not loaded"), "\(result.errors)")
        #expect(result.errors.contains("Statistics.db, Index.db missing"), "\(result.errors)")
        #expect(!clusters.to.cells(keyspace: "ks", table: "wide").isEmpty, "what can be loaded is")
        for name in ["foo-Data.db", "nb-9-big-Data.db", "nb-1-big-Index.db"] {
            try FileManager.default.removeItem(atPath: "\(table)/\(name)")
        }
        try FileManager.default.createDirectory(
            atPath: "\(table)/nb-1-big-Index.db",
            withIntermediateDirectories: false
        )
        let folder = try await self.load(path, into: clusters, ["plan"])
        #expect(folder.code == 1)
        #expect(folder.output.contains("nb-1-big-Index.db': is a folder, and "), "\(folder.output)")
        await clusters.stop()
    }
}
