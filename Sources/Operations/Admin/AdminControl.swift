/// What the admin port asks of the service that it belongs to. The service implements it; this module knows no cluster.
public protocol AdminControl: JournalControl, FilterControl, GateControl, LogControl, OverrideControl, ReplicaControl {
    /// Everything at one moment.
    func status() async -> StatusDocument

    /// The write mode with its history.
    func phase() async -> PhaseDocument

    /// Changes the write mode; when it returns, every request that arrives is handled in the new mode.
    func change(_ change: PhaseChange) async throws(AdminError) -> PhaseDocument

    /// The six fields as they are now.
    func configuration() async -> ConfigurationDocument

    /// Applies all of `change`, or nothing of it.
    func apply(_ change: ConfigurationChange) async throws(AdminError) -> ConfigurationDocument

    /// All that is known by table.
    func tables() async -> TablesDocument

    /// Ends the service in order, as a SIGTERM does; it returns when that has begun.
    func drain(_ drain: Drain) async throws(AdminError) -> DrainDocument
}

/// Where the health answers come from.
public protocol HealthSource: Sendable {
    /// The health document.
    func health() async -> HealthDocument

    /// Whether clients should be sent here. It must not depend on a cluster that the mode can do without.
    func readiness() async -> Readiness
}
