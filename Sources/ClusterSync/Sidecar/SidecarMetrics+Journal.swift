import DualWriteCore
import DualWriter
import Operations

/// What the clusters are owed, what they have refused, and what is in doubt.
extension SidecarMetrics {
    static func collectJournal(_ cluster: Cluster, _ status: DualWriterStatus, into page: inout MetricsPage) {
        let labels = [MetricLabel("cluster", cluster.description)]
        let leg = status.leg(cluster) ?? DualWriterStatus.Leg(cluster: cluster)
        let isJournalled = status.hasJournal
        for (metric, help, value) in [
            (
                "journal_records", "Writes in the journal that the cluster has not confirmed.",
                isJournalled ? leg.shadowWritesQueued : 0
            ),
            ("journal_bytes", "The bytes of the writes in the journal.", isJournalled ? leg.shadowBytesQueued : 0),
            ("journal_disk_bytes", "What the journal's files take on the disk.", leg.journalDiskBytes),
            ("journal_limit_bytes", "What the journal's files may take on the disk.", leg.journalBytesMax),
            ("dead_letters", "Writes that the cluster has refused for good, kept for an operator.", leg.deadLetters),
            (
                "breaker_open", "1 while copies are held back because the cluster fails or is silent.",
                leg.isBreakerOpen ? 1 : 0
            ),
            ("waits_for_logins", "Users whose next login copies wait for.", leg.waitsForLoginOf.count),
        ] {
            page.gauge("cluster_sync_" + metric, help: help, labels: labels, Double(value))
        }
        page.gauge(
            "cluster_sync_journal_oldest_age_seconds",
            help: "The age of the oldest write in the journal.",
            labels: labels,
            isJournalled ? Double(leg.shadowOldestMilliseconds) / 1_000 : 0
        )
        page.counter(
            "cluster_sync_breaker_opened_total",
            help: "How often copies began to be held back because the cluster failed or was silent.",
            labels: labels,
            status.counters[cluster].breakerOpened
        )
        for reason in DoubtReason.allCases {
            page.gauge(
                "cluster_sync_dirty_partitions",
                help: "Partitions whose state on the cluster is in doubt, by reason.",
                labels: labels + [MetricLabel("reason", reason.name)],
                Double(leg.dirtyByReason[reason] ?? 0)
            )
        }
        self.collectTables(leg, labels, into: &page)
    }

    private static func collectTables(
        _ leg: DualWriterStatus.Leg,
        _ labels: [MetricLabel],
        into page: inout MetricsPage
    ) {
        page.gauge(
            "cluster_sync_journal_records_looked_at",
            help: "The oldest writes in the journal that were looked at for the figures by table.",
            labels: labels,
            Double(leg.recordsLookedAt)
        )
        for (name, table) in leg.tables.sorted(by: { $0.key < $1.key }) {
            let labels = labels + [MetricLabel("table", name)]
            page.gauge(
                "cluster_sync_journal_table_records",
                help: "Writes in the journal by table, of those that were looked at "
                    + "(cluster_sync_journal_records_looked_at); a write to several tables counts for each.",
                labels: labels,
                Double(table.records)
            )
            page.gauge(
                "cluster_sync_journal_table_oldest_age_seconds",
                help: "The age of the oldest write in the journal by table, of those that were looked at.",
                labels: labels,
                Double(table.oldestMilliseconds) / 1_000
            )
        }
    }
}
