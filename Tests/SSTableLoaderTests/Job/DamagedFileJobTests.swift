import CQLClient
import EmbeddedNode
import FoundationEssentials
import LiveTables
import TestSupport
import Testing
import TokenRanges

@testable import SSTable
@testable import SSTableLoader

extension Loads {
    /// Whole loads of recorded SSTables of which one file is cut off somewhere, or has a bit turned: what arrives is the truth, and
    /// what does not is told with the file's name.
    @Suite(.enabled(if: Recorded.areThere, "the recorded fixtures are not here"))
    struct DamagedFileJobTests {
        /// Damages of each fixture, and the seed: more of them by `CLUSTER_SYNC_DAMAGES`, others by `CLUSTER_SYNC_SEED`.
        private static let damages = Self.variable("CLUSTER_SYNC_DAMAGES") ?? 2
        private static let seed = Self.variable("CLUSTER_SYNC_SEED") ?? 1

        private static func variable(_ name: String) -> Int? {
            ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
        }

        /// What a load reads; the filter is of no use to it. Counters are not loaded from files.
        private static let fixtures = Recorded.all.filter { !$0.table.contains("counter") && $0.table != "hits" }

        private enum Damage: CustomStringConvertible {
            case cut(at: Int)
            case flip(byte: Int, bit: Int)

            static func random(_ length: Int, _ random: inout SeededRandom) -> Self {
                guard length > 0, !random.percent(25) else { return .cut(at: random.number(0...max(0, length - 1))) }
                return .flip(byte: random.number(0...length - 1), bit: random.number(0...7))
            }

            func apply(to bytes: Data) -> Data {
                var bytes = bytes
                switch self {
                case .cut(let place): bytes = bytes.prefix(place)
                case .flip(let byte, let bit): bytes[bytes.startIndex + byte] ^= 1 << UInt8(bit)
                }
                return bytes
            }

            var description: String {
                switch self {
                case .cut(let place): "cut at \(place)"
                case .flip(let byte, let bit): "bit \(bit) of byte \(byte) turned"
                }
            }
        }

        /// Values by their places, those of lists by their rows alone: they get places of their own.
        private struct Stored {
            private(set) var cells: [Entry.Place: [Entry.Content]] = [:]

            init(_ entries: [Entry], lists: Set<String>) {
                for entry in entries {
                    var place = entry.place
                    if case .cell(let name, _) = place.kind, lists.contains(name) {
                        place = .init(key: place.key, clustering: place.clustering, kind: .cell(name, path: nil))
                    }
                    self.cells[place, default: []].append(entry.content)
                }
            }

            /// What is here and not in the truth.
            func strangers(to truth: Self) -> [String] {
                self.cells.flatMap { place, contents in
                    contents.filter { content in !(truth.cells[place] ?? []).contains { content.isSame(as: $0) } }
                        .map { "\(place): \($0) instead of \(truth.cells[place] ?? [])" }
                }
            }
        }

        @Test(arguments: fixtures)
        func `what a load of a damaged file leaves is true, and what is missing is told`(_ recorded: Recorded)
            async throws
        {
            var random = SeededRandom(seed: UInt64(Self.seed))
            let seeds = (0..<Self.damages).map { _ in random.next() }
            try await LoadScene.run(recorded) { scene in
                try await scene.load()
                let truth = Stored(try scene.entries(), lists: scene.lists)
                #expect(!truth.cells.isEmpty)
                for (number, seed) in seeds.enumerated() {
                    try await scene.session.query("TRUNCATE ks.\"\(recorded.table)\"")
                    try await Self.check(recorded, scene, truth, number: number, seed: seed)
                }
            }
        }

        private static func check(
            _ recorded: Recorded,
            _ scene: LoadScene,
            _ truth: Stored,
            number: Int,
            seed: UInt64
        ) async throws {
            var random = SeededRandom(seed: seed)
            let path = "\(scene.folder.path)/\(number)"
            let table = "\(path)/data/ks/\(recorded.table)-\(String(repeating: "0123456789abcdef", count: 2))"
            try FileManager.default.createDirectory(atPath: "\(path)/data/ks", withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: recorded.folder, toPath: table)
            let names = try FileManager.default.contentsOfDirectory(atPath: table).filter {
                !$0.hasSuffix(".json") && !$0.hasSuffix("-Filter.db")
            }
            let file = URL(filePath: "\(table)/\(random.pick(names.sorted()))")
            let bytes = try Data(contentsOf: file)
            let damage = Damage.random(bytes.count, &random)
            try damage.apply(to: bytes).write(to: file)
            let what: Comment = "\(recorded.testDescription), \(file.lastPathComponent), \(damage)"

            var settings = LoadSettings(
                job: "\(number)",
                source: .files(["\(path)/data"], places: [.live]),
                target: LoadBench.cluster("target", scene.node),
                store: .sqlite(path: "\(path)/job.sqlite"),
                deadLetterFolder: "\(path)/letters"
            )
            LoadBench.hasten(&settings)
            settings.bytesPerPart = max(1, scene.source.dataBytes / 2)
            do {
                let end = try await LoadJob.withJob(
                    settings,
                    worker: "a",
                    on: LoadBench.group,
                    logger: LoadBench.silent
                ) { try await $0.run() }
                let stored = Stored(try scene.entries(), lists: scene.lists)
                let strangers = stored.strangers(to: truth)
                #expect(strangers.count == 0, "\(what): \(strangers.prefix(2))")
                let status = end.status
                guard status.state == .incomplete else {
                    let missing = truth.strangers(to: stored)
                    #expect(missing.count == 0, "\(what): complete without \(missing.prefix(2))")
                    return
                }
                let told = status.tables.flatMap(\.failures).map(\.reason) + status.problems.map { "\($0)" }
                #expect(told.contains { $0.contains(table) }, "\(what): \(told)")
            } catch let error as LoadError {
                #expect("\(error)".contains(path), "\(what): \(error)")
            }
        }
    }
}

extension Entry.Content {
    /// Whether it says the same, to some seconds of its life.
    fileprivate func isSame(as other: Self) -> Bool {
        self.value == other.value && self.timestamp == other.timestamp
            && (self.expiresAt == 0) == (other.expiresAt == 0) && abs(self.expiresAt - other.expiresAt) < 600
    }
}
