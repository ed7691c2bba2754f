import Hummingbird

/// What is logged, and how much of it.
extension AdminRoutes {
    func addLogs(to router: Router<AdminContext>) {
        self.add(
            "/v1/logs",
            [
                .get: { _, _ in .document(await self.control.logs()) },
                .put: { request, context in
                    try self.access.checkMayChange(request, context)
                    let change = try LogsChange(try await self.object(of: request), by: context.peer)
                    return .document(try await self.control.change(change))
                },
            ],
            to: router
        )
    }
}
