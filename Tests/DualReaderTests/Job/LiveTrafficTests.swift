import CQLClient
import CQLProtocol
import EmbeddedNode
import LiveTables
import NIOCore
import Synchronization
import TestSupport
import Testing
import TokenRanges

@testable import DualReader

/// Comparisons while something goes on: writes, clusters that go away, workers that are stopped.
@Suite(.serialized) struct LiveTrafficTests {
    /// A journal that owes what has not reached the target yet.
    private final class Journal: PartitionDebt {
        let owed = Mutex<[Int32: Int]>([:])
        func owes(_ table: TableName, key: [ByteBuffer], token: Int64) -> Bool {
            self.owed.withLock { ($0[key[0].getInteger(at: key[0].readerIndex) ?? -1] ?? 0) > 0 }
        }
        func add(_ p: Int32, _ count: Int) { self.owed.withLock { $0[p, default: 0] += count } }
    }

    private final class Writer: Sendable {
        let isDone = Mutex(false)
    }

    private static func createTable(_ bench: Bench, rows: Int) async throws {
        try await bench.both("CREATE TABLE k.t (p int, c int, v text, PRIMARY KEY (p, c))")
        for index in 0..<rows {
            try await bench.both(
                "INSERT INTO k.t (p, c, v) VALUES (\(index / 4), \(index % 4), 'v\(index)') USING TIMESTAMP 1000"
            )
        }
    }

    @Test func `a dual writer at work makes no differences, and those that were there are found`() async throws {
        try await Bench.with { bench in
            try await Self.createTable(bench, rows: 400)
            try await bench.to.query("UPDATE k.t USING TIMESTAMP 5000 SET v = 'drift' WHERE p = 1000 AND c = 1")
            try await bench.from.query("UPDATE k.t USING TIMESTAMP 5000 SET v = 'drift' WHERE p = 1001 AND c = 1")
            let journal = Journal()
            let writer = Writer()
            var settings = bench.settings()
            settings.rates = RateLimits(rowsPerSecond: 400)
            let copy = settings
            let report = try await withThrowingTaskGroup(of: CompareReport?.self) { group in
                group.addTask {
                    var random = SeededRandom(seed: 3)
                    var time = 10_000
                    while !writer.isDone.withLock({ $0 }) {
                        time += 1
                        let p = Int32.random(in: 0..<110, using: &random)
                        let text =
                            Int.random(in: 0..<4, using: &random) == 0
                            ? "DELETE FROM k.t USING TIMESTAMP \(time) WHERE p = \(p) AND c = \(time % 5)"
                            : "INSERT INTO k.t (p, c, v) VALUES (\(p), \(time % 5), 'w\(time)') USING TIMESTAMP \(time)"
                        journal.add(p, 1)
                        try await bench.from.query(text)
                        try await Task.sleep(for: .milliseconds(Int.random(in: 0..<15, using: &random)))
                        try await bench.to.query(text)
                        journal.add(p, -1)
                    }
                    return nil
                }
                group.addTask {
                    defer { writer.isDone.withLock { $0 = true } }
                    return try await bench.compare(copy, debt: journal)
                }
                var report: CompareReport?
                for try await one in group { if let one { report = one } }
                return try #require(report)
            }
            let found = try report.one.samples.map(\.difference)
            #expect(found.map(\.kind).sorted { $0.rawValue < $1.rawValue } == [.missingOnSource, .missingOnTarget])
            #expect(report.tally.rowsUndecided == 0, "\(report.tally)")
        }
    }

    @Test func `a job that was interrupted goes on where it was, and tells what it found before`() async throws {
        try await Bench.with { bench in
            try await Self.createTable(bench, rows: 600)
            for p in 0..<30 {
                try await bench.to.query("UPDATE k.t USING TIMESTAMP 2000 SET v = 'x' WHERE p = \(p * 5) AND c = 0")
            }
            var settings = bench.settings()
            settings.checkpointRows = 10
            settings.settling.pendingMax = 3
            settings.runner.concurrency = 1
            settings.rates = RateLimits(rowsPerSecond: 600)
            let slow = settings
            let interrupted = Task { try await bench.compare(slow) }
            // As soon as something is durable it is cut.
            let findings = "\(settings.folder)/job-w.findings.jsonl"
            while (try? FindingFile(path: findings))?.findings().isEmpty ?? true {
                try await Task.sleep(for: .milliseconds(10))
            }
            interrupted.cancel()
            _ = await interrupted.result
            let before = try FindingFile(path: findings).findings()
            settings.rates = RateLimits()
            let table = try await bench.compare(settings).one
            #expect(!before.isEmpty && table.tally.rows == 600 && table.tally.partitions == 150)
            #expect(table.tally.rowsDifferent == 30 && table.tally.differences[.value] == 30)
            #expect(table.coverage == 1 && table.samples.count == 30)
        }
    }

