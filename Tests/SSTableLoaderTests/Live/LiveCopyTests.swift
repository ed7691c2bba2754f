import CQLClient
import CQLProtocol
import EmbeddedNode
import NIOCore
import TestSupport
import Testing

@testable import LiveTables
@testable import SSTableLoader

/// Random tables with random cells, read live and written to a second node: both hold the same cells.
struct LiveCopyTests {
    private static let columns = "a text, b int, fz frozen<set<int>>, fu frozen<pair>, s text static, n int static"
    private static let manyCells = "st set<int>, m map<text, int>, u pair, sm map<int, text> static"
    private static let keys = [
        ("p int, ", "PRIMARY KEY (p, c)", "c int, ", ""),
        (
            "p int, q text, ", "PRIMARY KEY ((p, q), c, d)", "c int, d text, ",
            " WITH CLUSTERING ORDER BY (c DESC, d ASC)"
        ),
    ]
    private static let ceiling: Int64 = 5_000

    /// The writes of a table, in random order and with random timestamps and lives.
    private static func writes(_ random: inout SeededRandom, wide: Bool, lists: Bool) -> [String] {
        func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
        var texts: [String] = []
        for _ in 0..<250 {
            let life = pick(0...3) == 0 ? " AND TTL \(pick(1_000...90_000))" : ""
            let using = "USING TIMESTAMP \(pick(1...6_000))\(life)"
            let key = wide ? ["p": "\(pick(1...6))", "q": "'\(pick(1...2))'"] : ["p": "\(pick(1...9))"]
            let row = wide ? ["c": "\(pick(1...5))", "d": "'\(pick(1...2))'"] : ["c": "\(pick(1...7))"]
            let partition = key.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }
            let whole = partition + row.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }
            let values: [String: String] = [
                "a": "'\(pick(0...99))'", "b": "\(pick(0...99))", "fz": "{\(pick(1...3)), \(pick(4...6))}",
                "fu": "{x: \(pick(1...9)), y: 'y'}", "st": "{\(pick(1...3)), \(pick(4...6))}",
                "m": "{'\(pick(1...3))': \(pick(1...9))}", "u": "{x: \(pick(1...9)), y: '\(pick(1...9))'}",
            ]
            let names = values.keys.sorted().filter { _ in pick(0...2) == 0 }
            switch pick(0...11) {
            case 0...4:
                let all = key.merging(row) { $1 }.merging(names.map { ($0, values[$0] ?? "") }) { $1 }.sorted {
                    $0.key < $1.key
                }
                texts.append(
                    "INSERT INTO k.t (\(all.map(\.key).joined(separator: ", "))) "
                        + "VALUES (\(all.map(\.value).joined(separator: ", "))) \(using)"
                )
            case 5...6 where !names.isEmpty:
                let set = names.map { "\($0) = \(values[$0] ?? "")" }.joined(separator: ", ")
                texts.append("UPDATE k.t \(using) SET \(set) WHERE \(whole.joined(separator: " AND "))")
            case 7:
                let set = ["st = st + {\(pick(1...6))}", "m['\(pick(1...4))'] = \(pick(1...9))", "u.y = 'z'"][
                    pick(0...2)
                ]
                texts.append("UPDATE k.t \(using) SET \(set) WHERE \(whole.joined(separator: " AND "))")
            case 8:
                let set = ["s = 's\(pick(1...9))'", "n = \(pick(1...9))", "sm = sm + {\(pick(1...3)): 'x'}"][
                    pick(0...2)
                ]
                texts.append("UPDATE k.t \(using) SET \(set) WHERE \(partition.joined(separator: " AND "))")
            case 9:
                let what = ["a", "b", "st", "m['1']", ""][pick(0...4)]
                texts.append(
                    "DELETE \(what) FROM k.t USING TIMESTAMP \(pick(1...4_000)) WHERE \(whole.joined(separator: " AND "))"
                )
            case 10:
                texts.append(
                    "DELETE FROM k.t USING TIMESTAMP \(pick(1...2_000)) WHERE \(partition.joined(separator: " AND "))"
                )
            default:
                guard lists else { continue }
                let set = "l = ['\(pick(1...9))', '\(pick(1...9))']"
                texts.append("UPDATE k.t \(using) SET \(set) WHERE \(whole.joined(separator: " AND "))")
            }
        }
        return texts
    }

    private func fill(_ clusters: LiveClusters, _ random: inout SeededRandom, lists: Bool) async throws {
        let wide = Bool.random(using: &random)
        let (partition, primary, clustering, order) = Self.keys[wide ? 1 : 0]
        try await clusters.both("CREATE TYPE k.pair (x int, y text)")
        try await clusters.both(
            "CREATE TABLE k.t (\(partition)\(clustering)\(Self.columns), \(Self.manyCells)\(lists ? ", l list<text>" : ""), "
                + "\(primary))\(order)"
        )
        for text in Self.writes(&random, wide: wide, lists: lists) { try await clusters.sourceSession.query(text) }
    }

    /// The end of a life is later by what has passed between the source's answer and the target's write, in whole seconds of
    /// either clock.
    private static func isSameEnd(_ one: Int64, _ other: Int64, within seconds: Int64) -> Bool {
        one == 0 ? other == 0 : other != 0 && (-1...seconds + 2).contains(other - one)
    }

    private static func options() -> LiveStatements.Options {
        var options = LiveStatements.Options(beginning: Self.ceiling)
        options.ceiling = Self.ceiling
        options.elementsPerStatementMax = 2
        return options
    }

    /// The cells of a row that tell the time of its marker.
    private struct RowPlace: Hashable {
        let partition: [UInt8]
        let clustering: [[UInt8]]

        init(_ place: CellPlace) { (self.partition, self.clustering) = (place.partition, place.clustering) }
    }

    /// ScyllaDB from 2026.2 on tells the times of single elements and fields, but not those of a whole column.
    private static let tellsPartsAlone = ["st", "m", "u", "sm"].map { name in
        FaultRule(
            .all([.opcode(.prepare), .textContains("WRITETIME(\"\(name)\")")]),
            .error(ErrorMessage(.invalid, "WRITETIME expects an atomic column"))
        )
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>, [false, true])
    func `where the source tells the times of elements every cell is the same`(
        _ seed: UInt64,
        _ tellsPartsAlone: Bool
    ) async throws {
        try await LiveClusters.with(release: "5.0.3") { clusters in
            if tellsPartsAlone { clusters.source.setFaults(Self.tellsPartsAlone) }
            var random = SeededRandom(seed: seed)
            try await self.fill(clusters, &random, lists: false)
            var reading = LiveReader.Options()
            reading.firstPageRows = 3
            reading.pageRowsMax = 7
            let tokens = (0..<3).map { _ in Int64.random(in: .min ... .max, using: &random) }
            let start = ContinuousClock.now
            let result = try await clusters.copy("t", at: tokens, reading: reading, Self.options())
            let seconds = (ContinuousClock.now - start).components.seconds
            #expect(result.unloadable == [] && result.guessedColumns == 0)

            let (source, target) = (clusters.source.liveCells("t"), clusters.target.liveCells("t"))
            let wanted = source.filter { $0.key.column != nil && $0.value.timestamp <= Self.ceiling }
            let there = target.filter { $0.key.column != nil }
            #expect(wanted.count > 50)
            #expect(Set(wanted.keys) == Set(there.keys), "seed \(seed)")
            for (place, cell) in wanted {
                guard let copy = there[place] else { continue }
                #expect(copy.value == cell.value && copy.timestamp == cell.timestamp, "seed \(seed) \(place)")
                #expect(Self.isSameEnd(cell.expiresAt, copy.expiresAt, within: seconds), "seed \(seed) \(place)")
            }
            // Every row that a read of the source shows is there, with the oldest of its cells' times at most.
            let rows = Dictionary(grouping: source.filter { !$0.key.clustering.isEmpty }) { RowPlace($0.key) }
            let markers = target.filter { $0.key.column == nil }
            #expect(Set(markers.map { RowPlace($0.key) }) == Set(rows.keys))
            for (place, marker) in markers {
                let cells = rows[RowPlace(place)]?.filter { $0.key.column != nil }.map(\.value.timestamp) ?? []
                #expect(marker.timestamp == min(cells.min() ?? Self.ceiling, Self.ceiling), "seed \(seed) \(place)")
            }
            let deletions = clusters.target.store.cells(keyspace: "k", table: "t").filter { $0.value == nil }
            #expect(deletions == [], "null is not written")
        }
    }

    @Test(arguments: 11...14 as ClosedRange<UInt64>)
    func `where it does not the values are the same and the rule gives the times`(_ seed: UInt64) async throws {
        try await LiveClusters.with { clusters in
            var random = SeededRandom(seed: seed)
            try await self.fill(clusters, &random, lists: true)
            let result = try await clusters.copy("t", Self.options())
            #expect(result.unloadable == [] && result.guessedColumns > 0)

            let (source, target) = (clusters.source.liveCells("t"), clusters.target.liveCells("t"))
            let complex: Set = ["st", "m", "u", "sm", "l"]
            func simple(_ cells: [CellPlace: StoredCell]) -> [CellPlace: StoredCell] {
                cells.filter {
                    $0.value.timestamp <= Self.ceiling && $0.key.column.map { !complex.contains($0) } ?? false
                }
            }
            let (wanted, there) = (simple(source), simple(target))
            #expect(Set(wanted.keys) == Set(there.keys))
            for (place, cell) in wanted {
                #expect(there[place]?.value == cell.value && there[place]?.timestamp == cell.timestamp)
            }
            let newest = Dictionary(grouping: source.filter { $0.key.column.map { !complex.contains($0) } ?? false }) {
                RowPlace($0.key)
            }.mapValues { $0.map(\.value.timestamp).max() ?? Self.ceiling }
            for (place, cell) in source where place.column.map({ complex.contains($0) && $0 != "l" }) ?? false {
                let copy = target[place]
                let time = min(newest[RowPlace(place)] ?? Self.ceiling, Self.ceiling)
                #expect(copy?.value == cell.value && copy?.timestamp == time, "seed \(seed) \(place)")
            }
            // Lists have new places for the same elements in the same order.
            let text = "SELECT p, c, l FROM k.t"
            let one = try await clusters.sourceSession.query(text).rows
            let other = try await clusters.targetSession.query(text).rows
            #expect(one?.rows.map(\.cells) == other?.rows.map(\.cells) && one?.isEmpty == false)
        }
    }

    @Test(arguments: [false, true])
    func `a large collection has all its times, however they are told`(_ tellsPartsAlone: Bool) async throws {
        try await LiveClusters.with(release: "5.0.3") { clusters in
            if tellsPartsAlone { clusters.source.setFaults(Self.tellsPartsAlone) }
            try await clusters.both("CREATE TABLE k.m (p int PRIMARY KEY, m map<text, int>, st set<int>)")
            for key in 0..<150 {
                try await clusters.sourceSession.query(
                    "UPDATE k.m USING TIMESTAMP \(1_000 + key % 7) SET m['\(key)'] = \(key), st = st + {\(key)} WHERE p = 1"
                )
            }
            let result = try await clusters.copy("m", Self.options())
            #expect(result.guessedColumns == 0)
            let (source, target) = (clusters.source.liveCells("m"), clusters.target.liveCells("m"))
            #expect(source.count == 300)
            #expect(target.filter { $0.key.column != nil } == source)
        }
    }

    @Test func `a range that is read again leaves lists once`() async throws {
        try await LiveClusters.with { clusters in
            try await clusters.both("CREATE TABLE k.l (p int PRIMARY KEY, a text, l list<int>)")
            try await clusters.sourceSession.query(
                "INSERT INTO k.l (p, a, l) VALUES (1, 'x', [1, 2]) USING TIMESTAMP 100"
            )
            try await clusters.sourceSession.query("UPDATE k.l USING TIMESTAMP 200 SET l = l + [3] WHERE p = 1")
            for attempt in 0..<3 as Range<Int64> {
                var options = Self.options()
                options.attempt = attempt
                let result = try await clusters.copy("l", options)
                #expect(result.statements.count { !$0.isIdempotent } == 1)
            }
            let row = try await clusters.targetSession.query("SELECT a, l FROM k.l").rows?.first
            #expect(try row?.value("l") == .list([.int(1), .int(2), .int(3)]))
            #expect(try row?.value("a") == .text("x"))
        }
    }

    @Test func `a list whose elements differ in time has that of the newest`() async throws {
        try await LiveClusters.with(release: "5.0.3") { clusters in
            try await clusters.both("CREATE TABLE k.l (p int PRIMARY KEY, l list<int>)")
            try await clusters.sourceSession.query("UPDATE k.l USING TIMESTAMP 100 SET l = [1, 2] WHERE p = 1")
            try await clusters.sourceSession.query("UPDATE k.l USING TIMESTAMP 50 SET l = [0] + l WHERE p = 1")
            try await clusters.sourceSession.query("UPDATE k.l USING TIMESTAMP 300 SET l = l + [3] WHERE p = 1")
            try await clusters.sourceSession.query("UPDATE k.l USING TIMESTAMP 9000 SET l = l + [4] WHERE p = 1")
            let result = try await clusters.copy("l", Self.options())
            #expect(result.flattenedLists == 1 && result.guessedColumns == 0 && result.aboveCeiling == 1)
            let row = try await clusters.targetSession.query("SELECT l FROM k.l").rows?.first
            // What is below the list's own assignment is not there; what is above the ceiling the dual writer carries.
            #expect(try row?.value("l") == .list([.int(1), .int(2), .int(3)]))
            let cells = clusters.target.liveCells("l").filter { $0.key.column == "l" }
            #expect(cells.values.map(\.timestamp) == [300, 300, 300])
        }
    }

    @Test func `an old source that refuses frozen collections is read without their times`() async throws {
        try await LiveClusters.with { clusters in
            try await clusters.both("CREATE TABLE k.f (p int PRIMARY KEY, a text, fz frozen<set<int>>)")
            try await clusters.sourceSession.query(
                "INSERT INTO k.f (p, a, fz) VALUES (1, 'x', {1, 2}) USING TIMESTAMP 7"
            )
            let refusal = ErrorMessage(.invalid, "Cannot use selection function writeTime on collections")
            clusters.source.setFaults([
                FaultRule(.all([.opcode(.prepare), .textContains(#"WRITETIME("fz")"#)]), .error(refusal))
            ])
            let table = try await LiveTable.read(keyspace: "k", name: "f", from: clusters.sourceSession)
            let prepared = try await LiveSelect.prepare(table, on: clusters.sourceSession)
            #expect(prepared.select.untold == ["fz"])
            let result = try await clusters.copy("f", LiveStatements.Options(beginning: 99))
            #expect(result.guessedColumns == 1)
            #expect(clusters.target.liveCells("f").values.map(\.timestamp) == [7, 7, 7])
            #expect(
                Set(clusters.target.liveCells("f").values.map(\.value))
                    == Set(clusters.source.liveCells("f").values.map(\.value))
            )
        }
    }

    @Test func `counters are refused unless asked for and then added up once`() async throws {
        try await LiveClusters.with { clusters in
            try await clusters.both("CREATE TABLE k.n (p int, c int, v counter, s counter static, PRIMARY KEY (p, c))")
            for p in 1...3 {
                try await clusters.sourceSession.query(
                    "UPDATE k.n SET v = v + \(p * 10), s = s - \(p) WHERE p = \(p) AND c = 1"
                )
                try await clusters.sourceSession.query("UPDATE k.n SET v = v + 5 WHERE p = \(p) AND c = 2")
            }
            try await clusters.targetSession.query("UPDATE k.n SET v = v + 4 WHERE p = 1 AND c = 1")
            let table = try await LiveTable.read(keyspace: "k", name: "n", from: clusters.sourceSession)
            let error = await #expect(throws: LiveReadError.self) {
                _ = try await LiveSelect.prepare(table, on: clusters.sourceSession)
            }
            #expect(error?.code == .counters && error?.description.contains("stop its writers") == true)
            let prepared = try await LiveSelect.prepare(table, on: clusters.sourceSession, readsCounters: true)
            var counts: [Int] = []
            for _ in 0..<2 {
                var counters = LiveCounters(table, table.target())
                var statements: [TargetStatement] = []
                for try await page in LiveReader(prepared, on: clusters.sourceSession, after: .min, through: .max) {
                    for part in page.parts {
                        statements += try await counters.statements(for: part, readingFrom: clusters.targetSession)
                    }
                }
                try await clusters.execute(statements)
                counts.append(statements.count)
            }
            #expect(counts == [9, 0], "six rows and three partitions, and nothing the second time")
            let text = "SELECT p, c, v, s FROM k.n"
            let one = try await clusters.sourceSession.query(text).rows
            let other = try await clusters.targetSession.query(text).rows
            #expect(one?.rows.map(\.cells) == other?.rows.map(\.cells) && one?.rowCount == 6)
        }
    }
}
