import CQLProtocol
import EmbeddedNode
import FoundationEssentials
import LiveTables
import TestSupport
import Testing
import TokenRanges

@testable import SSTable
@testable import SSTableLoader

extension Loads {
    /// Jobs from SSTables: at their end the target holds what one load of the whole table leaves.
    @Suite(.enabled(if: Recorded.areThere, "the recorded fixtures are not here"))
    struct FileJobTests {
        /// A data directory with the SSTables of a fixture.
        private static func directory(_ recorded: Recorded, in folder: TemporaryFolder) throws -> String {
            let path = "\(folder.path)/data/ks"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            let id = String(repeating: "0123456789abcdef", count: 2)
            try FileManager.default.copyItem(atPath: recorded.folder, toPath: "\(path)/\(recorded.table)-\(id)")
            return "\(folder.path)/data"
        }

        private static func settings(_ recorded: Recorded, _ scene: LoadScene) throws -> LoadSettings {
            var settings = LoadSettings(
                job: "files",
                source: .files([try Self.directory(recorded, in: scene.folder)], places: [.live]),
                target: LoadBench.cluster("target", scene.node),
                store: .sqlite(path: "\(scene.folder.path)/job.sqlite"),
                deadLetterFolder: "\(scene.folder.path)/letters"
            )
            LoadBench.hasten(&settings)
            settings.bytesPerPart = max(1, scene.source.dataBytes / 8)
            return settings
        }

        @discardableResult
        private static func load(
            _ settings: LoadSettings,
            worker: String = "a",
            _ body: @Sendable @escaping (LoadJob) async throws -> Void = { _ in }
        ) async throws -> LoadEnd {
            try await LoadJob.withJob(settings, worker: worker, on: LoadBench.group, logger: LoadBench.silent) { job in
                try await body(job)
                return try await job.run()
            }
        }

        /// What a load of the whole table leaves.
        private static func whole(_ recorded: Recorded) async throws -> Captured {
            let captured = Captured()
            try await LoadScene.run(recorded) { scene in
                let result = try await scene.load()
                captured.set(try scene.entries(), result.part.partitions)
            }
            return captured
        }

        @Test(arguments: ["4.1/simple_lz4", "4.1/wide", "4.1/deletions"])
        func `a job of many parts leaves what one load leaves`(_ name: String) async throws {
            let recorded = try Recorded.named(name)
            let whole = try await Self.whole(recorded)
            try await LoadScene.run(recorded) { scene in
                let settings = try Self.settings(recorded, scene)
                let plan = try await LoadJob.plan(settings, on: LoadBench.group, logger: LoadBench.silent)
                #expect(plan.tables.map { "\($0.name)" } == ["ks.\(recorded.table)"] && plan.isLoadable)
                #expect(plan.parts >= 8 && plan.bytes == scene.source.dataBytes)
                let end = try await Self.load(settings)
                #expect(end.status.state == .complete && end.status.total.parts == plan.parts)
                #expect(try Self.places(scene.entries()) == Self.places(Array(whole.entries)))
            }
        }

        /// Ends of lives differ by the seconds between two loads.
        private static func places(_ entries: [Entry]) -> [Entry.Place: [String]] {
            Dictionary(grouping: entries, by: \.place).mapValues { entries in
                entries.map { "\($0.content.timestamp) \(String(describing: $0.content.value))" }.sorted()
            }
        }

        @Test func `two workers share a file job, and one goes on with what the other leaves`() async throws {
            let recorded = try Recorded.named("4.1/simple_lz4")
            let whole = try await Self.whole(recorded)
            try await LoadScene.run(recorded) { scene in
                let settings = try Self.settings(recorded, scene)
                let first = Task {
                    var slow = settings
                    slow.rates = RateLimits(rowsPerSecond: 100)
                    return try await Self.load(slow, worker: "a")
                }
                try await LoadBench.until { try scene.entries().count > 100 }
                let second = Task { try await Self.load(settings, worker: "b") }
                first.cancel()
                await #expect(throws: CancellationError.self) { try await first.value }
                #expect(try await second.value.status.state == .complete)
                #expect(try Self.places(scene.entries()) == Self.places(Array(whole.entries)))
            }
        }

