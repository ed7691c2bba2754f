import CQLClient
import CQLProtocol
import EmbeddedNode
import FoundationEssentials
import LiveTables
import NIOCore
import SSTable
import Testing

@testable import SSTableLoader

extension Loads {
    /// What is loaded is what `sstabledump` showed: values, write times, ends of life and deletions.
    @Suite(.enabled(if: Recorded.areThere, "the recorded fixtures are not here"))
    struct FixtureLoadTests {
        /// A life is given in seconds that are left: a few may pass between the two clocks.
        private static let slackSeconds: Int64 = 60

        private static func column(_ kind: Entry.Kind) -> String? {
            switch kind {
            case .cell(let name, _), .columnDeletion(let name): name
            case .partitionDeletion, .rowDeletion, .rowMarker: nil
            }
        }

        @Test(arguments: Recorded.all.filter { $0.json != nil })
        func `every cell arrives with its value, write time and end of life`(_ recorded: Recorded) async throws {
            let expected = try RecordedEntries(String(contentsOfFile: #require(recorded.json), encoding: .utf8))
            try await LoadScene.run(recorded) { scene in
                let result = try await scene.load()
                let left = scene.lists.union(scene.counters).union(["gone"])
                func isCompared(_ entry: Entry) -> Bool {
                    Self.column(entry.place.kind).map { !left.contains($0) } ?? true
                }
                var found: [Entry.Place: Entry.Content] = [:]
                for entry in try scene.entries() where isCompared(entry) { found[entry.place] = entry.content }
                var wrong: [String] = []
                for entry in expected.entries where isCompared(entry) {
                    guard let content = found.removeValue(forKey: entry.place) else {
                        wrong.append("missing: \(entry)")
                        continue
                    }
                    let isSame =
                        content.value == entry.content.value && content.timestamp == entry.content.timestamp
                        && (content.expiresAt == 0) == (entry.content.expiresAt == 0)
                        && (0...Self.slackSeconds).contains(content.expiresAt - entry.content.expiresAt)
                    if !isSame { wrong.append("\(entry) is \(content)") }
                }
                // A row that lies in a deleted range knows of it in the store.
                for (place, content) in found
                where place.kind != .rowDeletion || !expected.rangeTimestamps.contains(content.timestamp) {
                    wrong.append("not recorded: \(place) \(content)")
                }
                #expect(wrong.isEmpty, "\(wrong.prefix(5))")
                try Self.checkLists(scene, expected)
                let counters = expected.entries.filter {
                    Self.column($0.place.kind).map { scene.counters.contains($0) } ?? false
                }
                #expect(result.writer.deadLetters == counters.count)
                let dead = try scene.deadLines
                #expect(dead.count == counters.count, "\(dead.first.map { "\($0)" } ?? "")")
            }
        }

        @Test(arguments: ["mc", "me", "na"])
        func `a compact table without clustering has the columns that CQL shows`(_ version: String) async throws {
            let recorded = try Recorded.named("legacy_\(version)_simple_compact/")
            let schema = "CREATE TABLE ks.\(recorded.table) (pk text PRIMARY KEY, val text)"
            try await LoadScene.run(recorded, schema: [schema]) { scene in
                let result = try await scene.load()
                #expect(result.writer.deadLetters == 0 && result.part.partitions == 5)
                let select = "SELECT pk, val, writetime(val) FROM ks.\(recorded.table)"
                let rows = Array(try #require(try await scene.session.query(select).rows))
                #expect(try Set(rows.map { try $0.value("pk") }) == Set((0..<5).map { .text("\($0)") }))
                #expect(try rows.allSatisfy { try $0.value("val") == .text("foo bar baz") })
            }
        }

        /// Lists have their elements in their order, with the time of the newest one.
        private static func checkLists(_ scene: LoadScene, _ expected: RecordedEntries) throws {
            func lists(_ entries: [Entry]) -> [Entry.Place: [(path: String, content: Entry.Content)]] {
                var lists: [Entry.Place: [(path: String, content: Entry.Content)]] = [:]
                for entry in entries {
                    guard case .cell(let name, let path?) = entry.place.kind, scene.lists.contains(name),
                        entry.content.value != nil
                    else { continue }
                    let place = Entry.Place(
                        key: entry.place.key,
                        clustering: entry.place.clustering,
                        kind: .cell(name, path: nil)
                    )
                    lists[place, default: []].append((path, entry.content))
                }
                return lists
            }
            let found = lists(try scene.entries()).mapValues { $0.sorted { $0.path < $1.path } }
            let recorded = lists(expected.entries)
            #expect(Set(found.keys) == Set(recorded.keys))
            for (place, elements) in recorded {
                let own = found[place] ?? []
                // Recorded ones stand in their order.
                #expect(own.map(\.content.value) == elements.map(\.content.value))
                let newest = elements.map(\.content.timestamp).max()
                #expect(own.allSatisfy { $0.content.timestamp == newest })
            }
        }

        @Test func `a write that is older than a deleted range stays deleted`() async throws {
            let recorded = try Recorded.named("4.1/deletions")
            try await LoadScene.run(recorded) { scene in
                try await scene.load()
                let base: Int64 = 1_700_000_000_000_000
                let text = "INSERT INTO ks.deletions (p, c1, c2, v) VALUES (?, ?, ?, 'back') USING TIMESTAMP ?"
                let insert = try await scene.session.prepare(text, isIdempotent: true)
                let merge = try #require(try scene.source.partitions(after: .min, through: .max))
                var (hidden, shown) = (0, 0)
                while try merge.nextPartition() {
                    let partition = try #require(merge.partition)
                    let p = try #require(partition.key.getInteger(at: partition.key.readerIndex, as: Int32.self))
                    // Of every deletion of rows that the SSTable knows: c1 from 0 to 6, each by itself.
                    for c1 in Int32(-1)...6 {
                        for c2 in ["", "a", "aa", "b", "c", "d"] {
                            let values: [CQLValue] = [.int(p), .int(c1), .text(c2), .bigint(base + 5)]
                            try await scene.session.execute(insert, values)
                        }
                    }
                }
                let dump = try String(contentsOfFile: #require(recorded.json), encoding: .utf8)
                let ranges = try DeletedRanges(dump)
                let select = "SELECT p, c1, c2 FROM ks.deletions WHERE v = 'back' ALLOW FILTERING"
                var visible: Set<[String]> = []
                for row in try #require(try await scene.session.query(select).rows) {
                    guard case .int(let p) = try row.value("p"), case .int(let c1) = try row.value("c1"),
                        case .text(let c2) = try row.value("c2")
                    else { continue }
                    visible.insert(["\(p)", "\(c1)", c2])
                }
                for key in ranges.keys {
                    for c1 in -1...6 {
                        for c2 in ["", "a", "aa", "b", "c", "d"] {
                            let isCovered = ranges.deletes(key, c1, c2, after: base + 5)
                            if isCovered { hidden += 1 } else { shown += 1 }
                            #expect(visible.contains([key, "\(c1)", c2]) != isCovered, "\(key) \(c1) '\(c2)'")
                        }
                    }
                }
                #expect(hidden > 20 && shown > 20)
            }
        }

        @Test func `two halves are the whole, and nothing is read before the token`() async throws {
            let recorded = try Recorded.named("4.1/simple_lz4")
            let whole = Captured()
            try await LoadScene.run(recorded) { scene in
                let result = try await scene.load()
                whole.set(try scene.entries(), result.part.partitions)
            }
            try await LoadScene.run(recorded) { scene in
                let middle: Int64 = 1 << 60
                let second = try await scene.load(after: middle, through: .max)
                #expect(second.part.partitions > 0 && second.part.partitions < whole.partitions)
                let first = try await scene.load(after: .min, through: middle)
                #expect(first.part.partitions + second.part.partitions == whole.partitions)
                let entries = Set(try scene.entries())
                #expect(entries == whole.entries)
            }
        }

        @Test func `a checkpoint claims only what the target has, and a load goes on behind it`() async throws {
            struct Stopped: Error {}
            let recorded = try Recorded.named("4.1/simple_lz4")
            let whole = Captured()
            try await LoadScene.run(recorded) { scene in
                try await scene.load()
                whole.set(try scene.entries(), 0)
            }
            try await LoadScene.run(recorded) { scene in
                var partLimits = FilePart.Limits()
                partLimits.checkpointPartitions = 50
                var tokens: [Int64] = []
                await #expect(throws: Stopped.self) {
                    try await scene.load(partLimits: partLimits) { token in
                        tokens.append(token)
                        let there = scene.node.store.cells(keyspace: "ks", table: scene.table.name).count
                        #expect(there >= tokens.count * 50)
                        if tokens.count == 3 { throw Stopped() }
                    }
                }
                #expect(tokens == tokens.sorted() && tokens.count == 3)
                try await scene.load(after: try #require(tokens.last))
                let entries = Set(try scene.entries())
                #expect(entries == whole.entries)
            }
        }

        @Test func `a damaged file is named with the place, and nothing wrong is loaded`() async throws {
            let recorded = try Recorded.named("4.1/simple_lz4")
            let whole = Captured()
            try await LoadScene.run(recorded) { scene in
                try await scene.load()
                whole.set(try scene.entries(), 0)
            }
            let copy = try DamagedCopy(of: recorded)
            try await LoadScene.run(recorded, data: copy.data) { scene in
                let error = await #expect(throws: SSTableErrorOf.self) {
                    do { try await scene.load() } catch { throw try SSTableErrorOf(error) }
                }
                let text = try #require(error).text
                #expect(text.contains(copy.data) && text.contains(" at byte "))
                let entries = Set(try scene.entries())
                #expect(entries.isSubset(of: whole.entries))
            }
        }
    }
}
