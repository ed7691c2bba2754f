import FoundationEssentials

/// A reader's metrics.
public enum ReaderMetrics {
    /// Tables that a page names, those that are not in sync first.
    public static var tablesMax: Int { 100 }

    /// Writes down everything about `status`.
    public static func collect(_ status: ReaderStatus, into page: inout MetricsPage) {
        self.collectCounters(status.counters, into: &page)
        for state in ReaderRun.State.allCases {
            page.gauge(
                "cluster_sync_reader_state",
                help: "1 for what is the case with the comparison.",
                labels: [.init("state", state.rawValue)],
                status.run.state == state ? 1 : 0
            )
        }
        page.gauge(
            "cluster_sync_reader_discrepancies",
            help: "Differences that are remembered, at most as many as configured.",
            Double(status.discrepancies)
        )
        if let current = status.current {
            page.gauge(
                "cluster_sync_reader_current_tokens_covered_ratio",
                help: "The share of the tokens that the comparison which runs has decided.",
                current.tokensCoveredRatio
            )
        }
        for (name, help, value) in [
            ("rows_per_second", "Rows per second of the comparison that runs.", status.rowsPerSecond),
            ("eta_seconds", "Seconds until it ends at this speed.", status.secondsLeft),
        ] {
            if let value { page.gauge("cluster_sync_reader_" + name, help: help, value) }
        }
        page.gauge(
            "cluster_sync_reader_interval_seconds",
            help: "Seconds between comparisons that begin by themselves; 0 where none does.",
            Double(status.intervalSeconds)
        )
        if let whole = status.lastWhole { self.collect(whole, into: &page) }
    }

    private static func collectCounters(_ counters: ReaderStatus.Counters, into page: inout MetricsPage) {
        for verdict in ["in_sync", "differs", "incomplete", "failed"] {
            page.counter(
                "cluster_sync_reader_runs_total",
                help: "Comparisons that have ended, by verdict; failed are those without one.",
                labels: [.init("verdict", verdict)],
                counters.runs[verdict, default: 0]
            )
        }
        page.counter(
            "cluster_sync_reader_rows_compared_total",
            help: "Rows that comparisons which have ended have compared.",
            counters.rows
        )
        for cluster in ["source", "target"] {
            page.counter(
                "cluster_sync_reader_bytes_read_total",
                help: "Bytes of values that they have read.",
                labels: [.init("cluster", cluster)],
                counters.bytes[cluster, default: 0]
            )
        }
        for outcome in ["remained", "settled", "undecided", "repaired"] {
            page.counter(
                "cluster_sync_reader_divergence_rows_total",
                help: "Rows that differed when they were met, by what became of them.",
                labels: [.init("outcome", outcome)],
                counters.rowsByOutcome[outcome, default: 0]
            )
        }
    }

    /// The last comparison of everything that is configured.
    private static func collect(_ report: ReaderReportDocument, into page: inout MetricsPage) {
        for verdict in ["in_sync", "differs", "incomplete"] {
            page.gauge(
                "cluster_sync_reader_verdict",
                help: "1 for the verdict of the last comparison of everything that is configured.",
                labels: [.init("verdict", verdict)],
                report.verdict == verdict ? 1 : 0
            )
        }
        if let date = try? Date(report.at, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)) {
            page.gauge(
                "cluster_sync_reader_last_ended_timestamp_seconds",
                help: "When that comparison ended, in seconds since 1970.",
                date.timeIntervalSince1970.rounded()
            )
        }
        for (name, help, value) in [
            ("rows", "Rows that the last comparison of everything has compared.", report.counts.rows),
            ("divergence_rows", "Of these the rows that differed.", report.counts.rowsDifferent),
            ("undecided_rows", "Of these the rows of which nobody knows.", report.counts.rowsUndecided),
        ] { page.gauge("cluster_sync_reader_last_" + name, help: help, Double(value)) }
        page.gauge(
            "cluster_sync_reader_last_sampled_ratio",
            help: "The share of the partitions that it was to compare.",
            report.sampledPercentage / 100
        )
        for table in report.tables.prefix(self.tablesMax) {
            page.gauge(
                "cluster_sync_reader_validated_token_fraction",
                help: "The share of a table's tokens that it has decided; 1 only where all of it is.",
                labels: [.init("table", table.table)],
                table.tokensCoveredRatio
            )
            for (kind, count) in table.counts.differences.sorted(by: { $0.key < $1.key }) {
                page.gauge(
                    "cluster_sync_reader_divergence_differences",
                    help: "Differences of a table that remained, by class; none where it is in sync.",
                    labels: [.init("table", table.table), .init("class", kind)],
                    Double(count)
                )
            }
        }
    }
}
