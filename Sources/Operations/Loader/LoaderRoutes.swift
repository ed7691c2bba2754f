import HTTPTypes
import Hummingbird

/// The paths of the loader's admin port: those of older tools, and the same below `/v1`.
struct LoaderRoutes: AdminPaths {
    /// The longest name of a keyspace or table, in bytes.
    static var nameBytesMax: Int { 256 }

    private static var jobPaths: [String] {
        [
            "/status", "/start", "/stop", "/pause", "/resume", "/migrate/{keyspace}/{table}", "/discover/{keyspace}",
            "/indexes/status", "/indexes/verify", "/indexes/drop", "/indexes/drop/{keyspace}", "/indexes/rebuild",
            "/indexes/rebuild/{keyspace}",
        ]
    }

    var paths: [String] {
        ["/health", "/health/liveness", "/health/readiness", "/metrics"] + Self.jobPaths
            + ["the same from /status on below /v1"] + (self.log == nil ? [] : ["/v1/logs"])
    }

    let control: any LoaderControl
    let metrics: MetricsRegistry
    let access: AdminAccess
    /// What is logged; nil where nobody may ask.
    let log: (any LogControl)?

    func add(to router: Router<AdminContext>) {
        self.addHealth(
            { .document(await self.control.health()) },
            readiness: { await self.control.readiness() },
            metrics: self.metrics,
            to: router
        )
        if let log { self.addLogs(log, self.access, to: router) }
        for prefix in ["", "/v1"] {
            self.addJob(below: prefix, to: router)
            self.addIndexes(below: prefix, to: router)
        }
    }

    private func addJob(below prefix: String, to router: Router<AdminContext>) {
        self.add(
            prefix + "/status",
            [.get: { _, _ in .document(LoaderStatusDocument(await self.control.status())) }],
            to: router
        )
        self.add(
            prefix + "/start",
            [
                .post: { request, context in
                    let object = try await self.change(request, context)
                    return .document(try await self.control.start(try LoaderStart(object, by: context.peer)))
                }
            ],
            to: router
        )
        self.add(
            prefix + "/migrate/{keyspace}/{table}",
            [
                .post: { request, context in
                    let object = try await self.change(request, context)
                    let table = (try Self.name("keyspace", context), try Self.name("table", context))
                    let start = try LoaderStart(object, table: table, by: context.peer)
                    return .document(try await self.control.start(start))
                }
            ],
            to: router
        )
        for verb in LoaderAction.Verb.allCases {
            self.add(
                "\(prefix)/\(verb.rawValue)",
                [
                    .post: { request, context in
                        let object = try await self.change(request, context)
                        let action = try LoaderAction(verb, object, by: context.peer)
                        return .document(try await self.control.perform(action))
                    }
                ],
                to: router
            )
        }
        self.add(
            prefix + "/discover/{keyspace}",
            [
                .get: { _, context in
                    .document(try await self.control.discover(keyspace: try Self.name("keyspace", context)))
                }
            ],
            to: router
        )
    }

    private func addIndexes(below prefix: String, to router: Router<AdminContext>) {
        self.add(
            prefix + "/indexes/status",
            [.get: { _, _ in .document(try await self.control.indexes()) }],
            to: router
        )
        self.add(
            prefix + "/indexes/verify",
            [.get: { _, _ in .document(try await self.control.verifyIndexes()) }],
            to: router
        )
        for verb in IndexesChange.Verb.allCases {
            for hasKeyspace in [false, true] {
                self.add(
                    "\(prefix)/indexes/\(verb.rawValue)" + (hasKeyspace ? "/{keyspace}" : ""),
                    [
                        .post: { request, context in
                            let object = try await self.change(request, context)
                            let keyspace = hasKeyspace ? try Self.name("keyspace", context) : nil
                            let change = try IndexesChange(verb, keyspace: keyspace, object, by: context.peer)
                            return .document(try await self.control.change(change))
                        }
                    ],
                    to: router
                )
            }
        }
    }

    /// The document of a request that changes something, if it may.
    private func change(_ request: Request, _ context: AdminContext) async throws -> [String: JSONValue] {
        try self.access.checkMayChange(request, context)
        return try await self.optionalObject(of: request)
    }

    /// A name in the path, as it is in the schema: without quotes, in its own case.
    private static func name(_ parameter: String, _ context: AdminContext) throws(AdminError) -> String {
        let name = PercentEncoding.decoded(context.parameters.get(parameter) ?? "")
        guard let name, (1...Self.nameBytesMax).contains(name.utf8.count),
            !name.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F })
        else {
            throw AdminError(
                .invalidParameter,
                "\(parameter): must be a name of 1 to \(Self.nameBytesMax) bytes.",
                hint: "Write it as it is in the schema, without quotes; other characters than letters as %41."
            )
        }
        return name
    }
}
