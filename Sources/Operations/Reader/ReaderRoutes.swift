import HTTPTypes
import Hummingbird
import NIOCore

/// The paths of the reader's admin port: those of older tools, and the same below `/v1`.
struct ReaderRoutes: AdminPaths {
    /// The longest name of a keyspace or table, and the longest id, in bytes.
    static var nameBytesMax: Int { 256 }
    /// What an answer lists where nothing is asked for.
    static var listedByDefault: Int { 100 }

    private static var jobPaths: [String] {
        [
            "/status", "/validate", "/validate/{table}", "/validate/{table}/domain/{id}", "/stop", "/discrepancies",
            "/discrepancies/{table}", "/discrepancies/clear", "/reconcile/{id}", "/filter/stats",
        ]
    }

    var paths: [String] {
        ["/", "/health", "/health/liveness", "/health/readiness", "/metrics"] + Self.jobPaths
            + ["the same from /status on below /v1"] + (self.log == nil ? [] : ["/v1/logs"])
    }

    let control: any ReaderControl
    let metrics: MetricsRegistry
    let access: AdminAccess
    /// What is logged; nil where nobody may ask.
    let log: (any LogControl)?

    func add(to router: Router<AdminContext>) {
        self.addHealth(
            { .document(ReaderHealthDocument(await self.control.status())) },
            readiness: { await self.control.readiness() },
            metrics: self.metrics,
            to: router
        )
        self.add(
            "/",
            [
                .get: { _, _ in
                    let status = await self.control.status()
                    let found = await self.control.discrepancies(of: nil, max: ReaderPage.listedMax)
                    return ReaderPage.response(ReaderPage.html(status, found), type: "text/html; charset=utf-8")
                }
            ],
            to: router
        )
        self.add(
            ReaderPage.stylePath,
            [.get: { _, _ in ReaderPage.response(ReaderPage.style, type: "text/css; charset=utf-8") }],
            to: router
        )
        if let log { self.addLogs(log, self.access, to: router) }
        for prefix in ["", "/v1"] {
            self.addComparisons(below: prefix, to: router)
            self.addDiscrepancies(below: prefix, to: router)
        }
    }

    private func addComparisons(below prefix: String, to router: Router<AdminContext>) {
        self.add(
            prefix + "/status",
            [.get: { _, _ in .document(ReaderStatusDocument(await self.control.status())) }],
            to: router
        )
        self.add(
            prefix + "/filter/stats",
            [.get: { _, _ in .document(await self.control.filter()) }],
            to: router
        )
        self.add(
            prefix + "/stop",
            [
                .post: { request, context in
                    var reader = DocumentReader(try await self.change(request, context), keys: ["reason"])
                    let reason = reader.reason(isNeeded: false)
                    try reader.finish()
                    return .document(try await self.control.stop(by: context.peer, reason: reason))
                }
            ],
            to: router
        )
        self.addStart(prefix + "/validate", to: router) { _ in .everything }
        self.addStart(prefix + "/validate/{table}", to: router) { context throws(AdminError) in
            let (keyspace, table) = try Self.table(context)
            return .table(keyspace: keyspace, table: table)
        }
        self.addStart(prefix + "/validate/{table}/domain/{id}", to: router) { context throws(AdminError) in
            let (keyspace, table) = try Self.table(context)
            return .tenant(keyspace: keyspace, table: table, value: try Self.name("id", context))
        }
    }

    private func addStart(
        _ path: String,
        to router: Router<AdminContext>,
        _ subject: @Sendable @escaping (AdminContext) throws(AdminError) -> ReaderStart.Subject
    ) {
        self.add(
            path,
            [
                .post: { request, context in
                    let object = try await self.change(request, context)
                    let start = try ReaderStart(try subject(context), object, by: context.peer)
                    return .document(try await self.control.start(start), status: .accepted)
                }
            ],
            to: router
        )
    }

    private func addDiscrepancies(below prefix: String, to router: Router<AdminContext>) {
        self.add(
            prefix + "/discrepancies",
            [
                .get: { request, _ in
                    .document(await self.control.discrepancies(of: nil, max: try Self.limit(request)))
                }
            ],
            to: router
        )
        self.add(
            prefix + "/discrepancies/clear",
            [
                .post: { request, context in
                    let object = try await self.change(request, context)
                    return .document(
                        try await self.control.clear(try DiscrepancyClearing(object, by: context.peer))
                    )
                }
            ],
            to: router
        )
        self.add(
            prefix + "/discrepancies/{table}",
            [
                .get: { request, context in
                    let (keyspace, table) = try Self.table(context)
                    let limit = try Self.limit(request)
                    return .document(await self.control.discrepancies(of: "\(keyspace).\(table)", max: limit))
                }
            ],
            to: router
        )
        self.add(
            prefix + "/reconcile/{id}",
            [
                .post: { request, context in
                    let object = try await self.change(request, context)
                    let id = try Self.name("id", context)
                    return .document(
                        try await self.control.reconcile(
                            try ReaderReconciliation(id: id, object, by: context.peer)
                        )
                    )
                }
            ],
            to: router
        )
    }

    /// The document of a request that changes something, if it may.
    private func change(_ request: Request, _ context: AdminContext) async throws -> [String: JSONValue] {
        try self.access.checkMayChange(request, context)
        return try await self.optionalObject(of: request)
    }

    // MARK: What stands in a path

    private static func name(_ parameter: String, _ context: AdminContext) throws(AdminError) -> String {
        let name = PercentEncoding.decoded(context.parameters.get(parameter) ?? "")
        guard let name, (1...2 * Self.nameBytesMax).contains(name.utf8.count),
            !name.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F })
        else {
            throw AdminError(
                .invalidParameter,
                "\(parameter): must be a name of 1 to \(2 * Self.nameBytesMax) bytes.",
                hint: "Write other characters than letters as %41."
            )
        }
        return name
    }

    /// `keyspace.table`, each as in the schema, without quotes, in its own case.
    private static func table(_ context: AdminContext) throws(AdminError) -> (keyspace: String, table: String) {
        let parts = try Self.name("table", context).split(
            separator: ".",
            maxSplits: 1,
            omittingEmptySubsequences: false
        )
        guard parts.count == 2, parts.allSatisfy({ (1...Self.nameBytesMax).contains($0.utf8.count) }) else {
            throw AdminError(
                .invalidParameter,
                "table: must be keyspace.table.",
                hint: "Write both as they are in the schema, without quotes."
            )
        }
        return (String(parts[0]), String(parts[1]))
    }

    private static func limit(_ request: Request) throws(AdminError) -> Int {
        let values = request.uri.queryParameters
        for (key, _) in values where key != "limit" {
            throw AdminError(.invalidParameter, Nearest.unknown("parameter", String(key), among: ["limit"]))
        }
        guard let text = values["limit"] else { return Self.listedByDefault }
        guard let number = Int(text), (1...DiscrepanciesDocument.listedMax).contains(number) else {
            throw AdminError(
                .invalidParameter,
                "limit: must be a whole number from 1 to \(DiscrepanciesDocument.listedMax)."
            )
        }
        return number
    }
}