        @Test func `a list stands there once, however often its part is begun`() async throws {
            let recorded = try Recorded.named("4.1/every_type")
            try await LoadScene.run(recorded) { scene in
                let lists = scene.lists
                #expect(!lists.isEmpty && !scene.table.hasListIndexes)
                func elements() throws -> [String] {
                    try scene.entries().compactMap { entry in
                        guard case .cell(let name, _?) = entry.place.kind, lists.contains(name),
                            let value = entry.content.value
                        else { return nil }
                        return "\(entry.place.key) \(entry.place.clustering) \(name) \(value)"
                    }.sorted()
                }
                try await scene.load()
                let once = try elements()
                #expect(!once.isEmpty)
                for attempt: Int64 in [1, 2] {
                    let part = FilePart(scene.source, to: scene.table, attempt: attempt, now: LoadScene.now)
                    try await TargetWriter.withWriter(for: scene.table, scene.source.columns, to: scene.target) {
                        writer in
                        _ = try await part.run(after: .min, through: .max, into: writer) { _, _ in }
                    }
                    let again = try elements()
                    #expect(again == once, "attempt \(attempt)")
                }
            }
        }

        @Test func `lists stand there once when their part fails behind them`() async throws {
            let recorded = try Recorded.named("4.1/every_type")
            let whole = try await Self.whole(recorded)
            try await LoadScene.run(recorded) { scene in
                var settings = try Self.settings(recorded, scene)
                settings.bytesPerPart = .max
                settings.runner.concurrency = 1
                let overloaded = FaultRule.Reaction.error(ErrorMessage(.overloaded, "a fault of the test"))
                // Lists are updates of their own, which arrive.
                scene.node.setFaults([
                    FaultRule(.all([.opcode(.execute), .textContains("INSERT")]), overloaded, times: 40),
                    FaultRule(.opcode(.batch), overloaded, times: 40),
                ])
                let end = try await Self.load(settings)
                #expect(end.status.state == .complete && end.status.errors.count >= 2)
                let found = Self.counts(try scene.entries())
                #expect(found == Self.counts(Array(whole.entries)))
            }
        }

        /// Values by row and column, whatever their places.
        private static func counts(_ entries: [Entry]) -> [String: Int] {
            Dictionary(
                entries.compactMap { entry -> (String, Int)? in
                    guard case .cell(let name, _) = entry.place.kind, entry.content.value != nil else { return nil }
                    return ("\(entry.place.key) \(entry.place.clustering) \(name)", 1)
                },
                uniquingKeysWith: +
            )
        }

        @Test func `a damaged table fails with file and place, and the job says what is missing`() async throws {
            let recorded = try Recorded.named("4.1/simple_lz4")
            try await LoadScene.run(recorded) { scene in
                let settings = try Self.settings(recorded, scene)
                let folder = "data/ks/\(scene.folder.names(in: "data/ks").first ?? "")"
                let name = try #require(scene.folder.names(in: folder).first { $0.hasSuffix("-Data.db") })
                let data = URL(filePath: "\(scene.folder.path)/\(folder)/\(name)")
                var bytes = try Data(contentsOf: data)
                bytes[bytes.count / 2] ^= 0x40
                try bytes.write(to: data)
                let end = try await Self.load(settings)
                #expect(end.status.state == .incomplete)
                let table = try #require(end.status.tables.first)
                #expect(table.progress.done > 0 && table.progress.failed > 0)
                #expect(!table.missing.isEmpty && table.missing != [LoadRange(.ring)])
                #expect(table.failures.allSatisfy { $0.reason.contains(data.path) && $0.reason.contains(" at byte ") })
            }
        }
    }
}
