import CQLSyntax
import DualWriteCore
import DualWriter
import Operations

/// The sidecar's page of metrics, made from one snapshot of the proxy's plain counters.
enum SidecarMetrics {
    static func collect(_ status: DualWriterStatus, into page: inout MetricsPage) {
        for cluster in Cluster.allCases {
            self.collect(cluster, status, into: &page)
            self.collectJournal(cluster, status, into: &page)
        }
        page.counter(
            "cluster_sync_journal_sync_failures_total",
            help: "How often the disk did not take the journal.",
            UInt64(clamping: status.journalSyncFailures)
        )
        for mode in WriteMode.allCases {
            page.gauge(
                "cluster_sync_phase",
                help: "1 for the write mode in force, 0 for the others.",
                labels: [.init("phase", mode.name)],
                mode == status.mode ? 1 : 0
            )
        }
        page.gauge(
            "cluster_sync_build_info",
            help: "Always 1; the version of the program is a label.",
            labels: [.init("version", Version.current)],
            1
        )
        page.gauge(
            "cluster_sync_phase_epoch",
            help: "Changes of the write mode, the sidecar's or single tables', so far.",
            Double(status.epoch)
        )
        page.gauge(
            "cluster_sync_table_mode_overrides",
            help: "Overrides by which tables have a write mode of their own.",
            Double(status.overrides.ofTables.count)
        )
        self.collectCanaries(status, into: &page)
        page.gauge(
            "cluster_sync_ready",
            help: "1 while clients should be sent here.",
            SidecarControl.readiness(status) == .ready ? 1 : 0
        )
        page.gauge("cluster_sync_client_connections", help: "Open client connections.", Double(status.clients))
        let counters = status.counters
        for (name, help, value) in [
            ("client_connections_accepted_total", "Client connections that were accepted.", counters.clientsAccepted),
            ("client_connections_refused_total", "Client connections beyond the limit.", counters.clientsRefused),
            ("client_tls_failures_total", "Client connections that failed in the TLS handshake.", counters.tlsFailures),
            (
                "client_read_pauses_total", "Times that a client was not read from, because its loop had enough to do.",
                counters.readPauses
            ),
            ("slow_clients_closed_total", "Clients that did not read their answers.", counters.slowClientsClosed),
            ("protocol_errors_total", "Frames of clients that broke the protocol.", counters.protocolErrors),
            ("overloaded_total", "Requests answered OVERLOADED because of a limit.", counters.overloaded),
            ("answered_by_proxy_total", "Requests answered without a cluster.", counters.answeredByProxy),
            (
                "not_understood_total", "Statements treated as plain writes for want of a better.",
                counters.notUnderstood
            ),
            (
                "functions_not_evaluated_total",
                "Writes not understood whose functions such as now() each cluster evaluates.",
                counters.notEvaluated
            ),
            (
                "lapsed_requests_total",
                "Requests refused because another write mode may be in force: this replica has lost the others.",
                counters.lapsed
            ),
            ("doubtful_writes_total", "Writes whose outcome on the shadow is not known.", counters.doubtful),
        ] {
            page.counter("cluster_sync_" + name, help: help, value)
        }
        for function in ServerFunction.allCases {
            page.counter(
                "cluster_sync_function_rewrites_total",
                help: "Calls of functions in writes that were evaluated, so that both clusters get the same value.",
                labels: [.init("function", function.name)],
                counters.evaluatedCalls[function]
            )
        }
        for (reason, count) in [("table", counters.filtering.byTable), ("tenant", counters.filtering.byTenant)] {
            page.counter(
                "cluster_sync_filtered_writes_total",
                help: "Writes that the shadow does not get because a filter says so.",
                labels: [.init("by", reason)],
                count
            )
        }
        page.counter(
            "cluster_sync_untold_tenant_writes_total",
            help: "Writes that the shadow gets because they do not say whose rows they write.",
            counters.filtering.untold
        )
        self.collect(counters.comparison, into: &page)
        self.collectClocks(status, into: &page)
    }

    private static func collectCanaries(_ status: DualWriterStatus, into page: inout MetricsPage) {
        var values: [CanaryState: Int] = [:]
        for override in status.overrides.canaries {
            values[status.modes.canaryState(of: override.tables), default: 0] += override.tenants?.values.count ?? 0
        }
        for state in CanaryState.allCases {
            page.gauge(
                "cluster_sync_canary_tenants",
                help:
                    "Tenants, each once for each override, whose reads go ahead of their tables, may do so later, or did.",
                labels: [.init("state", state.rawValue)],
                Double(values[state] ?? 0)
            )
        }
        let canaries = status.counters.canaries
        for (result, count) in [("answered", canaries.answered), ("failed", canaries.failed)] {
            page.counter(
                "cluster_sync_canary_reads_total",
                help: "Reads of tenants that go ahead of their tables, by what came of them on the target.",
                labels: [.init("result", result)],
                count
            )
        }
    }

