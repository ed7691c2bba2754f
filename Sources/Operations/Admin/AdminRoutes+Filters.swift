import Hummingbird

/// What the shadow gets copies of.
extension AdminRoutes {
    func addFilters(to router: Router<AdminContext>) {
        self.add(
            "/v1/filters",
            [
                .get: { _, _ in .document(await self.control.filters()) },
                .put: { request, context in
                    try self.access.checkMayChange(request, context)
                    let change = try FiltersChange(try await self.object(of: request), by: context.peer)
                    return .document(try await self.control.change(change))
                },
            ],
            to: router
        )
    }
}
