import CQLClient
import DualWriteCore
import DualWriter
import Operations

extension SidecarMetrics {
    /// How far the clusters' clocks are from this machine's.
    static func collectClocks(_ status: DualWriterStatus, into page: inout MetricsPage) {
        for leg in status.legs {
            guard let clock = leg.clock else { continue }
            page.gauge(
                "cluster_sync_clock_ahead_seconds",
                help: "How far the clock of a node of it is ahead of this machine's; below 0 it is behind.",
                labels: [.init("cluster", leg.cluster.description)],
                Double(clock.ahead) / 1_000
            )
        }
    }

    /// Whether the next step forward is safe; nothing in the last mode.
    static func collect(_ verdict: GateVerdict?, into page: inout MetricsPage) {
        for gate in verdict?.gates ?? [] {
            page.gauge(
                "cluster_sync_gate_holds",
                help:
                    "1 while a gate of the next step forward holds, 0 while it does not; gates that are off are left out.",
                labels: [.init("gate", gate.name.rawValue)],
                gate.holds ? 1 : 0
            )
        }
    }
}
