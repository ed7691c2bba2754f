import HTTPTypes
import Hummingbird

/// The paths of the dual writer's admin port.
struct AdminRoutes: AdminPaths {
    var paths: [String] {
        [
            "/", "/health", "/health/liveness", "/health/readiness", "/metrics", "/config", "/v1/phase", "/v1/status",
            "/v1/tables", "/v1/drain",
            "/v1/phase/verdict", "/v1/rollback", "/v1/reports", "/v1/reports/load", "/v1/reports/comparison",
            "/v1/audit", "/v1/journal", "/v1/journal/owed", "/v1/journal/verify", "/v1/dead-letters", "/v1/dirty",
            "/v1/filters", "/v1/overrides", "/v1/logs", "/v1/replicas", "/v1/events",
        ]
    }

    let control: any AdminControl
    let health: any HealthSource
    let metrics: MetricsRegistry
    let access: AdminAccess
    /// What the live page listens to; nil where nothing tells.
    let events: EventFeed?

    func add(to router: Router<AdminContext>) {
        self.addHealth(
            { .document(await self.health.health()) },
            readiness: { await self.health.readiness() },
            metrics: self.metrics,
            to: router
        )
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
        self.addTables(to: router)
        self.addDrain(to: router)
        self.addGates(to: router)
        self.addJournal(to: router)
        self.addVerification(to: router)
        self.addFilters(to: router)
        self.addOverrides(to: router)
        self.addLogs(self.control, self.access, to: router)
        self.addReplicas(to: router)
        self.addLive(to: router)
        self.addOwed(to: router)
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
