import DualWriteCore
import FoundationEssentials
import Operations
import Testing

@testable import ClusterSync
@testable import DualWriter

/// What is known by table: of the sidecar itself, of loader and reader, and of several sidecars.
struct TablesTests: ControlTests {
    private static func moment(_ hoursAgo: Int64) -> String {
        Timestamp.text(milliseconds: Timestamp.milliseconds() - hoursAgo * 3_600_000)
    }

    private static func load(_ job: String, _ worker: String, _ table: String, _ share: Double, hoursAgo: Int64)
        -> LoadReport
    {
        LoadReport(
            job: job,
            source: worker,
            state: "running",
            beganAt: Self.moment(90),
            at: Self.moment(hoursAgo),
            tokensCoveredRatio: share,
            deadLetters: 0,
            tables: [.init(table: table, tokensCoveredRatio: share)]
        )
    }

    @Test func `a table that has a mode of its own tells it, and the others do not`() async throws {
        let own = KeptOverride(override: try ModeOverride(parsing: "shop.orders=DualWriteSync"), since: 0)
        try await self.withControl(mode: .dualWriteAsync, overrides: [own]) { bench in
            bench.proxy.with { state in
                state.counters.comparison.count(.equal, "shop.orders")
                state.counters.comparison.count(.equal, "shop.users")
            }
            let tables = await bench.control.tables().tables
            #expect(tables.map(\.table) == ["shop.orders", "shop.users"])
            #expect(tables.map(\.mode) == ["DualWriteSync", nil])
        }
    }

    @Test func `a table has what is owed, in doubt, compared, loaded and judged`() async throws {
        try await self.withControl { bench in
            let filter = ShadowFilter(tables: try TableFilter(parsing: [], exclude: ["shop.scratch"]))
            bench.proxy.with { state in
                state.configureLeg = { leg in
                    var owed = DualWriterStatus.Leg.Table()
                    owed.records = leg.cluster == .source ? 2 : 7
                    owed.oldestMilliseconds = leg.cluster == .source ? 900 : 100
                    leg.tables = ["shop.orders": owed]
                    leg.recordsLookedAt = owed.records
                    leg.shadowWritesQueued = owed.records
                }
                let place = DirtyPartition.Place(keyspace: "shop", table: "orders", key: [1])
                state.dirty = [DirtyPartition(place: place, cluster: .target, reason: .journalFull, since: 0)]
                state.counters.comparison.count(.equal, "shop.orders")
                state.counters.comparison.count(.unreadable, "shop.orders")
                state.counters.comparison.count(.mismatch, "shop.users", RowComparison([.missing: 1]))
                state.filter = CurrentFilter(filter, from: .configuration)
            }
            // Workers of one job tell of the same table: the newest counts. Another job has covered more of it.
            _ = try await bench.control.keep(Self.load("a", "w1", "shop.orders", 0.9, hoursAgo: 9))
            _ = try await bench.control.keep(Self.load("a", "w2", "shop.orders", 0.5, hoursAgo: 1))
            _ = try await bench.control.keep(Self.load("b", "w1", "shop.scratch", 0.75, hoursAgo: 1))
            _ = try await bench.control.keep(
                ComparisonReport(
                    job: "compare",
                    verdict: "differs",
                    beganAt: Self.moment(2),
                    at: Self.moment(1),
                    tokensCoveredRatio: 1,
                    sampledPercentage: 100,
                    differences: 3,
                    tables: [.init(table: "shop.users", verdict: "differs", differences: 3)]
                )
            )
            let document = await bench.control.tables()
            #expect(document.tables.map(\.table) == ["shop.orders", "shop.scratch", "shop.users"])
            #expect(document.tables.map(\.shadow) == ["copied", "filtered", "copied"])
            let orders = document.tables[0]
            #expect(orders.owedSource == 2 && orders.owedTarget == 7 && orders.oldestOwedMs == 900)
            #expect(orders.dirtyPartitions == 1 && orders.compared == 1 && orders.mismatches == 0)
            #expect(orders.loadedRatio == 0.5 && orders.verdict == nil)
            #expect(document.tables[1].loadedRatio == 0.75)
            let users = document.tables[2]
            #expect(users.mismatches == 1 && users.verdict == "differs" && users.differences == 3 && users.needsCare)
            #expect(document.owedComplete && document.tablesLeftOut == 0)
        }
    }

    @Test func `what only the oldest records tell is said to be not everything`() async throws {
        try await self.withControl { bench in
            bench.proxy.with { $0.configureLeg = { $0.shadowWritesQueued = 20_000 } }
            #expect(await bench.control.tables().owedComplete == false)
        }
    }

    @Test func `counts of several sidecars are added, and reports are not`() {
        var one = TablesDocument.Table(table: "shop.orders")
        one.owedTarget = 3
        one.oldestOwedMs = 10
        one.compared = 100
        one.loadedRatio = 0.5
        one.verdict = "in_sync"
        one.differences = 0
        var other = one
        other.shadow = "filtered"
        other.oldestOwedMs = 20
        other.mismatches = 1
        other.loadedRatio = 1
        other.verdict = "differs"
        other.differences = 2
        let sum = TablesCommand.sum([[one], [other], [TablesDocument.Table(table: "a.b")]])
        #expect(sum.map(\.table) == ["a.b", "shop.orders"])
        let orders = sum[1]
        #expect(orders.owedTarget == 6 && orders.oldestOwedMs == 20 && orders.compared == 200 && orders.mismatches == 1)
        #expect(orders.loadedRatio == 1 && orders.verdict == "differs" && orders.differences == 2)
        #expect(orders.shadow == "differs")
        let text = TablesCommand.table(sum, Style(isColored: false)).render(Style(isColored: false))
        #expect(text.contains("100 %  differs, 2 differences"))
    }
}
