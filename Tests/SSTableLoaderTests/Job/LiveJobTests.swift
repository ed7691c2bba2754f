import CQLClient
import CQLProtocol
import EmbeddedNode
import FoundationEssentials
import LiveTables
import TestSupport
import Testing
import TokenRanges

@testable import SSTableLoader

extension Loads {
    /// Jobs from a live source, whatever happens to them: at their end both sides hold the same cells.
    struct LiveJobTests {
        enum Store: CaseIterable { case sqlite, target }

        @Test(arguments: Store.allCases)
        func `a job loads every cell of every table that is wanted, and tells so`(_ store: Store) async throws {
            try await LoadBench.with { bench in
                try await bench.fill("one")
                try await bench.fill("two", partitions: 10)
                try await bench.fill("other", partitions: 3)
                var settings = bench.settings()
                settings.tables = TableSelection(include: ["k.*"], exclude: ["k.oth?r"])
                if store == .target {
                    settings.store = .target(
                        replication: "{'class': 'SimpleStrategy', 'replication_factor': 1}"
                    )
                }
                let end = try await bench.load(settings)
                let status = end.status
                #expect(end == .complete(status) && status.state == .complete)
                #expect(bench.differences("one") == [] && bench.differences("two") == [])
                #expect(bench.target.liveCells("other").isEmpty)
                #expect(status.tables.map(\.table) == ["one", "two"] && status.total.covered == 1)
                #expect(status.total.done == status.total.parts && status.total.parts >= 16)
                #expect(status.tables[0].progress.rows == 200 && status.tables[1].progress.rows == 50)
                #expect(status.tables[0].tally.statements > 200 && status.tally.deadLetters == 0)
                #expect(status.latency.count > 0 && status.inFlight == 0 && status.deadLetters == 0)
                #expect(status.tables.allSatisfy { $0.missing.isEmpty && $0.failures.isEmpty })
            }
        }

        @Test func `a dry run tells what would be done, and touches nothing`() async throws {
            try await LoadBench.with { bench in
                try await bench.fill("one", partitions: 3)
                try await bench.from.query("CREATE TABLE k.gone (p int PRIMARY KEY, v text)")
                try await bench.both("CREATE TABLE k.lists (p int PRIMARY KEY, l list<int>)")
                try await bench.both("CREATE TABLE k.counts (p int PRIMARY KEY, n counter)")
                var settings = bench.settings()
                settings.store = .target(replication: nil)
                settings.ceiling = nil
                let plan = try await LoadJob.plan(settings, on: LoadBench.group, logger: LoadBench.silent)
                #expect(plan.tables.map(\.table) == ["counts", "gone", "lists", "one"])
                #expect(plan.tables[0].failure?.contains("option for counters") == true)
                #expect(plan.tables[1].failure?.contains("the target has no such table") == true)
                #expect(plan.tables[2].failure == nil && plan.tables[2].care.contains { $0.contains("as a whole") })
                #expect(plan.tables[3].failure == nil && plan.tables[3].parts == 8)
                #expect(plan.care.contains { $0.contains("no ceiling") } && !plan.isLoadable)
                #expect(plan.description.contains("table k.gone") && plan.description.contains("cannot be loaded"))
                let decoded = try JSONDecoder().decode(LoadPlan.self, from: JSONEncoder().encode(plan))
                #expect(decoded == plan)
                #expect(bench.target.liveCells("one").isEmpty)
                let keyspaces = try await bench.to.query(
                    "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = 'cluster_sync'"
                )
                #expect(keyspaces.rows?.first == nil)
                #expect(bench.folder.names(in: "") == [])
            }
        }

        @Test func `a table that the target does not have fails with its reason, and the others are loaded`()
            async throws
        {
            try await LoadBench.with { bench in
                try await bench.fill("one", partitions: 10)
                let create = "CREATE TABLE k.late (p int PRIMARY KEY, v text)"
                try await bench.from.query(create)
                try await bench.from.query("INSERT INTO k.late (p, v) VALUES (1, 'x') USING TIMESTAMP 5")
                let settings = bench.settings()
                let end = try await bench.load(settings)
                let status = end.status
                #expect(end == .incomplete(status) && bench.differences("one") == [])
                let late = try #require(status.tables.first { $0.table == "late" })
                #expect(late.progress.failed == late.progress.parts && late.failures.count == 1)
                #expect(late.failures.first?.reason.contains("the target has no such table") == true)
                #expect(late.missing == [LoadRange(.ring)])
                #expect(!status.errors.isEmpty)

                try await bench.to.query(create)
                let second = try await bench.load(settings) { job in
                    let retried = try await job.retryFailed()
                    #expect(retried == late.progress.parts)
                }
                #expect(second.status.state == .complete && bench.differences("late") == [])
            }
        }

