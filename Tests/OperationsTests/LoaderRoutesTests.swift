import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing

@testable import Operations

/// The paths of a loader's admin port.
struct LoaderRoutesTests: LoaderPortTests {
    static let prefixes = ["", "/v1"]
    /// Every path that is read, and every one that changes something.
    static let reads = ["/status", "/discover/shop", "/indexes/status", "/indexes/verify"]
    static let changes = [
        "/start", "/stop", "/pause", "/resume", "/migrate/shop/orders", "/indexes/drop", "/indexes/drop/shop",
        "/indexes/rebuild", "/indexes/rebuild/shop",
    ]

    @Test(arguments: Setup.allCases)
    func `health has the familiar keys, and says which end is away`(setup: Setup) async throws {
        try await self.withLoader(setup) { client, _ in
            let response = try await self.get("/health", on: client)
            #expect(response.status == .ok)
            let object = Self.object(response)
            #expect(object["status"] == .string("degraded"))
            #expect(object["service"] == .string("sstable-loader"))
            #expect(object["index_manager_enabled"] == .bool(true))
            #expect(object["index_count"] == .integer(4))
            #expect(object["state"] == .string("idle"))
            #expect(
                object["target"]
                    == .object([
                        "configured": .bool(true), "connected": .bool(false), "error": .string("connection refused"),
                    ])
            )
        }
    }

    @Test func `a failed load makes health unhealthy, and lost ends make it degraded`() throws {
        var status = LoaderStatus.example
        status.target.isConnected = true
        #expect(LoaderHealthDocument(status, indexManagerEnabled: false, indexCount: 0).status == "healthy")
        status.source.isConnected = false
        #expect(LoaderHealthDocument(status, indexManagerEnabled: false, indexCount: 0).status == "degraded")
        try status.run.start(.everything)
        status.run.ended(.failed(reason: "no"))
        #expect(LoaderHealthDocument(status, indexManagerEnabled: false, indexCount: 0).status == "unhealthy")
    }

    @Test(arguments: Setup.allCases)
    func `readiness is 503 with its reason, and liveness does not depend on it`(setup: Setup) async throws {
        try await self.withLoader(setup) { client, loader in
            #expect(try await self.get("/health/readiness", on: client).status == .ok)
            loader.with { $0.readiness = .notReady(reason: "the job's store is away") }
            let response = try await self.get("/health/readiness", on: client)
            #expect(response.status == .serviceUnavailable)
            #expect(Self.object(response)["reason"] == .string("the job's store is away"))
            #expect(try await self.get("/health/liveness", on: client).status == .ok)
        }
    }

    @Test(arguments: Setup.allCases)
    func `metrics are those of the status`(setup: Setup) async throws {
        try await self.withLoader(setup) { client, _ in
            let response = try await self.get("/metrics", on: client)
            #expect(response.headers[.contentType] == MetricsRegistry.contentType)
            #expect(String(buffer: response.body).contains("\ncluster_sync_loader_rows_total 400\n"))
        }
    }

    @Test(arguments: Setup.allCases, Self.prefixes)
    func `of two starts the second is 409, and a load walks through pause, resume and stop`(
        setup: Setup,
        prefix: String
    ) async throws {
        try await self.withLoader(setup) { client, loader in
            let started = try await self.post(prefix + "/start", on: client)
            #expect(started.status == .ok)
            #expect(Self.object(started)["status"] == .string("success"))
            #expect(Self.object(started)["action"] == .string("start"))
            #expect(Self.object(started)["state"] == .string("running"))
            let second = try await self.post(prefix + "/start", on: client)
            #expect(second.status == .conflict)
            #expect(Self.fault(second)?.code == "already_running")
            #expect(try await self.post(prefix + "/migrate/shop/orders", on: client).status == .conflict)
            #expect(loader.with { $0.starts.map(\.subject) } == [.everything])
            for (verb, state, isPaused) in [
                ("pause", "paused", true), ("pause", "paused", true), ("resume", "running", false),
                ("stop", "stopping", false),
            ] {
                let response = try await self.post("\(prefix)/\(verb)", #"{"reason": "busy hour"}"#, on: client)
                #expect(response.status == .ok, "\(verb)")
                #expect(Self.object(response)["state"] == .string(state))
                let status = Self.object(try await self.get(prefix + "/status", on: client))
                guard case .object(let migration) = status["migration"] else { throw Missing() }
                #expect(migration["is_paused"] == .bool(isPaused))
                #expect(migration["is_running"] == .bool(true))
            }
            #expect(loader.with { $0.actions.map(\.verb) } == [.pause, .pause, .resume, .stop])
            #expect(loader.with { $0.actions.allSatisfy { $0.reason == "busy hour" } })
            loader.with { $0.run.ended(.stopped) }
            #expect(try await self.post(prefix + "/start", on: client).status == .ok)
        }
    }

    private struct Missing: Error {}

    @Test func `of many starts at once exactly one begins`() async throws {
        try await self.withLoader(.live) { client, loader in
            let answers = try await withThrowingTaskGroup { group in
                for _ in 0..<16 { group.addTask { try await self.post("/start", on: client).status } }
                return try await group.reduce(into: [Int: Int]()) { $0[$1.code, default: 0] += 1 }
            }
            #expect(answers == [200: 1, 409: 15])
            #expect(loader.with { $0.starts.count } == 1)
        }
    }

    @Test(arguments: LoaderAction.Verb.allCases)
    func `what no load can be told is 409`(verb: LoaderAction.Verb) async throws {
        try await self.withLoader { client, _ in
            let response = try await self.post("/\(verb.rawValue)", on: client)
            #expect(response.status == .conflict)
            #expect(Self.fault(response)?.code == "not_running")
        }
    }

    @Test(arguments: [
        ("", LoaderStart.Subject.everything, nil, nil),
        ("{}", .everything, nil, nil),
        (#"{"keyspace_filter": []}"#, .everything, nil, nil),
        (#"{"keyspace_filter": null}"#, .everything, nil, nil),
        (
            #"{"keyspace_filter": ["shop", "Crm"], "drop_indexes_first": true, "rebuild_indexes_after": false}"#,
            .keyspaces(["shop", "Crm"]), true, false
        ),
    ])
    func `a start says what to load`(
        body: String,
        subject: LoaderStart.Subject,
        drops: Bool?,
        rebuilds: Bool?
    ) async throws {
        try await self.withLoader { client, loader in
            let response = try await self.post("/start", body, on: client)
            #expect(response.status == .ok)
            let start = loader.with { $0.starts }
            #expect(start.map(\.subject) == [subject])
            #expect(start.map(\.dropsIndexesFirst) == [drops])
            #expect(start.map(\.rebuildsIndexesAfter) == [rebuilds])
            #expect(start.map(\.by) == ["admin local"])
        }
    }

    @Test(arguments: [
        ("/start", #"{"keyspaces_filter": []}"#, "unknown key 'keyspaces_filter'; did you mean 'keyspace_filter'?"),
        (
            "/start", #"{"keyspace_filter": "shop"}"#,
            "keyspace_filter: must be a list of at most 1000 texts of 1 to 256 bytes"
        ),
        (
            "/start", #"{"keyspace_filter": [""]}"#,
            "keyspace_filter: must be a list of at most 1000 texts of 1 to 256 bytes"
        ),
        (
            "/start", #"{"drop_indexes_first": 1, "rebuild_indexes_after": "no"}"#,
            "drop_indexes_first: must be true or false; rebuild_indexes_after: must be true or false"
        ),
        ("/start", "[]", "The body must be a JSON object."),
        ("/start", "{", "The body is not valid JSON."),
        ("/migrate/shop/orders", #"{"keyspace_filter": ["x"]}"#, "unknown key 'keyspace_filter'"),
        ("/stop", #"{"reson": "x"}"#, "unknown key 'reson'; did you mean 'reason'?"),
        ("/pause", #"{"reason": 7}"#, "reason: must be a text of at most 1024 bytes"),
        ("/resume", "7", "The body must be a JSON object."),
        ("/indexes/drop", #"{"keyspace": "shop"}"#, "unknown key 'keyspace'"),
        (
            "/indexes/rebuild", #"{"tables": "shop.orders"}"#,
            "tables: must be a list of at most 1000 texts of 1 to 513 bytes"
        ),
        (
            "/indexes/rebuild", #"{"tables": ["shop.orders", "orders", "a.b.c"]}"#,
            "tables: 'orders' is no table; write keyspace.table, as in the schema; "
                + "tables: 'a.b.c' is no table; write keyspace.table, as in the schema"
        ),
        ("/indexes/rebuild/shop", #"{"tables": ["shop.orders"]}"#, "unknown key 'tables'"),
        ("/indexes/rebuild/shop", #"{"reason": []}"#, "reason: must be a text of at most 1024 bytes"),
    ])
    func `a wrong document is refused with its faults and changes nothing`(
        path: String,
        body: String,
        message: String
    ) async throws {
        try await self.withLoader { client, loader in
            let response = try await self.post(path, body, on: client)
            #expect(response.status == .badRequest)
            #expect(
                Self.fault(response) == .init(code: "invalid_document", message: message, hint: "Nothing was changed.")
            )
            #expect(loader.with { $0.run.state == .idle && $0.indexChanges.isEmpty })
        }
    }

    @Test(arguments: Self.prefixes)
    func `one table is loaded by its names in the schema`(prefix: String) async throws {
        try await self.withLoader { client, loader in
            let response = try await self.post(prefix + "/migrate/shop/%4frders", on: client)
            #expect(response.status == .ok)
            #expect(loader.with { $0.starts.map(\.subject) } == [.table(keyspace: "shop", table: "Orders")])
        }
    }

    @Test(arguments: [
        "/migrate/shop/%", "/migrate/shop/%4", "/migrate/shop/%zz", "/migrate/%ff/orders", "/migrate/shop/a%0Ab",
        "/migrate/shop/" + String(repeating: "x", count: 257),
    ])
    func `a name that cannot be one is refused`(path: String) async throws {
        try await self.withLoader { client, loader in
            let response = try await self.post(path, on: client)
            #expect(response.status == .badRequest)
            #expect(Self.fault(response)?.code == "invalid_parameter")
            #expect(loader.with { $0.starts.isEmpty })
        }
    }

    @Test(arguments: Self.prefixes)
    func `a keyspace is shown with its tables and with why one is left out`(prefix: String) async throws {
        try await self.withLoader { client, loader in
            let object = Self.object(try await self.get(prefix + "/discover/shop", on: client))
            #expect(object["status"] == .string("success"))
            #expect(object["keyspace"] == .string("shop"))
            #expect(object["table_count"] == .integer(2))
            #expect(object["tables"] == .array([.string("orders"), .string("views")]))
            guard case .array(let details) = object["details"], details.count == 2 else { throw Missing() }
            #expect(
                details[1]
                    == .object([
                        "name": .string("views"), "loaded": .bool(false), "reason": .string("counters: refuse"),
                    ])
            )
            #expect(loader.with { $0.discovered } == ["shop"])
        }
    }

    @Test func `what the source has not is 404 with the loader's words`() async throws {
        try await self.withLoader { client, loader in
            loader.with { $0.refusal = AdminError(.unknownKeyspace, "no keyspace 'shop'", hint: "Known: crm.") }
            let response = try await self.get("/discover/shop", on: client)
            #expect(response.status == .notFound)
            #expect(
                Self.fault(response)
                    == .init(code: "unknown_keyspace", message: "no keyspace 'shop'", hint: "Known: crm.")
            )
            loader.with { $0.refusal = AdminError(.unknownTable, "no table") }
            #expect(Self.fault(try await self.post("/migrate/shop/x", on: client))?.code == "unknown_table")
        }
    }

    @Test(arguments: Self.prefixes)
    func `indexes are told with the figures of each state`(prefix: String) async throws {
        try await self.withLoader { client, _ in
            let object = Self.object(try await self.get(prefix + "/indexes/status", on: client))
            #expect(object["status"] == .string("success"))
            #expect(object["index_count"] == .integer(3))
            #expect(object["present"] == .integer(1))
            #expect(object["building"] == .integer(0))
            #expect(object["dropped"] == .integer(1))
            #expect(object["failed"] == .integer(1))
        }
    }

    @Test(arguments: [
        (IndexesVerifiedDocument.Index.Verdict.same, "success", true), (.missing, "failed", false),
        (.different, "failed", false),
    ])
    func `indexes are verified only where all are as they were`(
        verdict: IndexesVerifiedDocument.Index.Verdict,
        status: String,
        isVerified: Bool
    ) async throws {
        try await self.withLoader { client, loader in
            loader.with { $0.verdict = verdict }
            let response = try await self.get("/indexes/verify", on: client)
            #expect(response.status == .ok)
            #expect(Self.object(response)["status"] == .string(status))
            #expect(Self.object(response)["verified"] == .bool(isVerified))
        }
    }

    @Test(arguments: Self.prefixes, IndexesChange.Verb.allCases)
    func `indexes are changed for all keyspaces or for one, and not while a load runs`(
        prefix: String,
        verb: IndexesChange.Verb
    ) async throws {
        try await self.withLoader { client, loader in
            let path = "\(prefix)/indexes/\(verb.rawValue)"
            let all = Self.object(try await self.post(path, on: client))
            #expect(all["status"] == .string("failed"))
            #expect(all["action"] == .string(verb.rawValue))
            #expect(all["index_count"] == .integer(2))
            #expect(all["keyspace"] == nil)
            let one = Self.object(try await self.post(path + "/shop", #"{"reason": "load"}"#, on: client))
            #expect(one["keyspace"] == .string("shop"))
            let body = #"{"keyspace_filter": ["Crm", "shop"], "tables": ["shop.orders"]}"#
            let some = Self.object(try await self.post(path, body, on: client))
            #expect(some["keyspace"] == nil)
            #expect(loader.with { $0.indexChanges.map(\.keyspaces) } == [[], ["shop"], ["Crm", "shop"]])
            #expect(
                loader.with { $0.indexChanges.map(\.tables) } == [[], [], [.init(keyspace: "shop", name: "orders")]]
            )
            #expect(loader.with { $0.indexChanges.map(\.reason) } == [nil, "load", nil])
            #expect(loader.with { $0.indexChanges.map(\.verb) } == [verb, verb, verb])
            try await self.post("/start", on: client)
            let response = try await self.post(path, on: client)
            #expect(response.status == .conflict)
            #expect(Self.fault(response)?.code == "already_running")
        }
    }

    @Test(arguments: Self.prefixes, Self.changes)
    func `a change needs the token`(prefix: String, path: String) async throws {
        try await self.withLoader { client, loader in
            for authorization in [nil, "Bearer wrong", "Basic \(Self.token)"] {
                let headers: HTTPFields = authorization.map { [.authorization: $0] } ?? [:]
                let response = try await client.execute(uri: prefix + path, method: .post, headers: headers) { $0 }
                #expect(response.status == .unauthorized)
                #expect(Self.fault(response)?.code == "unauthorized")
            }
            #expect(loader.with { $0.run.state == .idle && $0.actions.isEmpty && $0.indexChanges.isEmpty })
        }
    }

    @Test(arguments: Self.prefixes, Self.changes)
    func `a change by another method is 405`(prefix: String, path: String) async throws {
        try await self.withLoader { client, loader in
            for method in [HTTPRequest.Method.get, .put, .delete] {
                let response = try await client.execute(
                    uri: prefix + path,
                    method: method,
                    headers: Self.authorized
                ) { $0 }
                #expect(response.status == .methodNotAllowed)
                #expect(response.headers[.allow] == "POST")
                #expect(Self.fault(response)?.code == "method_not_allowed")
            }
            #expect(loader.with { $0.run.state == .idle && $0.indexChanges.isEmpty })
        }
    }

    @Test(arguments: Self.prefixes, Self.reads)
    func `what is read needs no token, and is not changed`(prefix: String, path: String) async throws {
        try await self.withLoader { client, _ in
            #expect(try await self.get(prefix + path, on: client).status == .ok)
            let head = try await client.execute(uri: prefix + path, method: .head) { $0 }
            #expect(head.status == .ok)
            let post = try await self.post(prefix + path, on: client)
            #expect(post.status == .methodNotAllowed)
            #expect(post.headers[.allow] == "GET, HEAD")
        }
    }

    @Test(arguments: Setup.allCases, Self.changes)
    func `a body beyond the limit is 413`(setup: Setup, path: String) async throws {
        try await self.withLoader(setup) { client, loader in
            let body = #"{"reason": ""# + String(repeating: "x", count: AdminServer.bodyBytesMax) + #""}"#
            let response = try await self.post(path, body, on: client)
            #expect(response.status == .contentTooLarge)
            #expect(Self.fault(response)?.code == "body_too_large")
            #expect(loader.with { $0.run.state == .idle && $0.indexChanges.isEmpty })
        }
    }

    @Test func `without a token a peer on the loopback interface may change, another may not`() async throws {
        try await self.withLoader(.live, token: nil) { client, loader in
            let response = try await client.execute(uri: "/start", method: .post) { $0 }
            #expect(response.status == .ok)
            #expect(loader.with { $0.starts.map(\.by) } == ["admin 127.0.0.1"])
            let forwarded = try await client.execute(
                uri: "/stop",
                method: .post,
                headers: [.forwardedFor: "10.0.0.9"]
            ) { $0 }
            #expect(forwarded.status == .forbidden)
        }
    }

    @Test func `another path names those that there are`() async throws {
        try await self.withLoader { client, _ in
            for path in ["/v1/phase", "/config", "/migrate/shop", "/indexes", "/v2/start"] {
                let response = try await self.get(path, on: client)
                #expect(response.status == .notFound)
                #expect(Self.fault(response)?.hint?.contains("/migrate/{keyspace}/{table}") == true)
            }
        }
    }
}
