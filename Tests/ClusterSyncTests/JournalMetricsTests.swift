import DualWriteCore
import Operations
import Testing

@testable import ClusterSync
@testable import DualWriter

/// What a scrape tells of what the clusters are owed.
struct JournalMetricsTests {
    private static func page(_ status: DualWriterStatus) async -> Set<String> {
        let registry = MetricsRegistry()
        registry.register { SidecarMetrics.collect(status, into: &$0) }
        return Set(await registry.render().split(separator: "\n").map(String.init))
    }

    @Test func `a backlog is counted by cluster, reason and table`() async {
        var status = DualWriterStatus(mode: .dualWriteAsync, epoch: 1)
        status.hasJournal = true
        status.counters.target.breakerOpened = 4
        var leg = DualWriterStatus.Leg(cluster: .target)
        leg.shadowWritesQueued = 12
        leg.shadowBytesQueued = 3_400
        leg.shadowOldestMilliseconds = 2_500
        leg.journalDiskBytes = 65_536
        leg.journalBytesMax = 1_048_576
        status.journalSyncFailures = 2
        leg.isBreakerOpen = true
        leg.waitsForLoginOf = ["a", "b"]
        leg.deadLetters = 3
        leg.dirtyByReason = [.journalFull: 5]
        leg.recordsLookedAt = 11
        leg.tables["shop.orders"] = .init()
        leg.tables["shop.orders"]?.records = 11
        leg.tables["shop.orders"]?.oldestMilliseconds = 1_500
        status.legs = [leg]
        let page = await Self.page(status)
        for line in [
            "cluster_sync_journal_records{cluster=\"target\"} 12",
            "cluster_sync_journal_bytes{cluster=\"target\"} 3400",
            "cluster_sync_journal_disk_bytes{cluster=\"target\"} 65536",
            "cluster_sync_journal_limit_bytes{cluster=\"target\"} 1048576",
            "cluster_sync_journal_sync_failures_total 2",
            "cluster_sync_journal_oldest_age_seconds{cluster=\"target\"} 2.5",
            "cluster_sync_dead_letters{cluster=\"target\"} 3", "cluster_sync_dead_letters{cluster=\"source\"} 0",
            "cluster_sync_dirty_partitions{cluster=\"target\",reason=\"journal_full\"} 5",
            "cluster_sync_dirty_partitions{cluster=\"target\",reason=\"restart\"} 0",
            "cluster_sync_breaker_open{cluster=\"target\"} 1", "cluster_sync_breaker_open{cluster=\"source\"} 0",
            "cluster_sync_breaker_opened_total{cluster=\"target\"} 4",
            "cluster_sync_waits_for_logins{cluster=\"target\"} 2",
            "cluster_sync_journal_records_looked_at{cluster=\"target\"} 11",
            "cluster_sync_journal_table_records{cluster=\"target\",table=\"shop.orders\"} 11",
            "cluster_sync_journal_table_oldest_age_seconds{cluster=\"target\",table=\"shop.orders\"} 1.5",
        ] {
            #expect(page.contains(line), "\(line)")
        }
    }

    @Test func `without a journal nothing is in it`() async {
        var status = DualWriterStatus(mode: .dualWriteAsync, epoch: 1)
        var leg = DualWriterStatus.Leg(cluster: .target)
        leg.shadowWritesQueued = 12
        leg.shadowOldestMilliseconds = 500
        status.legs = [leg]
        let page = await Self.page(status)
        #expect(page.contains("cluster_sync_journal_records{cluster=\"target\"} 0"))
        #expect(page.contains("cluster_sync_journal_oldest_age_seconds{cluster=\"target\"} 0"))
        #expect(page.contains("cluster_sync_shadow_queue_writes{cluster=\"target\"} 12"))
    }

    @Test func `tables beyond the limit are one`() {
        var owed = OwedTables()
        for number in 0..<300 {
            for _ in 0...(number == 7 ? 2 : 0) {
                owed.add([TableName(keyspace: "ks", table: "t\(number)")], writtenAt: Int64(1_000 - number))
            }
        }
        for _ in 0..<3 { owed.add([nil], writtenAt: 0) }
        let named = owed.named(max: 3, now: 1_000)
        #expect(named.count == 4)
        #expect(named["ks.t7"]?.records == 3 && named["unknown"]?.records == 3)
        #expect(named["unknown"]?.oldestMilliseconds == 1_000)
        #expect(named["other"]?.records == 298)
        #expect(named["other"]?.oldestMilliseconds == 299)
        #expect(named.values.reduce(0) { $0 + $1.records } == owed.records)
    }
}
