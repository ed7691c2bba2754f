import HTTPTypes
import HummingbirdTesting
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import Operations

/// The paths of a reader's admin port.
struct ReaderRoutesTests: AdminPortTests {
    static let prefixes = ["", "/v1"]
    /// Every path that is read, and every one that changes something.
    static let reads = ["/status", "/discrepancies", "/discrepancies/shop.orders", "/filter/stats"]
    static let changes = [
        "/validate", "/validate/shop.orders", "/validate/shop.orders/domain/acme", "/stop", "/discrepancies/clear",
        "/reconcile/00ff",
    ]

    private func withReader(
        _ setup: Setup = .router,
        token: String? = Self.token,
        _ body: @Sendable @escaping (any TestClientProtocol, FakeReader) async throws -> Void
    ) async throws {
        let reader = FakeReader()
        let metrics = MetricsRegistry()
        metrics.register { page in ReaderMetrics.collect(await reader.status(), into: &page) }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let server = AdminServer(
            configuration: .init(host: "127.0.0.1", port: 0, token: { token }),
            reader: reader,
            metrics: metrics,
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: logger
        )
        try await server.application().test(setup.testing) { client in try await body(client, reader) }
    }

    private func get(_ path: String, _ client: any TestClientProtocol) async throws -> TestResponse {
        try await client.execute(uri: path, method: .get) { $0 }
    }

    private func post(_ path: String, _ body: String = "", _ client: any TestClientProtocol) async throws
        -> TestResponse
    {
        try await client.execute(
            uri: path,
            method: .post,
            headers: Self.authorized,
            body: body.isEmpty ? nil : ByteBuffer(string: body)
        ) { $0 }
    }

