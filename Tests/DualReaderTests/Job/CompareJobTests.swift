import CQLClient
import CQLProtocol
import EmbeddedNode
import NIOCore
import TestSupport
import Testing
import TokenRanges

@testable import DualReader

/// Whole comparisons of two embedded nodes: everything that was put there is found, and nothing else.
@Suite(.serialized) struct CompareJobTests {
    static let table =
        "CREATE TABLE k.t (p int, q text, c int, d text, a text, n varint, f frozen<set<int>>, m map<text, int>, "
        + "st set<int>, l list<text>, u pair, s text static, PRIMARY KEY ((p, q), c, d)) "
        + "WITH CLUSTERING ORDER BY (c DESC, d ASC)"

    /// Writes the same rows on both sides.
    static func fill(_ bench: Bench, partitions: Int = 40, rows: Int = 5) async throws {
        try await bench.both("CREATE TYPE k.pair (x int, y text)")
        try await bench.both(Self.table)
        for p in 0..<partitions {
            try await bench.both(
                "UPDATE k.t USING TIMESTAMP 900 SET s = 's\(p)' WHERE p = \(p) AND q = 'q'"
            )
            for c in 0..<rows {
                let life = c == 1 ? " AND TTL 5000" : ""
                try await bench.both(
                    "INSERT INTO k.t (p, q, c, d, a, n, f, m, st, l, u) VALUES (\(p), 'q', \(c), 'd', 'a\(c)', \(c), "
                        + "{1, 2}, {'x': 1, 'y': 2}, {1, 2, 3}, ['1', '2'], {x: 1, y: 'z'}) "
                        + "USING TIMESTAMP \(1_000 + c)\(life)"
                )
            }
        }
    }

    /// One difference of each kind, each in a partition of its own.
    struct Injection: Sendable {
        let kind: Difference.Class
        let aspect: Difference.Aspect
        /// What is done to the target, for a partition.
        let text: @Sendable (Int) -> String
    }

    static let injections: [Injection] = {
        @Sendable func row(_ p: Int, _ c: Int = 0) -> String { "WHERE p = \(p) AND q = 'q' AND c = \(c) AND d = 'd'" }
        @Sendable func update(_ time: Int, _ set: String, _ p: Int, _ c: Int = 0, life: String = "") -> String {
            "UPDATE k.t USING TIMESTAMP \(time)\(life) SET \(set) \(row(p, c))"
        }
        return [
            Injection(kind: .missingOnTarget, aspect: .missingOnTarget) {
                "DELETE FROM k.t USING TIMESTAMP 1000 \(row($0))"
            },
            Injection(kind: .missingOnSource, aspect: .missingOnSource) {
                "INSERT INTO k.t (p, q, c, d, a) VALUES (\($0), 'q', 77, 'x', 'extra') USING TIMESTAMP 2000"
            },
            Injection(kind: .value, aspect: .value) { update(1_000, "a = 'zzz'", $0) },
            Injection(kind: .value, aspect: .missingOnTarget) {
                "DELETE a FROM k.t USING TIMESTAMP 1000 \(row($0))"
            },
            Injection(kind: .writetime, aspect: .writetime) { update(1_500, "n = 0", $0) },
            Injection(kind: .timeToLive, aspect: .timeToLive) {
                update(1_001, "a = 'a1'", $0, 1, life: " AND TTL 9000")
            },
            Injection(kind: .staticColumn, aspect: .value) {
                "UPDATE k.t USING TIMESTAMP 950 SET s = 'other' WHERE p = \($0) AND q = 'q'"
            },
            Injection(kind: .collectionElement, aspect: .missingOnSource) { update(1_200, "m = m + {'extra': 9}", $0) },
            Injection(kind: .collectionElement, aspect: .value) { update(1_300, "m['x'] = 5", $0) },
            Injection(kind: .collectionElement, aspect: .missingOnTarget) {
                "DELETE st[2] FROM k.t USING TIMESTAMP 1100 \(row($0))"
            },
            Injection(kind: .collectionElement, aspect: .value) { update(1_400, "l = ['1', 'other']", $0) },
            Injection(kind: .value, aspect: .value) { update(1_400, "u.x = 8", $0) },
        ]
    }()

    /// Injects some of each kind into partitions of their own; returns what must be found, by partition.
    static func inject(_ bench: Bench, _ random: inout SeededRandom, partitions: Int) async throws
        -> [Int32: Injection]
    {
        var wanted: [Int32: Injection] = [:]
        let places = Array(0..<partitions).shuffled(using: &random).prefix(Self.injections.count * 2)
        for (index, p) in places.enumerated() {
            let injection = Self.injections[index % Self.injections.count]
            try await bench.to.query(injection.text(p))
            wanted[Int32(p)] = injection
        }
        return wanted
    }

    private static func partition(_ difference: Difference) -> Int32 {
        difference.place.key[0].getInteger(at: difference.place.key[0].readerIndex) ?? -1
    }

    @Test func `equal tables are in sync`() async throws {
        try await Bench.with { bench in
            try await Self.fill(bench, partitions: 20)
            let report = try await bench.compare(bench.settings())
            #expect(report.verdict == .inSync && report.coverage == 1)
            let table = try report.one
            #expect(table.tally.rows == 100 && table.tally.partitions == 20 && table.tally.rowsSettled == 0)
            #expect(table.tally.cells == 700 && table.tally.differences.total == 0 && table.samples == [])
            #expect(table.tally.sourceBytes > 0 && table.tally.targetBytes == table.tally.sourceBytes)
        }
    }

    @Test(arguments: 1...3 as ClosedRange<UInt64>)
    func `every difference of every class is found and none is invented`(_ seed: UInt64) async throws {
        try await Bench.with { bench in
            var random = SeededRandom(seed: seed)
            try await Self.fill(bench)
            let wanted = try await Self.inject(bench, &random, partitions: 40)
            let table = try await bench.compare(bench.settings()).one
            guard case .differs = table.verdict else {
                Issue.record("\(table.verdict)")
                return
            }
            let found = table.samples.map(\.difference)
            #expect(Set(found.map(Self.partition)) == Set(wanted.keys), "seed \(seed)")
            for (p, injection) in wanted {
                let here = found.filter { Self.partition($0) == p }
                #expect(here.contains { $0.kind == injection.kind && $0.aspect == injection.aspect }, "\(p) \(here)")
                #expect(here.allSatisfy { $0.kind == injection.kind }, "\(p) \(here)")
            }
            #expect(table.tally.differences.total == found.count && table.tally.rowsDifferent == wanted.count)
        }
    }
}
