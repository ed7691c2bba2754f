import CQLProtocol
import DualWriteCore
import FoundationEssentials
import NIOCore
import TestSupport
import Testing

/// A bulk load while applications write and delete through the dual writer, with everything as processes: at the end both sides are
/// equal, nothing that was deleted has come back, and nothing newer is overwritten.
@Suite(.serialized, .timeLimit(.minutes(4)))
struct LoadUnderWritesTests {
    // MARK: From a live source

    private static let keyspace = "load"
    private static let schema = [
        "CREATE TABLE load.t (p int, c int, v text, n int, s set<int>, m map<text, int>, st text static, PRIMARY KEY (p, c))",
        // Nothing here tells a time where the source does not tell those of elements.
        "CREATE TABLE load.bare (p int, c int, s set<int>, m map<text, int>, PRIMARY KEY (p, c))",
        "CREATE TABLE load.still (p int, c int, v text, PRIMARY KEY (p, c))",
    ]

    private static var tables: [WrittenTable] {
        var t = WrittenTable("load.t", by: ["p"])
        (t.clustering, t.statics, t.columns, t.sets, t.maps) = (["c"], ["st"], ["v", "n"], ["s"], ["m"])
        var bare = WrittenTable("load.bare", by: ["p"])
        (bare.clustering, bare.sets, bare.maps) = (["c"], ["s"], ["m"])
        (t.hasMarkers, bare.hasMarkers) = (true, true)
        return [t, bare]
    }

    /// Fills the source with a past: rows that were inserted, and changes and deletions in no order.
    private static func makePast(_ scenario: LoadScenario, seed: UInt64) async throws -> [WrittenTable] {
        let begin: Int64 = 1_600_000_000_000_000
        var random = SeededRandom(seed: seed)
        return try await scenario.client(of: .source) { client in
            for row in 0..<800 {
                let (p, c) = (row / 10, row % 10)
                let elements = "{\(row % 7), \(row % 5 + 10)}, {'a\(row % 3)': \(row), 'b': \(c)}"
                let texts = [
                    "INSERT INTO load.t (p, c, v, n, s, m) VALUES (\(p), \(c), 'v\(row)', \(row), \(elements))",
                    "INSERT INTO load.bare (p, c, s, m) VALUES (\(p), \(c), \(elements))",
                    "INSERT INTO load.still (p, c, v) VALUES (\(p), \(c), 'still \(row)')",
                    "UPDATE load.t SET st = 'static \(p)' WHERE p = \(p)",
                ]
                for text in texts.prefix(c == 0 ? 4 : 3) {
                    _ = try await client.ask(query(text, timestamp: begin + Int64(random.number(0...1_000_000))))
                }
            }
            var tables = Self.tables
            for index in tables.indices { try await tables[index].fillPool(client) }
            for _ in 0..<600 {
                let change = random.pick(tables).change(&random)
                let answer = try await client.ask(change.request(at: begin + Int64(random.number(0...2_000_000))))
                #expect(answer == .result(.void), "\(change): \(answer)")
            }
            return tables
        }
    }

    /// Releases that do not tell the times of elements, and one that does.
    @Test(arguments: [("4.1.6", ["s", "m"] as Set<String>, 1), ("5.0.2", [], 2)] as [(String, Set<String>, UInt64)])
    func `a live source that is loaded while it is written`(release: String, untimed: Set<String>, seed: UInt64)
        async throws
    {
        let scenario = try await LoadScenario(keyspace: Self.keyspace, release: release, schema: Self.schema)
        let tables = try await Self.makePast(scenario, seed: seed)
        let source = ["source.hosts=127.0.0.1:\(scenario.port(.source))", "page_rows=20"]
        try await scenario.run(tables, from: source, still: "still", seed: seed)
        for table in ["t", "bare", "still"] {
            let wrong = scenario.differences(table, untimed: untimed)
            #expect(wrong.count == 0, "seed \(seed): \(wrong.count), \(wrong.prefix(3))")
        }
        let result = try await scenario.compare()
        #expect(result.code == 0 && result.output.hasSuffix("verdict: in sync\n"), "\(result.output)\(result.errors)")
        await scenario.stop()
    }