    @Test func `what other workers have found is not taken for agreement`() async throws {
        try await Bench.with { bench in
            try await Self.createTable(bench, rows: 40)
            let settings = bench.settings()
            #expect(try await bench.compare(settings).verdict == .inSync)
            // Another worker comes to the job that is done.
            let other = try await CompareJob.withJob(settings, worker: "other", on: Bench.group, logger: Bench.silent) {
                try await $0.report()
            }
            #expect(other.verdict.word == "incomplete" && other.coverage == 1)
        }
    }

    @Test func `a cluster that goes away for a while makes no differences`() async throws {
        try await Bench.with { bench in
            try await Self.createTable(bench, rows: 300)
            try await bench.to.query("INSERT INTO k.t (p, c, v) VALUES (500, 1, 'extra') USING TIMESTAMP 5")
            bench.target.setFaults([
                FaultRule(
                    .all([.opcode(.execute), .textContains("token(")]),
                    .error(ErrorMessage(.overloaded, "away"))
                )
            ])
            let settings = bench.settings()
            let running = Task { try await bench.compare(settings) }
            try await Task.sleep(for: .milliseconds(300))
            bench.target.setFaults([])
            let table = try await running.value.one
            #expect(table.tally.rowsDifferent == 1 && table.tally.differences[.missingOnSource] == 1)
            #expect(table.coverage == 1 && table.tally.rows == 301)
        }
    }

    @Test func `a cluster that stays away makes the verdict incomplete`() async throws {
        try await Bench.with { bench in
            try await Self.createTable(bench, rows: 40)
            bench.target.setFaults([
                FaultRule(
                    .all([.opcode(.execute), .textContains("token(")]),
                    .error(ErrorMessage(.overloaded, "away"))
                )
            ])
            var settings = bench.settings()
            settings.runner.attemptsMax = 2
            settings.reading.failuresMax = 1
            let table = try await bench.compare(settings).one
            guard case .incomplete = table.verdict else {
                Issue.record("\(table.verdict)")
                return
            }
            #expect(table.partsFailed > 0 && table.tally.differences.total == 0 && !table.failures.isEmpty)
        }
    }

    @Test func `a row that cannot be read again is undecided, and the verdict is not clean`() async throws {
        try await Bench.with { bench in
            try await Self.createTable(bench, rows: 40)
            try await bench.to.query("UPDATE k.t USING TIMESTAMP 2000 SET v = 'x' WHERE p = 1 AND c = 0")
            bench.target.setFaults([
                FaultRule(
                    .all([.opcode(.execute), .textContains("\"p\" = ?")]),
                    .error(ErrorMessage(.overloaded, "no"))
                )
            ])
            let table = try await bench.compare(bench.settings()).one
            #expect(table.tally.rowsUndecided == 1 && table.tally.differences.total == 0)
            #expect(table.verdict == .incomplete(reason: "1 rows are undecided"))
        }
    }

    @Test func `with few rows allowed to wait all are decided all the same, and samples are bounded`() async throws {
        try await Bench.with { bench in
            try await Self.createTable(bench, rows: 200)
            for p in 0..<50 {
                try await bench.to.query("UPDATE k.t USING TIMESTAMP 2000 SET v = 'x' WHERE p = \(p) AND c = 2")
            }
            var settings = bench.settings()
            settings.settling.pendingMax = 2
            settings.samplesPerClassMax = 5
            let table = try await bench.compare(settings).one
            #expect(table.tally.rowsDifferent == 50 && table.samples.count == 5)
        }
    }

    /// Partitions that are uncertain, until somebody says that they are not.
    private final class Dirty: DirtySet {
        let keys = Mutex<[Int32]>([1, 2, 3])
        func partitions(of table: TableName, keyColumns columns: Int, max count: Int) -> [DirtyPartition] {
            self.keys.withLock { $0 }.prefix(count).map { p in
                let key = ByteBuffer(integer: p)
                return DirtyPartition(key: [key], token: Murmur3Partitioner.token(of: key), mark: "\(p)")
            }
        }
        func clear(_ partition: DirtyPartition, of table: TableName) {
            let p: Int32? = partition.key[0].getInteger(at: partition.key[0].readerIndex)
            self.keys.withLock { $0.removeAll { $0 == p } }
        }
    }

