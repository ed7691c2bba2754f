import CQLProtocol
import DualWriteCore
import EmbeddedNode
import FoundationEssentials
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Loads, as processes, that meet full disks, files that vanish, and workers that die.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct LoadFaultTests {
    // MARK: Full disks

    @Test func `a disk that the job's store fills ends the load, which names the file and goes on when there is room`()
        async throws
    {
        let clusters = try await LoaderClusters(rows: 600, ranges: 64)
        let arguments = clusters.arguments("concurrency=1", "job.lease_ms=5000")
        let full = try await ChildProcess.run(arguments, fileKibibytesMax: 256)
        #expect(full.code == 1, "\(full.code) \(full.errors)")
        let file = "\(clusters.folder.path)/state/job.sqlite"
        #expect(full.errors.contains("'\(file)' cannot be used"), "\(full.errors)")
        #expect(full.errors.contains("missing: shop.t ("), "\(full.errors)")
        let (all, some) = (clusters.cells(clusters.from), clusters.cells(clusters.to))
        #expect(!some.isEmpty && some.isStrictSubset(of: all), "\(some.count) of \(all.count): not during the load")
        let again = try await ChildProcess.run(arguments)
        #expect(again.code == 0, "\(again.errors)")
        #expect(clusters.cells(clusters.to) == all)
        await clusters.stop()
    }

    /// Rows of the source of which the target has nothing, by their keys.
    private static func missing(_ clusters: LoaderClusters) -> Set<[[UInt8]]> {
        func rows(_ store: EmbeddedStore) -> Set<[[UInt8]]> {
            Set(clusters.stored(store).map { [$0.partition] + $0.clustering })
        }
        return rows(clusters.from).subtracting(rows(clusters.to))
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test
    func `a disk that dead letters fill loses no row: each is written, in a whole line, or in a range that is named`()
        async throws
    {
        let clusters = try await LoaderClusters(rows: 600, ranges: 16)
        // The store is elsewhere, so that the dead letters alone meet the limit.
        let settings = ["job.store=cluster", "concurrency=1", "batch.statements=1", "retries.ranges=1"]
        clusters.target.setFaults([
            FaultRule(
                .all([.opcode(.execute), .textContains("shop")]),
                .error(ErrorMessage(.invalid, "no such luck"))
            )
        ])
        let full = try await ChildProcess.run(clusters.arguments(settings), fileKibibytesMax: 64)
        #expect(full.code == 1, "\(full.code) \(full.errors)")
        let folder = "\(clusters.folder.path)/state/dead-letters"
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: folder).first)
        #expect(full.errors.contains("'\(folder)/\(name)': writing it failed"), "\(full.errors)")
        #expect(full.errors.contains("given up"), "\(full.errors)")
        let letters = try Fixtures.text("\(folder)/\(name)").split(separator: "\n", omittingEmptySubsequences: false)
        #expect(letters.last == "", "the last line is whole")

        // Ranges that were given up arrive when there is room; what stands in letters is for somebody to see to.
        clusters.target.setFaults([])
        let rest = try await ChildProcess.run(clusters.arguments(settings))
        #expect(rest.code == 1 && rest.errors.contains(name), "\(rest.code) \(rest.errors)")
        let missing = Self.missing(clusters)
        #expect(missing.count < clusters.rows / 2)
        for key in missing {
            let (partition, clustering) = (Self.hexadecimal(key[0]), Self.hexadecimal(key[1]))
            let isBuried = letters.contains {
                $0.contains(#""key":"0x\#(partition)""#) && $0.contains(#""0x\#(clustering)""#)
            }
            #expect(isBuried, "the row \(key) is nowhere")
        }
        #expect(rename("\(folder)/\(name)", "\(clusters.folder.path)/seen-to.jsonl") == 0)
        let all = try await ChildProcess.run(clusters.arguments(settings + ["job.name=again"]))
        #expect(all.code == 0, "\(all.errors)")
        #expect(clusters.cells(clusters.to) == clusters.cells(clusters.from))
        await clusters.stop()
    }

    // MARK: Files that vanish

    @Test(.enabled(if: LoadUnderWritesTests.recorded != nil, "the recorded fixtures are not here"))
    func `files that vanish or are cut during a load are named, the others arrive, and a start loads what came back`()
        async throws
    {
        let recorded = try #require(LoadUnderWritesTests.recorded)
        let folder = try TemporaryFolder()
        let data = try LoadUnderWritesTests.directory(recorded, in: folder)
        let files = ["files.paths=\(data)"]
        let schema = try LoadUnderWritesTests.schema(recorded)
        let scenario = try await LoadScenario(keyspace: "fixture_41", release: "5.0.2", schema: schema)
        let truth = await (try scenario.loader(intoSource: files)).result()
        #expect(truth.code == 0, "\(truth.errors)")

        // Tables are loaded in the order of their names.
        let worker = try scenario.loader(
            intoTarget: files,
            "concurrency=1",
            "retries.ranges=2",
            "limits.rows_per_second=1200"
        )
        try await eventually { scenario.count("every_type", .target) > 0 }
        let gone = "\(data)/\(LoadUnderWritesTests.folder(of: "simple_zstd"))"
        #expect(rename(gone, "\(folder.path)/elsewhere") == 0)
        let cut = "\(data)/\(LoadUnderWritesTests.folder(of: "wide"))"
        let name = try #require(
            try FileManager.default.contentsOfDirectory(atPath: cut).first { $0.hasSuffix("-Data.db") }
        )
        let whole = try #require(FileManager.default.contents(atPath: "\(cut)/\(name)"))
        #expect(truncate("\(cut)/\(name)", off_t(whole.count / 2)) == 0)
        let end = await worker.result()
        #expect(end.code == 1, "\(end.errors)")
        // Which of an SSTable's files does not fit the others is the reader's to say.
        for folder in [gone, cut] { #expect(end.errors.contains("'\(folder)/nb-"), "\(end.errors)") }
        for table in LoadUnderWritesTests.loaded where !["simple_zstd", "wide"].contains(table) {
            #expect(Self.differences(table, scenario) == [])
        }

        #expect(rename("\(folder.path)/elsewhere", gone) == 0)
        try whole.write(to: URL(filePath: "\(cut)/\(name)"))
        let again = await (try scenario.loader(intoTarget: files)).result()
        #expect(again.code == 0, "\(again.errors)")
        for table in LoadUnderWritesTests.loaded { #expect(Self.differences(table, scenario) == []) }
        await scenario.stop()
    }

    /// Without a list that both loads have written as a whole: each node gave its elements places of its own.
    private static func differences(_ table: String, _ scenario: LoadScenario) -> [String] {
        scenario.differences(table).filter { !$0.contains(#"column: "l""#) }
    }

    // MARK: Workers that die

    @Test(arguments: [1] as [UInt64])
    func `two workers that are killed again and again leave both sides equal`(seed: UInt64) async throws {
        let clusters = try await LoaderClusters(rows: 1_500, ranges: 32)
        var random = SeededRandom(seed: seed)
        func worker(_ number: Int) throws -> ChildProcess {
            try ChildProcess(
                clusters.arguments(
                    "job.store=cluster",
                    "job.lease_ms=5000",
                    "state_dir=\(clusters.folder.path)/machine\(number)",
                    "concurrency=2",
                    "limits.rows_per_second=300"
                )
            )
        }
        var workers = [try worker(0), try worker(1)]
        for _ in 0..<5 {
            let goal = clusters.stored(clusters.to).count + random.number(50...350)
            try await eventually { clusters.stored(clusters.to).count >= goal }
            let number = random.number(0...1)
            workers[number].signal(SIGKILL)
            let end = await workers[number].result()
            #expect(end.code == 128 + SIGKILL, "seed \(seed): \(end.errors)")
            workers[number] = try worker(number)
        }
        #expect(
            clusters.cells(clusters.to).isStrictSubset(of: clusters.cells(clusters.from)),
            "all died before the end"
        )
        for worker in workers {
            let end = await worker.result()
            #expect(end.code == 0, "seed \(seed): \(end.errors)")
        }
        #expect(clusters.cells(clusters.to) == clusters.cells(clusters.from), "seed \(seed)")
        await clusters.stop()
    }
}
