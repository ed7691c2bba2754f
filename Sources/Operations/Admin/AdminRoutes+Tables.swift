import HTTPTypes
import Hummingbird

/// What is known by table, and the end of the sidecar.
extension AdminRoutes {
    func addTables(to router: Router<AdminContext>) {
        self.add(
            "/v1/tables",
            [
                .get: { request, _ in
                    _ = try QueryParameters(request, allowed: [])
                    return .document(await self.control.tables())
                }
            ],
            to: router
        )
    }

    func addDrain(to router: Router<AdminContext>) {
        self.add(
            "/v1/drain",
            [
                .post: { request, context in
                    try self.access.checkMayChange(request, context)
                    let drain = try Drain(try await self.optionalObject(of: request), by: context.peer)
                    return .document(try await self.control.drain(drain), status: .accepted)
                }
            ],
            to: router
        )
    }
}
