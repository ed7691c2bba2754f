/// What the admin port asks of the service about tables with a mode of their own. The service implements it.
public protocol OverrideControl: Sendable {
    /// The overrides in force.
    func overrides() async -> OverridesDocument

    /// Replaces them; when it returns, every request that arrives is handled by the new ones.
    func change(_ change: OverridesChange) async throws(AdminError) -> OverridesDocument
}
