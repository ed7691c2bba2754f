import CQLClient
import CQLProtocol
import EmbeddedNode
import FoundationEssentials
import NIOCore
import TestSupport
import Testing
import TokenRanges

@testable import DualReader

/// Repairs of whole tables: after them both clusters hold the same, as far as the policy allows.
@Suite(.serialized) struct RepairJobTests {
    /// A statement for one partition, and the side that it goes to.
    private struct Drift: Sendable {
        let side: Side
        let text: @Sendable (Int) -> String

        init(_ side: Side, _ text: @Sendable @escaping (Int) -> String) { (self.side, self.text) = (side, text) }

        static func set(_ side: Side, _ time: Int, _ set: String, life: Int? = nil) -> Drift {
            let life = life.map { " AND TTL \($0)" } ?? ""
            return Drift(side) {
                "UPDATE k.t USING TIMESTAMP \(time)\(life) SET \(set) WHERE p = \($0) AND q = 'q' AND c = 0 AND d = 'd'"
            }
        }

        static func insert(_ side: Side, _ c: Int, _ time: Int) -> Drift {
            Drift(side) {
                "INSERT INTO k.t (p, q, c, d, a, n, m, st, l) VALUES (\($0), 'q', \(c), 'x', 'alone', 5, {'k': 1}, {7}, ['1']) "
                    + "USING TIMESTAMP \(time)"
            }
        }

        static func statics(_ side: Side, _ time: Int, _ value: String) -> Drift {
            Drift(side) { "UPDATE k.t USING TIMESTAMP \(time) SET s = '\(value)' WHERE p = \($0) AND q = 'q'" }
        }
    }

    /// What drifts apart in a partition each.
    private static let drifts: [[Drift]] = [
        [.insert(.source, 50, 2_000)],
        [.insert(.target, 51, 2_000)],
        [.set(.source, 2_000, "a = 'new'")],
        [.set(.target, 2_000, "a = 'new'")],
        [.set(.source, 2_000, "a = 'b'"), .set(.target, 2_000, "a = 'c'")],
        [.set(.source, 2_000, "a = 'd'"), .set(.target, 2_000, "a = 'c'")],
        [.set(.source, 1_500, "n = 0")],
        [.set(.target, 1_500, "n = 0")],
        [.set(.source, 2_000, "a = 'l'", life: 9_000), .set(.target, 2_000, "a = 'l'", life: 5_000)],
        [.set(.source, 2_000, "a = 'l'", life: 5_000), .set(.target, 2_000, "a = 'l'", life: 9_000)],
        [.statics(.source, 2_000, "x")],
        [.statics(.target, 2_000, "x")],
        [.set(.source, 2_000, "m = m + {'k': 1}")],
        [.set(.target, 2_000, "m = m + {'k': 1}")],
        [.set(.source, 2_000, "m['x'] = 7"), .set(.target, 2_100, "m['x'] = 8")],
        [.set(.source, 2_000, "st = st + {9}")],
        [.set(.target, 2_000, "st = st + {9}")],
        [.set(.source, 2_000, "l = ['1', '3']"), .set(.target, 2_100, "l = ['1', '4']")],
        [.set(.source, 2_000, "u.x = 3"), .set(.target, 2_100, "u.y = 'w'")],
        [.set(.source, 2_000, "f = {5}"), .set(.target, 2_100, "f = {6}"), .statics(.source, 3_000, "both")],
    ]

    private static func drift(_ bench: Bench) async throws {
        try await CompareJobTests.fill(bench, partitions: Self.drifts.count + 5, rows: 3)
        for (p, drifts) in Self.drifts.enumerated() {
            for drift in drifts {
                try await (drift.side == .source ? bench.from : bench.to).query(drift.text(p))
            }
        }
    }

    private static func rows(_ session: CQLSession) async throws -> [[ByteBuffer?]] {
        try await session.query("SELECT p, q, c, d, a, n, f, m, st, l, u, s FROM k.t").rows?.rows.map(\.cells) ?? []
    }

    private static func settings(_ bench: Bench, _ job: String, _ policy: RepairPolicy) -> CompareSettings {
        var settings = bench.settings(job)
        settings.repair.policy = policy
        settings.repair.isDryRun = false
        settings.repair.deletesExtras = true
        return settings
    }

