import CQLClient
import CQLProtocol
import TestSupport
import Testing
import TokenRanges

@testable import DualReader

/// Findings that several workers share, and the history of verdicts.
@Suite(.serialized) struct ClusterFindingsTests {
    private static let table = TableName(keyspace: "k", table: "t")

    private static func finding(_ start: Int64, _ end: Int64, rows: Int) -> Finding {
        var tally = CompareTally()
        tally.rows = rows
        return Finding(table: Self.table, range: TokenRange(start: start, end: end), tally: tally, samples: [])
    }

    @Test func `what one worker adds another one knows, in the order in which it came, and by plan`() async throws {
        try await Bench.with { bench in
            // It makes the keyspace.
            _ = try await ClusterJobStore(bench.to)
            let plan = CQLUUID(high: 1, low: 2)
            let one = try await ClusterFindings(bench.to, plan: plan)
            let other = try await ClusterFindings(bench.to, plan: plan)
            try await one.add(Self.finding(0, 100, rows: 1))
            try await other.add(Self.finding(100, 200, rows: 2))
            try await one.add(Self.finding(50, 150, rows: 3))
            try await other.add(Self.finding(0, 50, rows: 4))
            #expect(try await one.findings().map(\.tally.rows) == [2, 3, 4])
            #expect(try await other.findings() == one.findings())
            let stranger = try await ClusterFindings(bench.to, plan: CQLUUID(high: 1, low: 3))
            #expect(try await stranger.findings().isEmpty)
            try await one.clear()
            #expect(try await other.findings().isEmpty)
        }
    }

    @Test func `the progress knows what this worker found at once, what others did a little later, and the report all`()
        async throws
    {
        try await Bench.with { bench in
            _ = try await ClusterJobStore(bench.to)
            let plan = CQLUUID(high: 1, low: 2)
            let one = try await ClusterFindings(bench.to, plan: plan)
            let other = try await ClusterFindings(bench.to, plan: plan)
            try await one.add(Self.finding(0, 100, rows: 1))
            #expect(try await other.recentFindings().map(\.tally.rows) == [1])
            try await one.add(Self.finding(100, 200, rows: 2))
            try await other.add(Self.finding(200, 300, rows: 3))
            #expect(try await other.recentFindings().map(\.tally.rows) == [1, 3], "read a moment ago")
            #expect(try await other.findings().map(\.tally.rows) == [1, 2, 3])
            try await other.clear()
            #expect(try await other.recentFindings().isEmpty)
        }
    }

    @Test func `what was read is recent for some seconds, longer where reading took long, and one reads at a time`() {
        var recent = RecentFindings(samplesPerClassMax: 1)
        let start = ContinuousClock.now
        #expect(recent.begin(now: start) == nil)
        recent.ended([Self.finding(0, 1, rows: 1)], after: .milliseconds(1), now: start)
        #expect(recent.begin(now: start + .seconds(9))?.count == 1)
        #expect(recent.begin(now: start + .seconds(10)) == nil)
        // Somebody reads: whoever asks meanwhile gets what is known.
        #expect(recent.begin(now: start + .seconds(11))?.count == 1)
        recent.ended([], after: .seconds(3), now: start + .seconds(13))
        #expect(recent.begin(now: start + .seconds(72))?.count == 0)
        #expect(recent.begin(now: start + .seconds(73)) == nil)
        // A failure is no reason to forget, nor to ask at once again.
        recent.ended(nil, after: .seconds(1), now: start + .seconds(74))
        #expect(recent.begin(now: start + .seconds(93))?.count == 0)
        recent.clear()
        #expect(recent.begin(now: start + .seconds(94)) == nil)
    }

    @Test func `two workers of one job have one report, and its verdict is kept`() async throws {
        try await Bench.with { bench in
            try await bench.both("CREATE TABLE k.t (p int PRIMARY KEY, v text)")
            for p in 0..<200 {
                try await bench.both("INSERT INTO k.t (p, v) VALUES (\(p), 'v') USING TIMESTAMP 5")
            }
            for p in [3, 50, 111] {
                try await bench.to.query("INSERT INTO k.t (p, v) VALUES (\(p), 'w') USING TIMESTAMP 5")
            }
            var settings = bench.settings()
            settings.store = .target()
            settings.ranges = TokenRange.ring.split(into: 12)
            let made = settings
            let reports = try await withThrowingTaskGroup(of: CompareReport.self) { group in
                for worker in ["a", "b"] {
                    group.addTask {
                        try await CompareJob.withJob(made, worker: worker, on: Bench.group, logger: Bench.silent) {
                            try await $0.run()
                        }
                    }
                }
                var reports: [CompareReport] = []
                for try await report in group { reports.append(report) }
                return reports
            }
            #expect(reports.count == 2)
            for report in reports {
                #expect(report.verdict == .differs(reason: "k.t: 3 rows differ"))
                #expect(report.tally.rows == 200 && report.tally.differences[.value] == 3)
            }
            let rows = try await bench.to.query("SELECT verdict, worker FROM cluster_sync.reader_verdicts").rows?.rows
            #expect(try rows?.map { try $0.value("verdict") } == [.text("differs"), .text("differs")])
            #expect(Set(try (rows ?? []).map { try $0.value("worker") }) == [.text("a"), .text("b")])
        }
    }

    @Test func `a time of a node is read out of its timeuuid`() {
        // 13814000-1dd2-11b2-8080-808080808080 is the first moment of 1970 (RFC 4122 §4.1.4).
        let epoch = CQLUUID(high: 0x1381_4000_1dd2_11b2, low: 0x8080_8080_8080_8080)
        #expect(ClusterFindings.ticks(epoch) == 122_192_928_000_000_000)
    }
}