    @Test(arguments: Setup.allCases, Self.prefixes)
    func `a comparison is of everything, of a table, or of a tenant`(setup: Setup, prefix: String) async throws {
        for (path, subject) in [
            ("/validate", ReaderStart.Subject.everything),
            ("/validate/shop.Order%20s", .table(keyspace: "shop", table: "Order s")),
            ("/validate/shop.orders/domain/a%2Fb", .tenant(keyspace: "shop", table: "orders", value: "a/b")),
        ] {
            try await self.withReader(setup) { client, reader in
                let response = try await self.post(prefix + path, #"{"reason": "why"}"#, client)
                #expect(response.status == .accepted)
                #expect(reader.with { $0.starts.map(\.subject) } == [subject])
                #expect(reader.with { $0.starts.first?.reason } == "why")
                let second = try await self.post(prefix + path, "", client)
                #expect(second.status == .conflict && Self.fault(second)?.code == "already_running")
                let postStatus = try await self.post(prefix + "/stop", "", client).status
                #expect(postStatus == .ok)
                #expect(reader.with { $0.run.state } == .stopping)
            }
        }
    }

    @Test(arguments: ["/validate/orders", "/validate/.orders", "/validate/shop.", "/discrepancies/orders"])
    func `a table without its keyspace is refused`(path: String) async throws {
        try await self.withReader { client, reader in
            let isRead = path.hasPrefix("/discrepancies")
            let response = isRead ? try await self.get(path, client) : try await self.post(path, "", client)
            #expect(response.status == .badRequest && Self.fault(response)?.code == "invalid_parameter")
            #expect(reader.with { $0.starts.isEmpty && $0.lists.isEmpty })
        }
    }

    @Test func `differences are listed up to a limit, and forgotten by table`() async throws {
        try await self.withReader { client, reader in
            for path in ["/discrepancies", "/v1/discrepancies?limit=7", "/discrepancies/shop.orders?limit=1000"] {
                let getStatus = try await self.get(path, client).status
                #expect(getStatus == .ok)
            }
            #expect(reader.with { $0.lists } == ["all 100", "all 7", "shop.orders 1000"])
            for path in ["/discrepancies?limit=0", "/discrepancies?limit=1001", "/discrepancies?max=1"] {
                let getStatus = try await self.get(path, client).status
                #expect(getStatus == .badRequest)
            }
            let postStatus = try await self.post("/discrepancies/clear", "", client).status
            #expect(postStatus == .ok)
            let body = #"{"table": "shop.orders", "reason": "r"}"#
            let ofTable = try await self.post("/v1/discrepancies/clear", body, client).status
            #expect(ofTable == .ok)
            #expect(reader.with { $0.clearings.map(\.table) } == [nil, "shop.orders"])
        }
    }

    @Test func `a difference is reconciled dry first, and written on request`() async throws {
        try await self.withReader { client, reader in
            let dry = try await self.post("/reconcile/00ff", "", client)
            #expect(dry.status == .ok && Self.object(dry)["outcome"] == .string("listed"))
            let body = #"{"apply": true, "policy": "newest_wins", "delete_extras": true, "reason": "r"}"#
            let applied = try await self.post("/v1/reconcile/00ff", body, client)
            #expect(Self.object(applied)["outcome"] == .string("repaired"))
            let asked = reader.with { $0.reconciliations }
            #expect(asked.map(\.applies) == [false, true] && asked.map(\.policy) == [nil, "newest_wins"])
            #expect(asked.map(\.deletesExtras) == [nil, true])
            let unknown = try await self.post("/reconcile/none", "", client)
            #expect(unknown.status == .notFound && Self.fault(unknown)?.code == "unknown_discrepancy")
            for body in [#"{"policy": "manual"}"#, #"{"apply": "yes"}"#, #"{"aply": true}"#] {
                let postStatus = try await self.post("/reconcile/00ff", body, client).status
                #expect(postStatus == .badRequest)
            }
            #expect(reader.with { $0.reconciliations.count } == 2)
        }
    }

    @Test(arguments: Setup.allCases, Self.changes)
    func `changing needs the token`(setup: Setup, path: String) async throws {
        try await self.withReader(setup) { client, reader in
            for prefix in Self.prefixes {
                for headers in [HTTPFields(), [.authorization: "Bearer wrong"]] {
                    let response = try await client.execute(uri: prefix + path, method: .post, headers: headers) { $0 }
                    #expect(response.status == .unauthorized)
                }
                let get = try await client.execute(uri: prefix + path, method: .put, headers: Self.authorized) { $0 }
                #expect(get.status == .methodNotAllowed)
            }
            #expect(
                reader.with {
                    $0.starts.isEmpty && $0.clearings.isEmpty && $0.reconciliations.isEmpty && $0.stops.isEmpty
                }
            )
        }
    }

    @Test(arguments: Self.prefixes, Self.reads)
    func `what is read needs no token`(prefix: String, path: String) async throws {
        try await self.withReader { client, _ in
            let getStatus = try await self.get(prefix + path, client).status
            #expect(getStatus == .ok)
            let postStatus = try await self.post(prefix + path, "", client).status
            #expect(postStatus == .methodNotAllowed)
        }
    }

    @Test func `health says what waits and what failed, and differences do not make it unhealthy`() async throws {
        try await self.withReader(.live) { client, reader in
            for (change, words) in [
                ({ (_: inout ReaderRun) in }, ("healthy", "idle")),
                ({ try? $0.start(.everything) }, ("healthy", "running")),
                ({ $0.meets(obstacle: "connection refused") }, ("degraded", "waiting")),
                ({ $0.meets(obstacle: nil) }, ("healthy", "running")),
                ({ $0.ended(.failed(reason: "no")) }, ("unhealthy", "failed")),
            ] as [((inout ReaderRun) -> Void, (String, String))] {
                reader.with { change(&$0.run) }
                let object = Self.object(try await self.get("/health", client))
                #expect(object["status"] == .string(words.0) && object["state"] == .string(words.1))
                #expect(object["service"] == .string("dual-reader"))
            }
            for path in ["/health/liveness", "/health/readiness", "/metrics"] {
                let getStatus = try await self.get(path, client).status
                #expect(getStatus == .ok)
            }
        }
    }

