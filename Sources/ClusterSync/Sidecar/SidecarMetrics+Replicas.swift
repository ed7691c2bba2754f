import DualWriteCore
import Operations
import SharedState

extension SidecarMetrics {
    static func collect(_ status: SharedStatus, into page: inout MetricsPage) {
        page.gauge(
            "cluster_sync_control_epoch",
            help:
                "The epoch of the write mode that all replicas have decided on; cluster_sync_phase_epoch is this one's.",
            Double(status.record?.epoch ?? 0)
        )
        for (state, count) in [("live", status.replicas.live.count), ("silent", status.replicas.silent.count)] {
            page.gauge(
                "cluster_sync_replicas",
                help: "Replicas that have the same write mode; silent ones were not heard of for replica.life_ms.",
                labels: [.init("state", state)],
                Double(count)
            )
        }
        page.gauge(
            "cluster_sync_replicas_behind",
            help: "Replicas that live and do not act in the write mode yet that is decided.",
            Double(status.behind.count)
        )
        page.gauge(
            "cluster_sync_replica_lapsed",
            help: "1 while this replica refuses requests, because another write mode may be in force.",
            status.lapse == nil ? 0 : 1
        )
        for cluster in status.clusters {
            page.gauge(
                "cluster_sync_control_readable",
                help: "1 while this replica can read a cluster's control state, 0 while it cannot.",
                labels: [.init("cluster", cluster.description)],
                status.faults[cluster] == nil ? 1 : 0
            )
        }
        for cluster in Cluster.allCases {
            page.counter(
                "cluster_sync_control_failures_total",
                help: "Calls to a cluster's control state that failed.",
                labels: [.init("cluster", cluster.description)],
                UInt64(clamping: status.failures[cluster])
            )
        }
    }
}
