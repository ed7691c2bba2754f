import Hummingbird

/// What is logged, and how much of it.
extension AdminPaths {
    func addLogs(_ control: any LogControl, _ access: AdminAccess, to router: Router<AdminContext>) {
        self.add(
            "/v1/logs",
            [
                .get: { _, _ in .document(await control.logs()) },
                .put: { request, context in
                    try access.checkMayChange(request, context)
                    let change = try LogsChange(try await self.object(of: request), by: context.peer)
                    return .document(try await control.change(change))
                },
            ],
            to: router
        )
    }
}