    // MARK: From SSTables

    static let recorded: String? = {
        let given = ProcessInfo.processInfo.environment["CLUSTER_SYNC_FIXTURES"]
        return [given, Repository.root + "/../shared/fixtures"].lazy.compactMap {
            $0.map { "\($0)/sstables/cassandra-4.1" }
        }
        .first { FileManager.default.fileExists(atPath: $0) }
    }()

    /// Recorded tables, without those that SSTables cannot be loaded of: counters, and a column that the target has not.
    static let loaded = [
        "MixedCase", "deletions", "every_type", "expiring", "simple_deflate", "simple_lz4", "simple_none",
        "simple_zstd", "wide",
    ]

    private static var recordedTables: [WrittenTable] {
        var wide = WrittenTable("fixture_41.wide", by: ["tenant", "day"])
        (wide.clustering, wide.statics, wide.columns) = (["at", "seq"], ["label"], ["reading", "note"])
        var deletions = WrittenTable("fixture_41.deletions", by: ["p"])
        (deletions.clustering, deletions.statics, deletions.columns) = (["c1", "c2"], ["st"], ["v", "w"])
        var simple = WrittenTable("fixture_41.simple_lz4", by: ["k"])
        simple.columns = ["v", "n"]
        var types = WrittenTable("fixture_41.every_type", by: ["p"])
        (types.clustering, types.columns) = (["c"], ["a", "bl", "d", "te", "tu", "fl", "ud"])
        (types.sets, types.maps) = (["s"], ["m", "nest"])
        return [wide, deletions, simple, types]
    }

    /// The statements that make the recorded tables.
    static func schema(_ recorded: String) throws -> [String] {
        try Fixtures.text("\(recorded)/schema.cql").split(separator: ";")
            .map { $0.split(whereSeparator: \.isNewline).joined(separator: " ") }
            .filter { $0.contains("CREATE ") && !$0.contains("CREATE KEYSPACE") }
    }

    /// Where the files of a recorded table are in its data directory.
    static func folder(of table: String) -> String {
        "fixture_41/\(table)-\(String(repeating: "0", count: 31))\(Self.loaded.firstIndex(of: table) ?? 0)"
    }

    /// A data directory with the recorded tables.
    static func directory(_ recorded: String, in folder: TemporaryFolder) throws -> String {
        let keyspace = "\(folder.path)/data/fixture_41"
        try FileManager.default.createDirectory(atPath: keyspace, withIntermediateDirectories: true)
        for table in Self.loaded {
            let path = "\(folder.path)/data/\(Self.folder(of: table))"
            try FileManager.default.copyItem(atPath: "\(recorded)/\(table)", toPath: path)
        }
        return "\(folder.path)/data"
    }

    @Test(.enabled(if: recorded != nil, "the recorded fixtures are not here"), arguments: [3] as [UInt64])
    func `SSTables that are loaded while their tables are written`(seed: UInt64) async throws {
        let recorded = try #require(Self.recorded)
        let schema = try Self.schema(recorded)
        let folder = try TemporaryFolder()
        let files = ["files.paths=\(try Self.directory(recorded, in: folder))"]
        let scenario = try await LoadScenario(keyspace: "fixture_41", release: "5.0.2", schema: schema)
        // The source is the cluster that these are the files of.
        let before = await (try scenario.loader(intoSource: files)).result()
        #expect(before.code == 0, "\(before.errors)")
        var tables = Self.recordedTables
        try await scenario.client(of: .source) { client in
            for index in tables.indices { try await tables[index].fillPool(client) }
        }
        try await scenario.run(tables, from: files, isSnapshot: true, still: "simple_none", seed: seed)
        for table in Self.loaded {
            let wrong = scenario.differences(table)
            #expect(wrong.count == 0, "seed \(seed): \(wrong.count), \(wrong.prefix(3))")
        }
        let result = try await scenario.compare()
        #expect(result.code == 0 && result.output.hasSuffix("verdict: in sync\n"), "\(result.output)\(result.errors)")
        await scenario.stop()
    }
}
