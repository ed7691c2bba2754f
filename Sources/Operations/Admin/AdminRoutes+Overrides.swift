import Hummingbird

/// Tables with a mode of their own.
extension AdminRoutes {
    func addOverrides(to router: Router<AdminContext>) {
        self.add(
            "/v1/overrides",
            [
                .get: { _, _ in .document(await self.control.overrides()) },
                .put: { request, context in
                    try self.access.checkMayChange(request, context)
                    let object = try await self.object(of: request, bytesMax: OverridesChange.bodyBytesMax)
                    let change = try OverridesChange(object, by: context.peer)
                    return .document(try await self.control.change(change))
                },
            ],
            to: router
        )
    }
}
