import EmbeddedNode
import FoundationEssentials
import NIOCore
import NIOPosix
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// `cluster-sync dual-reader compare` as a process between two nodes.
struct ReaderCommandTests {
    /// Two nodes with the same table and the same rows.
    private final class Clusters: Sendable {
        static let rows = 200
        let source: EmbeddedNode
        let target: EmbeddedNode
        /// Clients of the two.
        let atSource: TestClient
        let atTarget: TestClient
        let folder: TemporaryFolder

        init() async throws {
            let group = MultiThreadedEventLoopGroup.singleton
            self.folder = try TemporaryFolder()
            self.source = try await EmbeddedNode.start(on: group, store: EmbeddedStore())
            self.target = try await EmbeddedNode.start(on: group, store: EmbeddedStore())
            self.atSource = try await Self.client(of: self.source)
            self.atTarget = try await Self.client(of: self.target)
            for client in [self.atSource, self.atTarget] {
                try await client.makeTables("p int, c int, v text, PRIMARY KEY (p, c)", in: "shop")
                for row in 0..<Self.rows { try await Self.write(row, "v\(row)", client) }
            }
        }

        private static func client(of node: EmbeddedNode) async throws -> TestClient {
            let address = try SocketAddress(ipAddress: "127.0.0.1", port: node.port)
            return try await TestClient.start(on: address, group: MultiThreadedEventLoopGroup.singleton)
        }

        /// Writes a row, a second later than `row` says where it is to differ from one of the same number.
        static func write(_ row: Int, _ value: String, _ client: TestClient, seconds: Int64 = 0) async throws {
            let text = "INSERT INTO shop.t (p, c, v) VALUES (\(row / 10), \(row % 10), '\(value)')"
            _ = try await client.ask(query(text, timestamp: 1_700_000_000_000_000 + Int64(row) + seconds * 1_000_000))
        }

        /// Runs the command between the two.
        func compare(_ words: [String] = [], settings: [String] = []) async throws -> ChildProcess.Result {
            try await self.comparing(words, settings: settings).result()
        }

        /// Starts the command between the two.
        func comparing(_ words: [String] = [], settings: [String] = []) throws -> ChildProcess {
            let all =
                [
                    "source.hosts=127.0.0.1:\(self.source.port)", "target.hosts=127.0.0.1:\(self.target.port)",
                    "settle.wait_ms=1", "state_dir=\(self.folder.path)/state",
                ] + settings
            return try ChildProcess(["dual-reader", "compare"] + words + all.flatMap { ["--set", $0] })
        }

        func stop() async {
            await self.atSource.close()
            await self.atTarget.close()
            await self.source.stop()
            await self.target.stop()
        }
    }

    /// What of the JSON report the tests look at.
    private struct Report: Decodable {
        struct Table: Decodable {
            struct Sample: Decodable {
                struct Content: Decodable { var value: String? }
                var `class`: String
                var key: [String]
                var clustering: [String]?
                var column: String?
                var source: Content?
                var target: Content?
            }
            struct Counts: Decodable {
                var rows: Int
                var source_rows: Int
                var target_rows: Int
            }
            var table: String
            var verdict: String
            var counts: Counts
            var differences: [String: Int]
            var samples: [Sample]
        }
        var verdict: String
        var tables: [Table]

        init(_ text: String) throws {
            self = try JSONDecoder().decode(Report.self, from: Data(text.utf8))
        }
    }

    @Test func `clusters that agree end with 0, and a difference that comes later is found by the next run`()
        async throws
    {
        let clusters = try await Clusters()
        let result = try await clusters.compare(["--keyspace", "shop"])
        #expect(result.code == 0, "\(result.errors)")
        #expect(result.output.contains("table shop.t: in sync"), "\(result.output)")
        #expect(result.output.hasSuffix("verdict: in sync\n"), "\(result.output)")
        // Had the first run not been forgotten, the second would repeat its report.
        try await Clusters.write(73, "drift", clusters.atTarget, seconds: 1)
        #expect(try await clusters.compare(["--keyspace", "shop"]).code == 1)
        await clusters.stop()
    }

    @Test func `a report of a comparison that others have ended says so, and a new one is made on request`()
        async throws
    {
        let clusters = try await Clusters()
        let shared = ["job.store=cluster", "job.worker=a"]
        let first = try await clusters.compare(settings: shared)
        #expect(first.code == 0 && !first.errors.contains("has ended before"), "\(first.errors)")
        try await Clusters.write(73, "drift", clusters.atTarget, seconds: 1)
        let same = try await clusters.compare(settings: shared)
        #expect(same.code == 0 && same.errors.contains("has ended before"), "\(same.errors)")
        let next = try await clusters.compare(["--anew"], settings: shared)
        #expect(next.code == 1 && !next.errors.contains("has ended before"), "\(next.errors)")
        await clusters.stop()
    }