    @Test func `the source wins everywhere, and writetimes are equal where the source may be aligned`() async throws {
        try await Bench.with { bench in
            try await Self.drift(bench)
            let before = try await Self.rows(bench.from)
            var settings = Self.settings(bench, "repair", .sourceWins)
            settings.repair.alignsSource = true
            let report = try await bench.compare(settings)
            #expect(report.tally.rowsDifferent >= Self.drifts.count)
            #expect(report.tally.rowsRepaired == report.tally.rowsDifferent)
            #expect(report.verdict == .inSync, "\((try? report.one)?.samples ?? [])")
            let after = try await bench.compare(bench.settings("after"))
            #expect(
                after.verdict == .inSync && after.tally.differences.total == 0,
                "\((try? after.one)?.samples ?? [])"
            )
            // Nobody who reads the source sees that anything has happened, and the target has the same.
            #expect(try await Self.rows(bench.from) == before)
            #expect(try await Self.rows(bench.to) == before)
            let text = try String(contentsOfFile: report.repairReportPath, encoding: .utf8)
            #expect(text.split(separator: "\n").count >= report.tally.rowsRepaired && text.contains("one above it"))
        }
    }

    @Test func `without alignment values are equal, and what is newer on the target keeps its writetime`() async throws
    {
        try await Bench.with { bench in
            try await Self.drift(bench)
            let report = try await bench.compare(Self.settings(bench, "repair", .sourceWins))
            // Of equal values nothing on the target can lower the writetime.
            #expect(report.tally.rowsUnrepaired == 1)
            let after = try await bench.compare(bench.settings("after")).one
            #expect(!after.samples.isEmpty && after.samples.allSatisfy { $0.difference.aspect == .writetime })
            #expect(try await Self.rows(bench.to) == Self.rows(bench.from))
        }
    }

    @Test func `the newest wins on both sides, writetimes included`() async throws {
        try await Bench.with { bench in
            try await Self.drift(bench)
            let report = try await bench.compare(Self.settings(bench, "repair", .newestWins))
            #expect(report.tally.rowsRepaired == report.tally.rowsDifferent, "\((try? report.one)?.samples ?? [])")
            let after = try await bench.compare(bench.settings("after"))
            #expect(after.verdict == .inSync, "\((try? after.one)?.samples ?? [])")
            // What was newer on the target is on the source: the row alone there, too.
            let alone = try await bench.from.query("SELECT a FROM k.t WHERE p = 1 AND q = 'q' AND c = 51 AND d = 'x'")
            #expect(alone.rows?.rowCount == 1)
            let tie = try await bench.to.query("SELECT a FROM k.t WHERE p = 5 AND q = 'q' AND c = 0 AND d = 'd'")
            #expect(try tie.rows?.first?.value("a") == .text("d"))
        }
    }

    @Test func `a dry run lists statements and changes nothing, manual does nothing at all`() async throws {
        try await Bench.with { bench in
            try await Self.drift(bench)
            let before = (try await Self.rows(bench.from), try await Self.rows(bench.to))
            var settings = Self.settings(bench, "dry", .sourceWins)
            settings.repair.isDryRun = true
            let report = try await bench.compare(settings)
            #expect(report.tally.rowsRepaired == 0 && report.tally.rowsUnrepaired == report.tally.rowsDifferent)
            let text = try String(contentsOfFile: report.repairReportPath, encoding: .utf8)
            #expect(text.contains("\"action\":\"listed\"") && text.contains("USING TIMESTAMP"))
            #expect(!text.contains("\"action\":\"written\""))
            _ = try await bench.compare(bench.settings("manual"))
            #expect(try await Self.rows(bench.from) == before.0)
            #expect(try await Self.rows(bench.to) == before.1)
        }
    }

    @Test func `extras stay unless they are to be deleted, and what is newer than them stays even then`() async throws {
        try await Bench.with { bench in
            try await bench.both("CREATE TABLE k.x (p int, c int, v text, w text, PRIMARY KEY (p, c))")
            try await bench.to.query("INSERT INTO k.x (p, c, v) VALUES (1, 1, 'v') USING TIMESTAMP 100")
            try await bench.to.query("UPDATE k.x USING TIMESTAMP 300 SET w = 'w' WHERE p = 1 AND c = 1")
            var settings = Self.settings(bench, "keep", .sourceWins)
            settings.repair.deletesExtras = false
            #expect(try await bench.compare(settings).tally.rowsUnrepaired == 1)
            #expect(try await bench.to.query("SELECT * FROM k.x").rows?.rowCount == 1)
            #expect(try await bench.compare(Self.settings(bench, "delete", .sourceWins)).tally.rowsRepaired == 1)
            #expect(try await bench.to.query("SELECT * FROM k.x").rows?.rowCount == 0)
            // The deletion is as old as the newest cell of the extra.
            try await bench.both("UPDATE k.x USING TIMESTAMP 301 SET w = 'later' WHERE p = 1 AND c = 1")
            #expect(try await bench.compare(bench.settings("after")).verdict == .inSync)
            #expect(try await bench.to.query("SELECT * FROM k.x").rows?.rowCount == 1)
        }
    }

    @Test func `elements whose times are not told are as old as their row, or as old as the operator says`()
        async throws
    {
        try await Bench.with(release: "4.1.6") { bench in
            try await bench.both("CREATE TABLE k.e (p int PRIMARY KEY, v text, m map<text, int>)")
            for p in 1...4 {
                try await bench.both("INSERT INTO k.e (p, v, m) VALUES (\(p), 'v', {'x': 1}) USING TIMESTAMP 1000")
            }
            // As old as the row, and newer than it: more, and another value, on the target alone.
            try await bench.to.query("UPDATE k.e USING TIMESTAMP 1000 SET m['y'] = 2 WHERE p = 1")
            try await bench.to.query("UPDATE k.e USING TIMESTAMP 1000 SET m['x'] = 2 WHERE p = 2")
            try await bench.to.query("UPDATE k.e USING TIMESTAMP 3000 SET m['y'] = 2 WHERE p = 3")
            try await bench.to.query("UPDATE k.e USING TIMESTAMP 3000 SET m['x'] = 2 WHERE p = 4")
            let first = try await bench.compare(Self.settings(bench, "row", .sourceWins))
            #expect(first.tally.rowsRepaired == 2 && first.tally.rowsUnrepaired == 2)
            let text = try String(contentsOfFile: first.repairReportPath, encoding: .utf8)
            #expect(text.split(separator: "\n").count { $0.contains("say with --untold-timestamp") } == 2, "\(text)")
            var settings = Self.settings(bench, "told", .sourceWins)
            settings.repair.untoldTimestamp = 3_000
            #expect(try await bench.compare(settings).tally.rowsRepaired == 2)
            #expect(try await bench.compare(bench.settings("after")).verdict == .inSync)
            // Rows without any told time, and lists, of which nobody knows which one is newer.
            try await bench.both("CREATE TABLE k.o (p int PRIMARY KEY, l list<int>)")
            try await bench.from.query("INSERT INTO k.o (p, l) VALUES (1, [1]) USING TIMESTAMP 1000")
            try await bench.to.query("INSERT INTO k.o (p, l) VALUES (1, [2]) USING TIMESTAMP 2000")
            try await bench.to.query("INSERT INTO k.o (p, l) VALUES (2, [2]) USING TIMESTAMP 2000")
            try await bench.from.query("INSERT INTO k.o (p) VALUES (3) USING TIMESTAMP 2000")
            settings.job = "lists"
            settings.store = .sqlite(path: "\(bench.folder.path)/lists.db")
            var newest = settings
            newest.repair.policy = .newestWins
            newest.repair.untoldTimestamp = nil
            #expect(try await bench.compare(newest).tally.rowsRepaired == 0)
            settings.job = "lists again"
            settings.store = .sqlite(path: "\(bench.folder.path)/again.db")
            #expect(try await bench.compare(settings).tally.rowsRepaired == 3)
            #expect(try await bench.compare(bench.settings("lists after")).verdict == .inSync)
            // The deletion has the time that was given, and no later one.
            try await bench.both("UPDATE k.e USING TIMESTAMP 3001 SET m['y'] = 5 WHERE p = 3")
            let m = try await bench.to.query("SELECT m FROM k.e WHERE p = 3").rows?.first?.cells[0]
            #expect(try await bench.from.query("SELECT m FROM k.e WHERE p = 3").rows?.first?.cells[0] == m)
            #expect(try await bench.compare(bench.settings("later")).verdict == .inSync)
        }
    }

    @Test func `counters are added to where that is asked for`() async throws {
        try await Bench.with { bench in
            try await bench.both("CREATE TABLE k.n (p int, c int, n counter, o counter, PRIMARY KEY (p, c))")
            try await bench.from.query("UPDATE k.n SET n = n + 7, o = o + 1 WHERE p = 1 AND c = 1")
            try await bench.to.query("UPDATE k.n SET n = n + 9, o = o + 1 WHERE p = 1 AND c = 1")
            try await bench.from.query("UPDATE k.n SET n = n + 3 WHERE p = 2 AND c = 1")
            let found = try await bench.compare(Self.settings(bench, "refused", .sourceWins)).one
            #expect(found.tally.differences[.counter] == 1 && found.tally.differences[.missingOnTarget] == 1)
            #expect(found.tally.rowsUnrepaired == 2)
            var settings = Self.settings(bench, "asked", .sourceWins)
            settings.repair.repairsCounters = true
            #expect(try await bench.compare(settings).tally.rowsRepaired == 2)
            #expect(try await bench.compare(bench.settings("after")).verdict == .inSync)
            let n = try await bench.to.query("SELECT n FROM k.n WHERE p = 1 AND c = 1").rows?.first?.value("n")
            #expect(n == .bigint(7))
        }
    }
}
