import DualWriteCore
import Operations

extension SidecarMetrics {
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
