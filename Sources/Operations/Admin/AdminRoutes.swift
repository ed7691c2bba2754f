import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore

/// The paths of the admin port.
struct AdminRoutes: Sendable {
    static var paths: [String] {
        [
            "/health", "/health/liveness", "/health/readiness", "/metrics", "/config", "/v1/phase", "/v1/status",
            "/v1/journal", "/v1/dead-letters", "/v1/dirty",
        ]
    }

    let control: any AdminControl
    let health: any HealthSource
    let metrics: MetricsRegistry
    let access: AdminAccess

    typealias Handler = @Sendable (Request, AdminContext) async throws -> Response

    func router() -> Router<AdminContext> {
        let router = Router(context: AdminContext.self)
        router.add(middleware: AdminErrorsMiddleware())
        self.add("/health", [.get: { _, _ in .document(await self.health.health()) }], to: router)
        self.add("/health/liveness", [.get: { _, _ in .document(["alive": true]) }], to: router)
        self.add("/health/readiness", [.get: { _, _ in await self.readiness() }], to: router)
        self.add("/metrics", [.get: { _, _ in await self.page() }], to: router)
        self.add(
            "/config",
            [
                .get: { _, _ in .document(await self.control.configuration()) },
                .post: { request, context in try await self.configure(request, context) },
            ],
            to: router
        )
        self.add(
            "/v1/phase",
            [
                .get: { _, _ in .document(await self.control.phase()) },
                .put: { request, context in try await self.changePhase(request, context) },
            ],
            to: router
        )
        self.add("/v1/status", [.get: { _, _ in .document(await self.control.status()) }], to: router)
        self.addJournal(to: router)
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

    private func readiness() async -> Response {
        let readiness = await self.health.readiness()
        return .document(
            ReadinessDocument(readiness),
            status: readiness == .ready ? .ok : .serviceUnavailable
        )
    }

    private func page() async -> Response {
        let text = await self.metrics.render()
        return Response(
            status: .ok,
            headers: [.contentType: MetricsRegistry.contentType],
            body: .init(byteBuffer: ByteBuffer(string: text))
        )
    }

    private func configure(_ request: Request, _ context: AdminContext) async throws -> Response {
        try self.access.checkMayChange(request, context)
        let object = try await self.object(of: request)
        let change = try ConfigurationChange(object, by: context.peer)
        return .document(try await self.control.apply(change))
    }

    private func changePhase(_ request: Request, _ context: AdminContext) async throws -> Response {
        try self.access.checkMayChange(request, context)
        let object = try await self.object(of: request)
        let change = try PhaseChange(object, by: context.peer)
        return .document(try await self.control.change(change))
    }

    private func body(of request: Request) async throws -> ByteBuffer {
        do {
            return try await request.body.collect(upTo: AdminServer.bodyBytesMax)
        } catch let error as NIOTooManyBytesError {
            throw error
        } catch let error as HTTPError {
            throw error
        } catch {
            throw AdminError(
                .invalidDocument,
                "The body cannot be read: it ends early, or is not framed as its headers say.",
                hint: "Nothing was changed."
            )
        }
    }

    func object(of request: Request) async throws -> [String: JSONValue] {
        let body = try await self.body(of: request)
        let value: JSONValue
        do {
            value = try JSONDecoder().decode(JSONValue.self, from: Data(body.readableBytesView))
        } catch {
            throw AdminError(.invalidDocument, "The body is not valid JSON.", hint: "Nothing was changed.")
        }
        guard case .object(let object) = value else {
            throw AdminError(.invalidDocument, "The body must be a JSON object.", hint: "Nothing was changed.")
        }
        return object
    }
}

extension PhaseChange {
    static var keys: [String] { ["mode", "phase", "reason", "force"] }
    static var reasonBytesMax: Int { 1_024 }

    /// Reads the document of `PUT /v1/phase`.
    init(_ object: [String: JSONValue], by: String) throws(AdminError) {
        var faults = object.keys.sorted().filter { !Self.keys.contains($0) }
            .map { Nearest.unknown("key", $0, among: Self.keys) }
        var mode: String?
        for key in ["mode", "phase"] {
            switch object[key] {
            case nil: continue
            case .string(let text):
                if mode == nil { mode = text } else { faults.append("give mode or phase, not both") }
            case .integer(let number):
                if mode == nil { mode = String(number) } else { faults.append("give mode or phase, not both") }
            default: faults.append("\(key): must be the name of a write mode or its number")
            }
        }
        if mode == nil, object["mode"] == nil, object["phase"] == nil { faults.append("the key 'mode' is missing") }
        var reason: String?
        switch object["reason"] {
        case nil, .null: break
        case .string(let text) where text.utf8.count <= Self.reasonBytesMax: reason = text.isEmpty ? nil : text
        default: faults.append("reason: must be a text of at most \(Self.reasonBytesMax) bytes")
        }
        var force = false
        switch object["force"] {
        case nil, .null: break
        case .bool(let value): force = value
        default: faults.append("force: must be true or false")
        }
        guard faults.isEmpty, let mode else {
            throw AdminError(.invalidDocument, faults.joined(separator: "; "), hint: "Nothing was changed.")
        }
        self.init(mode: mode, reason: reason, force: force, by: by)
    }
}
