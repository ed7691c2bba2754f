import DualWriteCore
import Testing

@testable import DualWriter

struct ComparisonCountersTests {
    @Test func `tables beyond the limit are counted together`() {
        var counters = ComparisonCounters()
        for index in 0..<(ComparisonCounters.tablesMax + 50) { counters.count(.equal, "ks.t\(index)") }
        counters.count(.mismatch, "ks.t0", RowComparison([.missing: 2, .schema: 1]))
        #expect(counters.tables.count == ComparisonCounters.tablesMax + 1)
        #expect(counters.tables[ComparisonCounters.otherTables]?.reads == [.equal: 50])
        #expect(counters.tables["ks.t0"]?.mismatches == [.missing: 1, .schema: 1])
        #expect(counters[.equal] == UInt64(ComparisonCounters.tablesMax + 50))
    }

    @Test func `only other rows are a mismatch, other columns are not`() {
        var counters = ComparisonCounters()
        counters.count(.mismatch, "ks.t", RowComparison([.schema: 1]))
        #expect(counters.mismatches == 0 && counters[.mismatch] == 1)
        counters.count(.mismatch, "ks.t", RowComparison([.order: 1]))
        #expect(counters.mismatches == 1)
    }

    @Test func `the counters of two loops are added`() {
        var (one, two) = (ComparisonCounters(), ComparisonCounters())
        one.count(.mismatch, "ks.a", RowComparison([.missing: 1]))
        one.skipped[.busy] = 2
        two.count(.mismatch, "ks.a", RowComparison([.missing: 9, .extra: 1]))
        two.count(.settled, "ks.b")
        two.skipped = [.busy: 1, .behind: 1]
        one.add(two)
        #expect(one.tables["ks.a"]?.mismatches == [.missing: 2, .extra: 1])
        #expect(one.tables["ks.b"]?.reads == [.settled: 1])
        #expect(one.skipped == [.busy: 3, .behind: 1] && one.mismatches == 2)
    }

    @Test func `a loop that has not said what it owes is waited for`() {
        let progress = OwedProgress(loops: 2)
        #expect(progress.isDelivered(to: .target, since: 1, except: 0) == false)
        #expect(OwedProgress(loops: 1).isDelivered(to: .target, since: 1, except: 0))
    }
}
