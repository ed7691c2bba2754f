import CQLProtocol
import DualWriteCore

/// The ERROR frames that the proxy makes by itself; every text says that it comes from here.
enum ProxyError {
    static func `protocol`(_ text: String) -> ErrorMessage { ErrorMessage(.protocolError, text) }

    static func invalid(_ text: String) -> ErrorMessage { ErrorMessage(.invalid, text) }

    static func server(_ text: String) -> ErrorMessage { ErrorMessage(.serverError, "cluster-sync: \(text)") }

    static func overloaded(_ text: String) -> ErrorMessage { ErrorMessage(.overloaded, "cluster-sync: \(text)") }

    /// Nothing was sent: a driver may try again anywhere.
    static func unavailable(_ cluster: Cluster, _ reason: String, _ consistency: Consistency) -> ErrorMessage {
        ErrorMessage(
            .unavailable,
            "cluster-sync: no node of the \(cluster) cluster can be reached: \(reason)",
            details: .unavailable(consistency: consistency, required: 1, alive: 0)
        )
    }

    /// Silence of the cluster, or a connection that was lost after sending.
    ///
    /// - Parameter refusal: what another attempt was told, where there was one.
    static func timeout(
        _ request: ProxiedRequest,
        _ cluster: Cluster,
        _ reason: String,
        then refusal: String? = nil
    ) -> ErrorMessage {
        let attempts = refusal.map { "; it was tried again, and then: \($0)" } ?? ""
        return self.timeout(request, "cluster-sync: \(reason) by the \(cluster) cluster\(attempts)")
    }

    /// A write that the other cluster has, or may have, and that this one refused in words that say that nothing was done: a
    /// driver would send it again.
    static func halfDone(_ request: ProxiedRequest, refusedBy cluster: Cluster, _ refusal: ErrorMessage)
        -> ErrorMessage?
    {
        guard request.isWrite, [.unavailable, .overloaded, .isBootstrapping].contains(refusal.code) else { return nil }
        let text =
            "the \(cluster.other) cluster may have the write, the \(cluster) cluster has refused it: \(refusal.message)"
        return self.timeout(request, "cluster-sync: \(text)")
    }

    private static func timeout(_ request: ProxiedRequest, _ text: String) -> ErrorMessage {
        guard request.isWrite else {
            return ErrorMessage(
                .readTimeout,
                text,
                details: .readTimeout(consistency: request.consistency, received: 0, blockFor: 1, dataPresent: false)
            )
        }
        let type: WriteType =
            switch request.kind {
            case .conditional: .cas
            case .counterWrite: .counter
            default: request.opcode == .batch ? request.batchWriteType : .simple
            }
        return ErrorMessage(
            .writeTimeout,
            text,
            details: .writeTimeout(consistency: request.consistency, received: 0, blockFor: 1, writeType: type)
        )
    }
}

/// What a client is told is what stops the work for it.
extension ErrorMessage: Error {}