        @Test func `counters need their option, and with it both sides are equal`() async throws {
            try await LoadBench.with { bench in
                try await bench.both("CREATE TABLE k.counts (p int PRIMARY KEY, n counter)")
                for p in 0..<20 { try await bench.from.query("UPDATE k.counts SET n = n + \(p) WHERE p = \(p)") }
                try await bench.to.query("UPDATE k.counts SET n = n + 3 WHERE p = 5")
                var settings = bench.settings()
                let refused = try await bench.load(settings)
                #expect(refused.status.state == .incomplete)
                #expect(refused.status.tables.first?.failures.first?.reason.contains("option for counters") == true)
                settings.job = "with counters"
                settings.copiesCounters = true
                let end = try await bench.load(settings)
                #expect(end.status.state == .complete)
                let rows = try #require(try await bench.to.query("SELECT p, n FROM k.counts").rows)
                var found: [CQLValue: CQLValue] = [:]
                for row in rows { found[try row.value("p")] = try row.value("n") }
                for p in 1..<20 { #expect(found[.int(Int32(p))] == .bigint(Int64(p)), "\(p)") }
            }
        }

        @Test func `a target that fails for a while is waited for`() async throws {
            try await LoadBench.with { bench in
                try await bench.fill("one")
                let unavailable = ErrorMessage(
                    .unavailable,
                    "a fault of the test",
                    details: .unavailable(consistency: .localQuorum, required: 2, alive: 1)
                )
                bench.target.setFaults([
                    FaultRule(.opcode(.execute), .error(unavailable), times: 60),
                    FaultRule(.opcode(.batch), .error(unavailable), times: 60),
                ])
                let end = try await bench.load(bench.settings())
                #expect(end.status.state == .complete && end.status.pushbacks > 0)
                #expect(end.status.errors.contains { $0.reason.contains("UNAVAILABLE") })
                #expect(bench.differences("one") == [])
            }
        }

        @Test func `a paused job writes nothing until it is resumed, and a stopped one ends`() async throws {
            try await LoadBench.with { bench in
                try await bench.fill("one")
                try await LoadJob.withJob(
                    bench.settings(),
                    worker: "a",
                    on: LoadBench.group,
                    logger: LoadBench.silent
                ) { job in
                    try await job.stop()
                    let stopped = try await job.run()
                    #expect(stopped == .stopped(stopped.status) && stopped.status.state == .stopped)
                    #expect(stopped.status.tables.first?.missing == [LoadRange(.ring)])
                    #expect(bench.target.liveCells("one").isEmpty)

                    try await job.resume()
                    job.rates = RateLimits(rowsPerSecond: 100)
                    async let end = job.run()
                    try await LoadBench.until { !bench.target.liveCells("one").isEmpty }
                    try await job.pause()
                    try await LoadBench.until { try await job.status().total.leased == 0 }
                    let status = try await job.status()
                    #expect(status.state == .paused && status.inFlight == 0 && status.total.covered < 1)
                    let before = bench.target.liveCells("one").count
                    #expect(before > 0 && before < bench.source.liveCells("one").count)

                    job.rates = RateLimits()
                    try await job.resume()
                    #expect(try await end.status.state == .complete)
                }
                #expect(bench.differences("one") == [])
            }
        }

        @Test func `what is deleted while it is loaded stays deleted, and nothing is above the ceiling`() async throws {
            try await LoadBench.with { bench in
                try await bench.fill("one")
                // Dual writing goes on: it has written these on both sides.
                try await bench.both("INSERT INTO k.one (p, c, v) VALUES (0, 0, 'newer') USING TIMESTAMP 2000005")
                var settings = bench.settings()
                settings.untoldTime = .ceiling
                try await LoadJob.withJob(settings, worker: "a", on: LoadBench.group, logger: LoadBench.silent) { job in
                    job.rates = RateLimits(rowsPerSecond: 300)
                    async let end = job.run()
                    for p in 1..<30 {
                        try await bench.both(
                            "DELETE FROM k.one USING TIMESTAMP \(LoadBench.ceiling + Int64(p)) WHERE p = \(p) AND c = 1"
                        )
                        if p == 20 { job.rates = RateLimits() }
                    }
                    #expect(try await end.status.state == .complete)
                }
                #expect(bench.differences("one") == [])
                let rows = try #require(
                    try await bench.to.query("SELECT p, c FROM k.one WHERE c = 1 ALLOW FILTERING").rows
                )
                #expect(Array(rows).count == 40 - 29)
            }
        }

        @Test func `another job of the same name is refused`() async throws {
            try await LoadBench.with { bench in
                try await bench.fill("one", partitions: 2)
                var settings = bench.settings()
                try await bench.load(settings)
                settings.ceiling = 7
                let changed = settings
                let error = await #expect(throws: LoadError.self) { try await bench.load(changed, worker: "b") }
                #expect(error?.code == .otherJob)
                settings.tables = TableSelection(include: ["nowhere"])
                let empty = settings
                let other = await #expect(throws: LoadError.self) { try await bench.load(empty, worker: "b") }
                #expect(other?.code == .nothingToLoad)
            }
        }

        @Test func `two workers share a job, and one goes on with what the other leaves`() async throws {
            try await LoadBench.with { bench in
                try await bench.fill("one", partitions: 60)
                let settings = bench.settings()
                // A worker that has died holds a part for a while yet.
                try await LoadJob.withJob(
                    settings,
                    worker: "dead",
                    on: LoadBench.group,
                    logger: LoadBench.silent
                ) { job in
                    let answer = try await job.store.lease("load", worker: "dead", for: .seconds(1))
                    guard case .leased = answer else { return #expect(Bool(false), "\(answer)") }
                }
                let first = Task {
                    var slow = settings
                    slow.rates = RateLimits(rowsPerSecond: 200)
                    return try await bench.load(slow, worker: "a")
                }
                try await LoadBench.until { bench.target.liveCells("one").count > 100 }
                let second = Task { try await bench.load(settings, worker: "b") }
                first.cancel()
                await #expect(throws: CancellationError.self) { try await first.value }
                let end = try await second.value
                #expect(end.status.state == .complete && end.status.worker == "b")
                #expect(bench.differences("one") == [])
            }
        }
    }
}
