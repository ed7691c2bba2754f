/// What the admin port asks of the service about what the shadow gets. The service implements it.
public protocol FilterControl: Sendable {
    /// What the shadow gets copies of.
    func filters() async -> FiltersDocument

    /// Replaces it, until the next start.
    func change(_ change: FiltersChange) async throws(AdminError) -> FiltersDocument
}
