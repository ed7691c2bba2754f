import HTTPTypes
import Hummingbird

/// Whether a step is safe, the way back, what other services report, and what was done.
extension AdminRoutes {
    func addGates(to router: Router<AdminContext>) {
        self.add(
            "/v1/phase/verdict",
            [
                .get: { request, _ in
                    let parameters = try QueryParameters(request, allowed: ["to"])
                    return .document(try await self.control.verdict(to: parameters.text("to")))
                }
            ],
            to: router
        )
        self.add(
            "/v1/rollback",
            [
                .post: { request, context in
                    try self.access.checkMayChange(request, context)
                    let rollback = try Rollback(try await self.object(of: request), by: context.peer)
                    return .document(try await self.control.rollBack(rollback))
                }
            ],
            to: router
        )
        self.add(
            "/v1/audit",
            [
                .get: { request, _ in
                    let parameters = try QueryParameters(request, allowed: ["limit"])
                    let limit = try parameters.limit(max: AuditDocument.recordsMax)
                    return .document(await self.control.audit(max: limit))
                }
            ],
            to: router
        )
        self.addReports(to: router)
    }

    private func addReports(to router: Router<AdminContext>) {
        self.add(
            "/v1/reports",
            [
                .get: { request, _ in
                    _ = try QueryParameters(request, allowed: [])
                    return .document(await self.control.reports())
                }
            ],
            to: router
        )
        self.add(
            "/v1/reports/load",
            [
                .put: { request, context in
                    try self.access.checkMayChange(request, context)
                    let object = try await self.object(of: request, bytesMax: ReportsDocument.bodyBytesMax)
                    return .document(try await self.control.keep(try LoadReport(object)))
                },
                .delete: { request, context in
                    try self.access.checkMayChange(request, context)
                    guard let job = try QueryParameters(request, allowed: ["job"]).text("job") else {
                        throw AdminError(.invalidParameter, "job is missing.", hint: "GET /v1/reports lists them.")
                    }
                    return .document(try await self.control.forgetLoad(job, by: context.peer))
                },
            ],
            to: router
        )
        self.add(
            "/v1/reports/comparison",
            [
                .put: { request, context in
                    try self.access.checkMayChange(request, context)
                    let object = try await self.object(of: request, bytesMax: ReportsDocument.bodyBytesMax)
                    return .document(try await self.control.keep(try ComparisonReport(object)))
                }
            ],
            to: router
        )
    }
}