    @Test func `dirty partitions come first, and are cleared where both agree or were repaired`() async throws {
        try await Bench.with { bench in
            try await Self.createTable(bench, rows: 40)
            try await bench.to.query("UPDATE k.t USING TIMESTAMP 500 SET v = 'x' WHERE p = 2 AND c = 9")
            try await bench.from.query("UPDATE k.t USING TIMESTAMP 2000 SET v = 'x' WHERE p = 3 AND c = 0")
            let dirty = Dirty()
            var settings = bench.settings()
            settings.scope = .dirtyPartitions
            settings.repair.policy = .sourceWins
            settings.repair.isDryRun = false
            let report = try await bench.compare(settings, dirty: dirty)
            #expect(report.dirty.compared == 3 && report.dirty.cleared == 2 && report.dirty.left == 1)
            #expect(dirty.keys.withLock { $0 } == [2])
            #expect(report.dirty.tally.rowsRepaired == 1 && report.dirty.tally.rowsUnrepaired == 1)
        }
    }

    @Test func `tables that are not the same on both sides are refused by name`() async throws {
        try await Bench.with { bench in
            try await bench.from.query("CREATE TABLE k.gone (p int PRIMARY KEY, v text)")
            try await bench.to.query("CREATE TABLE k.added (p int PRIMARY KEY, v text)")
            try await bench.from.query("CREATE TABLE k.typed (p int PRIMARY KEY, v text)")
            try await bench.to.query("CREATE TABLE k.typed (p int PRIMARY KEY, v blob)")
            try await bench.from.query("CREATE TABLE k.frozen (p int PRIMARY KEY, v set<int>)")
            try await bench.to.query("CREATE TABLE k.frozen (p int PRIMARY KEY, v frozen<set<int>>)")
            try await bench.from.query("CREATE TABLE k.wide (p int PRIMARY KEY, v text, w text)")
            try await bench.to.query("CREATE TABLE k.wide (p int PRIMARY KEY, v text)")
            try await bench.both("CREATE TABLE k.same (p int PRIMARY KEY, v text)")
            let report = try await bench.compare(bench.settings())
            let refusals = Dictionary(uniqueKeysWithValues: report.tables.map { ($0.name.table, $0.refusal ?? "") })
            #expect(refusals["gone"] == "the target has no table k.gone")
            #expect(refusals["added"] == "the source has no table k.added")
            #expect(refusals["typed"]?.contains("column v is text on the source and blob on the target") == true)
            #expect(refusals["frozen"]?.contains("frozen<set<int>> on the target") == true)
            #expect(refusals["wide"]?.contains("the target has no column w") == true)
            #expect(refusals["same"] == "" && report.verdict.word == "incomplete")
            var settings = bench.settings("leaving")
            settings.tables = TableSelection(include: ["k.wide"])
            settings.leavingOut = [TableName(keyspace: "k", table: "wide"): ["w"]]
            #expect(try await bench.compare(settings).verdict == .inSync)
        }
    }

    @Test func `tenants and samples are compared alone`() async throws {
        try await Bench.with { bench in
            try await Self.createTable(bench, rows: 400)
            for p in 0..<100 {
                try await bench.to.query("UPDATE k.t USING TIMESTAMP 2000 SET v = 'x' WHERE p = \(p) AND c = 2")
            }
            var settings = bench.settings("tenants")
            settings.tenants = TenantFilter(column: "p", values: ["3", "7"])
            let tenants = try await bench.compare(settings).one
            #expect(tenants.tally.rows == 8 && tenants.tally.rowsLeftOut == 392 && tenants.tally.rowsDifferent == 2)
            settings = bench.settings("sample")
            settings.sampling = Sampling(percentage: 30, seed: 4)
            let sample = try await bench.compare(settings).one
            let wanted = (0..<100).filter {
                settings.sampling.isSampled(Murmur3Partitioner.token(of: ByteBuffer(integer: Int32($0))))
            }
            #expect(sample.tally.partitions == wanted.count && sample.tally.rowsDifferent == wanted.count)
            #expect(sample.coverage == 1 && !wanted.isEmpty && wanted.count < 60)
        }
    }
}
