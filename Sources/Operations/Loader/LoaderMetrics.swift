/// The loader's page of metrics, made from one status.
public enum LoaderMetrics {
    /// Adds everything that is known of a load.
    public static func collect(_ status: LoaderStatus, into page: inout MetricsPage) {
        self.collect(status.counters, into: &page)
        self.collectJob(status, into: &page)
        self.collectPace(status, into: &page)
        for table in status.tables { self.collect(table, into: &page) }
    }

    private static func collect(_ counters: LoaderStatus.Counters, into page: inout MetricsPage) {
        for (name, help, value) in [
            ("rows_total", "Rows that the target has acknowledged.", counters.rows),
            ("bytes_total", "Bytes of the rows that the target has acknowledged.", counters.bytes),
            ("statements_total", "Statements that the target has acknowledged.", counters.statements),
            ("filtered_rows_total", "Rows that a filter has left out.", counters.filteredRows),
            (
                "dead_letters_total",
                "Statements that could not be written and were put into the file of dead letters.",
                counters.deadLetters
            ),
        ] {
            page.counter("cluster_sync_loader_" + name, help: help, value)
        }
        for (reason, count) in counters.retries.sorted(by: { $0.key < $1.key }) {
            page.counter(
                "cluster_sync_loader_retries_total",
                help: "Requests that were sent again, by reason.",
                labels: [.init("reason", reason)],
                count
            )
        }
        for (kind, count) in [
            ("column", counters.guesses.columns), ("marker", counters.guesses.markers),
            ("list", counters.guesses.lists),
        ] {
            page.counter(
                "cluster_sync_loader_guesses_total",
                help: "Timestamps that the source does not tell and that were chosen by rule, by kind.",
                labels: [.init("kind", kind)],
                count
            )
        }
        if let latency = counters.latency {
            page.histogram(
                "cluster_sync_loader_write_latency_seconds",
                help: "From sending a request to the target to its answer.",
                latency
            )
        }
    }

    private static func collectJob(_ status: LoaderStatus, into page: inout MetricsPage) {
        for state in LoaderRun.State.allCases {
            page.gauge(
                "cluster_sync_loader_state",
                help: "1 for the state of the load, 0 for the others.",
                labels: [.init("state", state.rawValue)],
                state == status.run.state ? 1 : 0
            )
        }
        for (state, count) in [
            ("pending", status.progress.ranges.pending), ("leased", status.progress.ranges.leased),
            ("done", status.progress.ranges.done), ("failed", status.progress.ranges.failed),
        ] {
            page.gauge(
                "cluster_sync_loader_ranges",
                help: "Ranges of tokens of the job by state, over all workers.",
                labels: [.init("state", state)],
                Double(count)
            )
        }
        for state in LoaderStatus.Table.State.allCases {
            page.gauge(
                "cluster_sync_loader_tables",
                help: "Tables of the job by state.",
                labels: [.init("state", state.rawValue)],
                Double(status.tables.count { $0.state == state })
            )
        }
        for (name, help, value) in [
            (
                "tokens_covered_ratio", "The share of all tokens that is done, over all workers; 1 only where all are.",
                status.progress.tokensCovered ?? 0
            ),
            ("job_rows", "Rows that the job has written, over all workers and starts.", Double(status.progress.rows)),
            (
                "job_bytes", "Bytes that the job has written, over all workers and starts.",
                Double(status.progress.bytes)
            ),
            ("dead_letters", "Statements in the file of dead letters.", Double(status.deadLetters)),
            ("elapsed_seconds", "Seconds since the load began, or that it took.", status.elapsedSeconds),
        ] {
            page.gauge("cluster_sync_loader_" + name, help: help, value)
        }
        for (cluster, place) in [("source", status.source), ("target", status.target)] {
            page.gauge(
                "cluster_sync_loader_connected",
                help: "1 while the source or the target can be reached.",
                labels: [.init("cluster", cluster)],
                place.isConnected ? 1 : 0
            )
        }
    }

    /// What is not known is left out: 0 would be taken for a figure.
    private static func collectPace(_ status: LoaderStatus, into page: inout MetricsPage) {
        for (name, help, value) in [
            ("in_flight", "Requests on their way to the target.", Double(status.inFlight)),
            (
                "in_flight_limit", "Requests on their way that the target's latency allows now.",
                Double(status.limits.inFlight)
            ),
            ("rows_per_second", "Rows per second over the last minute.", status.rowsPerSecond),
            ("bytes_per_second", "Bytes per second over the last minute.", status.bytesPerSecond),
            ("rows_per_second_limit", "The configured limit.", status.limits.rowsPerSecond),
            ("bytes_per_second_limit", "The configured limit.", status.limits.bytesPerSecond),
            ("eta_seconds", "Seconds until the end at this speed.", status.secondsLeft),
            (
                "ceiling_timestamp_seconds", "Nothing newer than this is loaded, in seconds since 1970.",
                status.ceiling.microseconds.map { Double($0) / 1e6 }
            ),
        ] {
            if let value { page.gauge("cluster_sync_loader_" + name, help: help, value) }
        }
    }

    private static func collect(_ table: LoaderStatus.Table, into page: inout MetricsPage) {
        let labels = [MetricLabel("table", table.name)]
        page.gauge(
            "cluster_sync_loader_table_tokens_covered_ratio",
            help: "The share of a table's tokens that is done, over all workers.",
            labels: labels,
            table.progress.tokensCovered ?? 0
        )
        page.gauge(
            "cluster_sync_loader_table_rows",
            help: "Rows of a table that are written, over all workers and starts.",
            labels: labels,
            Double(table.progress.rows)
        )
        page.gauge(
            "cluster_sync_loader_table_ranges_failed",
            help: "Ranges of a table that were given up.",
            labels: labels,
            Double(table.progress.ranges.failed)
        )
    }
}