    @Test func `the page shows what was found, and nothing of it is taken for markup`() async throws {
        try await self.withReader { client, reader in
            reader.with { state in
                state.last = .example
                state.discrepancies = [
                    DiscrepancyDocument(
                        id: "00ff",
                        class: "value",
                        aspect: "value",
                        table: "shop.orders",
                        key: ["'<script>alert(1)</script>'"],
                        clustering: [],
                        column: "note",
                        element: nil,
                        source: .init(value: "'\"&'", writetime: 5, expiresAt: nil),
                        target: nil,
                        foundAt: "2026-01-01T00:00:00.000Z"
                    )
                ]
            }
            let page = try await self.get("/", client)
            let text = String(buffer: page.body)
            #expect(page.status == .ok && page.headers[.contentType] == "text/html; charset=utf-8")
            let name = try #require(HTTPField.Name("Content-Security-Policy"))
            let policy = try #require(page.headers[name])
            #expect(policy.hasPrefix("default-src 'none'; style-src 'self'") && !policy.contains("unsafe"))
            #expect(!text.contains("<script") && text.contains("&lt;script&gt;"))
            #expect(text.contains("&quot;&amp;") && text.contains("shop.orders") && text.contains("differs"))
            let style = try await self.get("/page.css", client)
            #expect(style.status == .ok && style.headers[.contentType] == "text/css; charset=utf-8")
        }
    }

    @Test func `a page of metrics has the verdict and every table`() async throws {
        try await self.withReader { client, reader in
            reader.with { $0.last = .example }
            let text = String(buffer: try await self.get("/metrics", client).body)
            for line in [
                #"cluster_sync_reader_verdict{verdict="differs"} 1"#,
                #"cluster_sync_reader_verdict{verdict="in_sync"} 0"#,
                // date -d 2026-01-01T00:01:00Z +%s
                "cluster_sync_reader_last_ended_timestamp_seconds 1767225660",
                "cluster_sync_reader_interval_seconds 0",
                #"cluster_sync_reader_validated_token_fraction{table="shop.orders"} 1"#,
                #"cluster_sync_reader_divergence_differences{table="shop.orders",class="value"} 2"#,
                #"cluster_sync_reader_state{state="idle"} 1"#,
            ] { #expect(text.contains(line + "\n"), "\(line)") }
        }
    }
}

/// What a comparison may be told in each state.
struct ReaderRunTests {
    @Test func `one comparison runs at a time, and ends once`() throws {
        var run = ReaderRun()
        try run.start(.everything)
        #expect(throws: AdminError.self) { try run.start(.everything) }
        run.meets(obstacle: "away")
        #expect(run.state == .waiting && run.reason == "away")
        #expect(throws: AdminError.self) { try run.start(.everything) }
        #expect(try run.stop())
        #expect(try !run.stop())
        run.meets(obstacle: "away")
        #expect(run.state == .stopping, "what is told to end does not wait any more")
        run.ended(.stopped)
        #expect(throws: AdminError.self) { try run.stop() }
        try run.start(.table(keyspace: "ks", table: "t"))
        run.ended(.done)
        #expect(run.state == .done && run.subject == .table(keyspace: "ks", table: "t"))
    }
}

extension ReaderReportDocument {
    static var example: Self {
        var counts = Counts()
        (counts.rows, counts.rowsDifferent, counts.differences) = (10, 2, ["value": 2])
        return ReaderReportDocument(
            job: "compare",
            subject: "everything",
            verdict: "differs",
            reason: "2 rows differ",
            beganAt: "2026-01-01T00:00:00.000Z",
            at: "2026-01-01T00:01:00.000Z",
            ended: true,
            tokensCoveredRatio: 1,
            sampledPercentage: 100,
            partial: false,
            counts: counts,
            tables: [
                .init(table: "shop.orders", verdict: "differs", reason: nil, tokensCoveredRatio: 1, counts: counts),
                .init(table: "shop.a", verdict: "in_sync", reason: nil, tokensCoveredRatio: 1, counts: Counts()),
            ]
        )
    }
}
