import HTTPTypes
import Hummingbird
import NIOCore

/// The paths of one service on its admin port: what an ``AdminServer`` serves.
protocol AdminPaths: Sendable {
    /// The paths, for people who have asked for another one.
    var paths: [String] { get }

    /// Adds the handlers of all of them.
    func add(to router: Router<AdminContext>)
}

extension AdminPaths {
    typealias Handler = @Sendable (Request, AdminContext) async throws -> Response

    func router() -> Router<AdminContext> {
        let router = Router(context: AdminContext.self)
        router.add(middleware: AdminErrorsMiddleware(paths: self.paths))
        self.add(to: router)
        return router
    }

    /// Adds the handlers of one path; HEAD works where GET does, and every other method is answered 405.
    func add(_ path: String, _ given: [HTTPRequest.Method: Handler], to router: Router<AdminContext>) {
        var handlers = given
        if let get = given[.get] {
            handlers[.head] = { request, context in
                let response = try await get(request, context)
                return response.createHeadResponse()
            }
        }
        let allowed = handlers.keys.map(\.rawValue).sorted().joined(separator: ", ")
        let refusal: Handler = { request, _ in
            var error = AdminError(
                .methodNotAllowed,
                "\(path) does not know \(request.method.rawValue).",
                hint: "Allowed: \(allowed)."
            )
            error.headers[.allow] = allowed
            throw error
        }
        for method in [HTTPRequest.Method.get, .head, .post, .put, .delete, .patch, .options] {
            let handler = handlers[method] ?? refusal
            router.on(RouterPath(path), method: method) { request, context in try await handler(request, context) }
        }
    }

    /// Adds what every service has: `/health`, `/health/liveness`, `/health/readiness` and `/metrics`.
    func addHealth(
        _ health: @escaping @Sendable () async -> Response,
        readiness: @escaping @Sendable () async -> Readiness,
        metrics: MetricsRegistry,
        to router: Router<AdminContext>
    ) {
        self.add("/health", [.get: { _, _ in await health() }], to: router)
        self.add("/health/liveness", [.get: { _, _ in .document(["alive": true]) }], to: router)
        self.add(
            "/health/readiness",
            [
                .get: { _, _ in
                    let readiness = await readiness()
                    return .document(
                        ReadinessDocument(readiness),
                        status: readiness == .ready ? .ok : .serviceUnavailable
                    )
                }
            ],
            to: router
        )
        self.add(
            "/metrics",
            [
                .get: { _, _ in
                    Response(
                        status: .ok,
                        headers: [.contentType: MetricsRegistry.contentType],
                        body: .init(byteBuffer: ByteBuffer(string: await metrics.render()))
                    )
                }
            ],
            to: router
        )
    }
}
