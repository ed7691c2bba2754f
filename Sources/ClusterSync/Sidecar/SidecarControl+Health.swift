import DualWriteCore
import DualWriter
import Operations

extension SidecarControl: HealthSource {
    func readiness() -> Readiness { Self.readiness(self.proxy.status()) }

    func health() -> HealthDocument {
        let status = self.proxy.status()
        let mode = self.phaseState.mode
        func leg(_ cluster: Cluster, _ hosts: [String]) -> HealthDocument.Leg {
            let leg = status.leg(cluster)
            return .init(configured: !hosts.isEmpty, connected: leg?.isConnected ?? false, error: leg?.lastError)
        }
        let modes = self.phaseState.modes
        let isWhole = Cluster.allCases.allSatisfy { !modes.needs($0) || status.leg($0)?.isConnected == true }
        let isReady = Self.readiness(status) == .ready
        return HealthDocument(
            status: !isReady ? "unavailable" : isWhole ? "ok" : "degraded",
            service: self.identity.service,
            version: self.identity.version,
            uptimeSeconds: self.uptimeSeconds,
            currentMode: mode.name,
            validationRate: Self.validationRate(self.validationPercentage, status),
            source: leg(.source, self.hosts.source),
            target: leg(.target, self.hosts.target)
        )
    }

    /// The share of the suitable reads that are compared now, 0 to 1: none in a mode without a shadow, and none while the shadow
    /// is away or behind. Tables with modes of their own do not count.
    static func validationRate(_ percentage: Double, _ status: DualWriterStatus) -> Double {
        guard let shadow = status.mode.shadow, let leg = status.leg(shadow) else { return 0 }
        return leg.isConnected && !leg.isBehind && !leg.isHeldBack ? percentage / 100 : 0
    }

    /// Ready means: the listener stands and every cluster whose loss a client would notice can be reached.
    static func readiness(_ status: DualWriterStatus) -> Readiness {
        if status.isDraining { return .notReady(reason: "the sidecar is stopping") }
        if status.isLapsed {
            return .notReady(reason: "another write mode may be in force; cluster-sync replicas says why")
        }
        for cluster in status.modes.neededByClients where status.leg(cluster)?.isConnected != true {
            let why = status.leg(cluster)?.lastError.map { ": \($0)" } ?? ""
            return .notReady(reason: "the \(cluster) cluster cannot be reached\(why)")
        }
        return status.isReady ? .ready : .notReady(reason: "the listener does not accept connections yet")
    }
}
