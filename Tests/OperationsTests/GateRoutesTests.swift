import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

@testable import Operations

/// Verdict, rollback, reports and audit on the admin port.
struct GateRoutesTests: AdminPortTests {
    private static let load = """
        {"job": "load", "source": "w", "state": "complete", "began_at": "2026-01-01T00:00:00Z",
         "at": "2026-01-01T01:00:00.500Z", "tokens_covered_ratio": 1, "dead_letters": 0,
         "tables": [{"table": "shop.orders", "tokens_covered_ratio": 0.5}]}
        """
    private static let comparison = """
        {"job": "compare", "verdict": "differs", "began_at": "2026-01-01T00:00:00+01:00", "at": "2026-01-01T01:00:00Z",
         "tokens_covered_ratio": 0.25, "sampled_percentage": 12.5, "differences": 3,
         "tables": [{"table": "shop.orders", "verdict": "differs", "differences": 3}]}
        """

    @Test(arguments: Setup.allCases)
    func `a verdict is readable by everybody and names its gates`(setup: Setup) async throws {
        try await self.withServer(setup) { client, _ in
            try await client.execute(uri: "/v1/phase/verdict?to=ShadowPrimary", method: .get) { response in
                #expect(response.status == .ok)
                let verdict = try DocumentCoding.decode(
                    VerdictDocument.self,
                    from: Data(response.body.readableBytesView)
                )
                #expect(verdict.to == "ShadowPrimary" && !verdict.allowed)
                #expect(verdict.gates.map(\.gate) == ["backlog"])
                #expect(String(buffer: response.body).contains("\"way_back\""))
            }
            try await client.execute(uri: "/v1/phase/verdict?too=1", method: .get) { #expect($0.status == .badRequest) }
            try await client.execute(uri: "/v1/audit?limit=1000", method: .get) { #expect($0.status == .ok) }
            try await client.execute(uri: "/v1/audit?limit=1001", method: .get) { #expect($0.status == .badRequest) }
        }
    }

    @Test func `reports are kept as they were sent`() async throws {
        try await self.withServer(.router) { client, sidecar in
            let load = ByteBuffer(string: Self.load)
            try await client.execute(uri: "/v1/reports/load", method: .put, headers: Self.authorized, body: load) {
                #expect($0.status == .ok, "\(String(buffer: $0.body))")
            }
            let comparison = ByteBuffer(string: Self.comparison)
            try await client.execute(
                uri: "/v1/reports/comparison",
                method: .put,
                headers: Self.authorized,
                body: comparison
            ) { #expect($0.status == .ok, "\(String(buffer: $0.body))") }
            let kept = sidecar.with { $0.reports }
            #expect(kept.loads.first?.tables == [.init(table: "shop.orders", tokensCoveredRatio: 0.5)])
            #expect(kept.comparison?.sampledPercentage == 12.5 && kept.comparison?.differences == 3)
            try await client.execute(uri: "/v1/reports", method: .get) { response in
                #expect(String(buffer: response.body).contains("\"began_at\" : \"2026-01-01T00:00:00Z\""))
            }
            try await client.execute(uri: "/v1/reports/load?job=load", method: .delete, headers: Self.authorized) {
                #expect($0.status == .ok)
            }
            #expect(sidecar.with { $0.reports.loads } == [])
        }
    }

    @Test(arguments: [
        (#"{"job": "load"}"#, ["source", "state", "began_at", "at", "tokens_covered_ratio", "dead_letters"]),
        (load.replacing("\"w\"", with: "\"\""), ["source"]),
        (load.replacing("complete", with: "perhaps"), ["state"]),
        (load.replacing("01:00:00.500Z", with: "01:00:00"), ["at:"]),
        (load.replacing("ratio\": 1,", with: "ratio\": 1.5,"), ["tokens_covered_ratio"]),
        (load.replacing("letters\": 0", with: "letters\": -1"), ["dead_letters"]),
        (load.replacing("0.5}", with: "2}"), ["tables[0]: tokens_covered_ratio"]),
        (load.replacing("0.5}", with: "1, \"x\": 2}"), ["tables[0]: unknown key 'x'"]),
        (load.replacing("\"job\"", with: "\"jop\""), ["unknown key 'jop'", "job"]),
        ("[]", ["object"]),
    ])
    func `a report that is wrong is refused by key`(body: String, keys: [String]) async throws {
        try await self.withServer(.router) { client, sidecar in
            let buffer = ByteBuffer(string: body)
            try await client.execute(uri: "/v1/reports/load", method: .put, headers: Self.authorized, body: buffer) {
                #expect($0.status == .badRequest)
                let text = String(buffer: $0.body)
                for key in keys { #expect(text.contains(key), "\(text)") }
            }
            #expect(sidecar.with { $0.reports.loads } == [])
        }
    }

    @Test func `a report may have a thousand tables and no more`() async throws {
        try await self.withServer(.router) { client, _ in
            for (count, status) in [(1_000, HTTPResponse.Status.ok), (1_001, .badRequest)] {
                let name = String(repeating: "t", count: 97)
                let tables = (0..<count).map { _ in #"{"table": "\#(name)", "tokens_covered_ratio": 1}"# }
                let body = Self.load.replacing(
                    #"{"table": "shop.orders", "tokens_covered_ratio": 0.5}"#,
                    with: tables.joined(separator: ", ")
                )
                let buffer = ByteBuffer(string: body)
                try await client.execute(uri: "/v1/reports/load", method: .put, headers: Self.authorized, body: buffer)
                {
                    #expect($0.status == status)
                }
            }
        }
    }

    @Test(arguments: [
        ("/v1/reports/load", HTTPRequest.Method.put), ("/v1/reports/comparison", .put), ("/v1/rollback", .post),
        ("/v1/reports/load?job=load", .delete), ("/v1/drain", .post),
    ])
    func `reporting, rolling back and draining need the token`(uri: String, method: HTTPRequest.Method) async throws {
        try await self.withServer(.router) { client, sidecar in
            try await client.execute(uri: uri, method: method, body: ByteBuffer(string: "{}")) {
                #expect($0.status == .unauthorized)
            }
            #expect(sidecar.with { $0.rollbacks } == [])
            #expect(sidecar.with { $0.drains } == [])
        }
    }

    @Test func `a drain is accepted with a deadline and a reason, or with neither`() async throws {
        try await self.withServer(.router) { client, sidecar in
            for (body, status) in [
                ("", HTTPResponse.Status.accepted), (#"{"deadline_ms": 0}"#, .badRequest), ("[]", .badRequest),
                (#"{"deadline_ms": 5000, "reason": "new machine"}"#, .accepted), (#"{"deadline": 1}"#, .badRequest),
            ] {
                let buffer = ByteBuffer(string: body)
                try await client.execute(uri: "/v1/drain", method: .post, headers: Self.authorized, body: buffer) {
                    #expect($0.status == status)
                }
            }
            #expect(sidecar.with { $0.drains.map(\.deadlineMs) } == [nil, 5_000])
            #expect(sidecar.with { $0.drains.map(\.reason) } == [nil, "new machine"])
        }
    }

    @Test(arguments: Setup.allCases)
    func `what is known by table is readable by everybody`(setup: Setup) async throws {
        try await self.withServer(setup) { client, _ in
            try await client.execute(uri: "/v1/tables", method: .get) { response in
                #expect(response.status == .ok)
                let document = try DocumentCoding.decode(
                    TablesDocument.self,
                    from: Data(response.body.readableBytesView)
                )
                #expect(document.tables.map(\.table) == ["shop.orders"] && document.tables[0].needsCare)
            }
            try await client.execute(uri: "/v1/tables?limit=1", method: .get) { #expect($0.status == .badRequest) }
        }
    }

    @Test func `of too many tables those stay that need care or have most open`() {
        var tables = (0..<1_005).map { TablesDocument.Table(table: "k.t\($0)") }
        tables[3].dirtyWithLoss = 1
        for index in 10..<1_005 { tables[index].owedTarget = 1 }
        let document = TablesDocument(tables: tables, owedComplete: true)
        #expect(document.tables.count == TablesDocument.tablesMax && document.tablesLeftOut == 5)
        #expect(document.tables.contains { $0.table == "k.t3" })
        #expect(document.tables.filter { $0.owedTarget == 0 }.count == 5)
        #expect(document.tables.map(\.table) == document.tables.map(\.table).sorted())
    }

    @Test func `a rollback needs a reason, a dry run does not`() async throws {
        try await self.withServer(.router) { client, sidecar in
            for (body, status) in [
                ("{}", HTTPResponse.Status.badRequest), (#"{"dry_run": true}"#, .ok), (#"{"reason": "errors"}"#, .ok),
            ] {
                let buffer = ByteBuffer(string: body)
                try await client.execute(uri: "/v1/rollback", method: .post, headers: Self.authorized, body: buffer) {
                    #expect($0.status == status)
                }
            }
            #expect(sidecar.with { $0.rollbacks.map(\.isDryRun) } == [true, false])
            let gate = GateDocument(gate: "g", holds: false, action: "veto", figure: "1", threshold: "0", words: "w")
            sidecar.with { $0.refusal = AdminError(.gatesVeto, "no", gates: [gate]) }
            let buffer = ByteBuffer(string: #"{"reason": "errors"}"#)
            try await client.execute(uri: "/v1/rollback", method: .post, headers: Self.authorized, body: buffer) {
                #expect($0.status == .conflict)
                let fault = try DocumentCoding.decode(ErrorDocument.self, from: Data($0.body.readableBytesView)).error
                #expect(fault.code == "gates_veto" && fault.gates == [gate])
            }
        }
    }
}