    @Test func `a difference ends with 1 and is told with its key and both values`() async throws {
        let clusters = try await Clusters()
        try await Clusters.write(73, "drift", clusters.atTarget, seconds: 1)
        try await Clusters.write(1_005, "extra", clusters.atTarget)
        let result = try await clusters.compare(["--table", "shop.t"])
        #expect(result.code == 1, "\(result.errors)")
        #expect(result.output.contains("table shop.t: differs"), "\(result.output)")
        #expect(result.output.contains("key (7), row (3), v: source 'v73'"), "\(result.output)")
        let json = try await clusters.compare(["--table", "shop.t", "--json"])
        #expect(json.code == 1, "\(json.errors)")
        let report = try Report(json.output)
        #expect(report.verdict == "differs" && report.tables.map(\.table) == ["shop.t"])
        let table = try #require(report.tables.first)
        #expect(table.counts.rows == 201 && table.counts.source_rows == 200 && table.counts.target_rows == 201)
        #expect(table.differences == ["value": 1, "missing_on_source": 1])
        let value = try #require(table.samples.first { $0.class == "value" })
        #expect(value.key == ["7"] && value.clustering == ["3"] && value.column == "v")
        #expect(value.source?.value == "'v73'" && value.target?.value == "'drift'")
        let extra = try #require(table.samples.first { $0.class == "missing_on_source" })
        #expect(extra.key == ["100"] && extra.clustering == ["5"] && extra.source == nil && extra.target != nil)
        await clusters.stop()
    }

    @Test func `a table that one cluster has not ends with 74 and is named, and the others are compared`() async throws
    {
        let clusters = try await Clusters()
        _ = try await clusters.atSource.ask(query("CREATE TABLE shop.other (k int PRIMARY KEY, v text)"))
        let result = try await clusters.compare()
        #expect(result.code == 74, "\(result.errors)")
        #expect(result.output.contains("table shop.other: incomplete"), "\(result.output)")
        #expect(result.output.contains("target"), "\(result.output)")
        #expect(result.output.contains("table shop.t: in sync"), "\(result.output)")
        await clusters.stop()
    }

    @Test func `a table that neither cluster has is a wrong command line, alone and beside others`() async throws {
        let clusters = try await Clusters()
        for words in [["--table", "shop.orders"], ["--table", "shop.orders", "--table", "shop.t"]] {
            let result = try await clusters.compare(words)
            #expect(result.code == 64)
            #expect(result.errors.contains("neither cluster has shop.orders"), "\(result.errors)")
            #expect(result.output.isEmpty)
        }
        let wrong = try await clusters.compare(["--table", "orders"])
        #expect(wrong.code == 64 && wrong.errors.contains("KEYSPACE.TABLE"), "\(wrong.errors)")
        await clusters.stop()
    }

    @Test func `a cluster that is away ends with 69, not with a verdict`() async throws {
        let clusters = try await Clusters()
        let result = try await clusters.compare(
            settings: [
                "target.hosts=127.0.0.1:1", "source.request_timeout_ms=3000", "target.request_timeout_ms=3000",
                "connect.wait_ms=1",
            ]
        )
        #expect(result.code == 69, "\(result.errors)")
        #expect(result.errors.contains("cannot connect to 127.0.0.1:1"), "\(result.errors)")
        #expect(result.output.isEmpty)
        await clusters.stop()
    }

    @Test(arguments: [["dual-reader"], ["dual-reader", "digests", "--cluster", "target"]])
    func `an address that is taken is named`(command: [String]) async throws {
        let clusters = try await Clusters()
        let taken = "127.0.0.1:\(clusters.source.port)"
        let settings = [
            "source.hosts=\(taken)", "target.hosts=127.0.0.1:\(clusters.target.port)", "admin.listen=\(taken)",
            "admin.token=secret",
            "state_dir=\(clusters.folder.path)/state",
        ]
        let result = try await ChildProcess.run(command + settings.flatMap { ["--set", $0] })
        #expect(result.code == 69 && result.errors.contains("\(taken) cannot be listened on: "), "\(result.errors)")
        await clusters.stop()
    }

    /// How a process is ended in the middle, and what it answers.
    @Test(arguments: [(SIGTERM, Int32(74)), (SIGKILL, 128 + SIGKILL)])
    func `a comparison that was ended in the middle gives no verdict, and the next start comes to one`(
        signal: Int32,
        code: Int32
    ) async throws {
        let clusters = try await Clusters()
        try await Clusters.write(73, "drift", clusters.atTarget, seconds: 1)
        // The difference is waited for as long as nothing ends the process.
        let comparing = try clusters.comparing(settings: ["settle.wait_ms=60000", "settle.pause_max_ms=60000"])
        let job = "\(clusters.folder.path)/state/job.sqlite"
        while !FileManager.default.fileExists(atPath: job) { try await Task.sleep(for: .milliseconds(5)) }
        comparing.signal(signal)
        let ended = await comparing.result()
        #expect(ended.code == code, "\(ended.errors)")
        #expect(!ended.output.contains("verdict"), "\(ended.output)")
        let next = try await clusters.compare(settings: ["job.lease_ms=5000"])
        #expect(next.code == 1, "\(next.errors)")
        #expect(next.output.contains("value: 1 difference"), "\(next.output)")
        await clusters.stop()
    }

    @Test func `without clusters the configuration is wrong`() async throws {
        let result = try await ChildProcess.run(["dual-reader", "compare"])
        #expect(result.code == 78)
        #expect(result.errors.contains("source.hosts") && result.errors.contains("target.hosts"))
    }
}