    private static func collect(_ comparison: ComparisonCounters, into page: inout MetricsPage) {
        // It only grows, but a counter of this name would have to end in _total, and dashboards know it without.
        page.untyped(
            "proxy_consistency_mismatches",
            help: "Reads that had other rows on the shadow, also when both clusters were read again.",
            labels: [.init("operation", "read")],
            comparison.mismatches
        )
        for skip in ComparisonCounters.Skip.allCases {
            page.counter(
                "cluster_sync_comparison_skipped_total",
                help: "Reads that were chosen and not compared, by reason.",
                labels: [.init("reason", skip.rawValue)],
                comparison.skipped[skip] ?? 0
            )
        }
        for (name, table) in comparison.tables.sorted(by: { $0.key < $1.key }) {
            let label = MetricLabel("table", name)
            page.counter(
                "cluster_sync_divergence_reads_compared_total",
                help: "Reads of which it is known whether the clusters answer them with the same rows.",
                labels: [label],
                table.reads.filter(\.key.isVerdict).values.reduce(0, +)
            )
            for (result, count) in table.reads.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                page.counter(
                    "cluster_sync_comparison_reads_total",
                    help: "Comparisons by what they came to.",
                    labels: [label, .init("result", result.rawValue)],
                    count
                )
            }
            for (difference, count) in table.mismatches.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                page.counter(
                    "cluster_sync_divergence_mismatches_total",
                    help: "Confirmed mismatches by what differs; one mismatch may be in several classes.",
                    labels: [label, .init("class", difference.rawValue)],
                    count
                )
            }
        }
    }

    private static func collect(_ cluster: Cluster, _ status: DualWriterStatus, into page: inout MetricsPage) {
        let counters = status.counters[cluster]
        let name = cluster.description
        for (outcome, count, latency) in [
            ("success", counters.writesSucceeded, counters.writeLatency),
            ("error", counters.writesFailed, counters.writeFailureLatency),
        ] {
            let labels = [MetricLabel("database", name), MetricLabel("status", outcome)]
            page.counter("proxy_writes_total", help: "Writes by cluster and outcome.", labels: labels, count)
            page.histogram(
                "proxy_write_latency_seconds",
                help: "From sending a write to its answer.",
                labels: labels,
                HistogramSnapshot(latency)
            )
        }
        let labels = [MetricLabel("cluster", name)]
        for (outcome, count) in [("success", counters.readsSucceeded), ("error", counters.readsFailed)] {
            page.counter(
                "cluster_sync_reads_total",
                help: "Reads by cluster and outcome.",
                labels: labels + [MetricLabel("status", outcome)],
                count
            )
        }
        for (reach, count) in [
            ("replica", counters.sentToReplica), ("elsewhere", counters.sentElsewhere), ("any", counters.sentAnywhere),
        ] {
            page.counter(
                "cluster_sync_routed_total",
                help:
                    "Requests sent to a node that has their data, to another one, or where nothing tells which has it.",
                labels: labels + [MetricLabel("to", reach)],
                count
            )
        }
        page.histogram(
            "cluster_sync_read_latency_seconds",
            help: "From sending a read to its answer.",
            labels: labels,
            HistogramSnapshot(counters.readLatency)
        )
        for (metric, help, value) in [
            ("retried_total", "Requests that were sent again to another node.", counters.retriedOnOtherNode),
            ("reprepared_total", "Statements that a node had forgotten.", counters.reprepared),
            ("late_answers_total", "Answers after the deadline.", counters.lateAnswers),
            ("timeouts_total", "Requests that ran into the sidecar's deadline.", counters.timeouts),
            ("shadow_queued_total", "Shadow writes that were taken.", counters.shadowQueued),
            ("shadow_delivered_total", "Shadow writes that the cluster confirmed.", counters.shadowDelivered),
            ("shadow_retried_total", "Attempts of shadow writes that were repeated.", counters.shadowRetried),
            (
                "shadow_overflowed_total", "Shadow writes lost to a full journal, or without one to a full queue.",
                counters.shadowOverflowed
            ),
            ("shadow_dead_total", "Shadow writes that were given up.", counters.shadowDead),
        ] {
            page.counter("cluster_sync_" + metric, help: help, labels: labels, value)
        }
        let leg = status.leg(cluster)
        for (metric, help, value) in [
            ("connected", "1 while the cluster can be reached.", leg?.isConnected == true ? 1 : 0),
            ("nodes_known", "Nodes that the cluster reports.", Double(leg?.nodesKnown ?? 0)),
            ("nodes_connected", "Nodes with a connection.", Double(leg?.nodesConnected ?? 0)),
            ("upstream_connections", "Open connections to the cluster.", Double(leg?.connections ?? 0)),
            ("shadow_queue_writes", "Writes that wait for the cluster.", Double(leg?.shadowWritesQueued ?? 0)),
            (
                "shadow_queue_bytes", "The bytes of the writes that wait for the cluster.",
                Double(leg?.shadowBytesQueued ?? 0)
            ),
            (
                "shadow_oldest_age_seconds", "The age of the oldest write that waits for the cluster.",
                Double(leg?.shadowOldestMilliseconds ?? 0) / 1_000
            ),
        ] {
            page.gauge("cluster_sync_" + metric, help: help, labels: labels, value)
        }
    }
}

extension HistogramSnapshot {
    init(_ histogram: DualWriterCounters.Histogram) {
        self.init(
            bounds: DualWriterCounters.latencyBoundsMicroseconds.map { Double($0) / 1e6 },
            counts: histogram.buckets,
            sum: Double(histogram.sumMicroseconds) / 1e6
        )
    }
}
