import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

@testable import Operations

/// Tables with modes of their own, on the admin port.
struct OverrideRoutesTests: AdminPortTests {
    private static func document(_ response: TestResponse) throws -> OverridesDocument {
        try DocumentCoding.decode(OverridesDocument.self, from: Data(response.body.readableBytesView))
    }

    @Test func `the list is readable, and replaced as a whole`() async throws {
        try await self.withServer(.router) { client, sidecar in
            try await client.execute(uri: "/v1/overrides", method: .get) { response in
                let document = try Self.document(response)
                #expect(response.status == .ok && document.mode == "DualWriteAsync")
                #expect(document.epoch == 3 && document.overrides.isEmpty)
            }
            let body = """
                {"overrides": [{"tables": "shop.canary", "mode": "ShadowPrimary"}, {"tables": "\\"Old\\".*", "mode": 0}], \
                "epoch": 3, "reason": "the canary goes first"}
                """
            try await client.execute(
                uri: "/v1/overrides",
                method: .put,
                headers: Self.authorized,
                body: ByteBuffer(string: body)
            ) { response in
                let document = try Self.document(response)
                #expect(response.status == .ok && document.epoch == 4)
                #expect(document.overrides.map(\.tables) == ["shop.canary", "\"Old\".*"])
                #expect(document.overrides.map(\.mode) == ["ShadowPrimary", "0"])
            }
            let change = try #require(sidecar.with { $0.overridesChanges.first })
            #expect(change.epoch == 3 && change.reason == "the canary goes first" && !change.force)
        }
    }

    @Test func `tenants are read, and what was told of them can be sent again`() async throws {
        try await self.withServer(.router) { client, sidecar in
            let body = """
                {"overrides": [{"tables": "shop.*", "mode": "ReadsFirst", "state": "waiting", \
                "tenants": {"column": "tenant_id", "values": ["acme", "a,b"]}}], "reason": "the canary goes first"}
                """
            try await client.execute(
                uri: "/v1/overrides",
                method: .put,
                headers: Self.authorized,
                body: ByteBuffer(string: body)
            ) { #expect($0.status == .ok) }
            let override = try #require(sidecar.with { $0.overridesChanges.first?.overrides.first })
            #expect(override.tenants == OverrideTenants(column: "tenant_id", values: ["acme", "a,b"]))
            #expect(override.mode == "ReadsFirst")
        }
    }

    @Test func `a change needs the token`() async throws {
        try await self.withServer(.router) { client, sidecar in
            let body = ByteBuffer(string: #"{"overrides": [], "reason": "r"}"#)
            try await client.execute(uri: "/v1/overrides", method: .put, body: body) { response in
                #expect(response.status == .unauthorized)
            }
            #expect(sidecar.with { $0.overridesChanges.isEmpty })
        }
    }

    @Test(arguments: [
        ("{}", "overrides: must be a list"), (#"{"overrides": []}"#, "reason"),
        (#"{"overrides": {}, "reason": "r"}"#, "overrides: must be a list"),
        (#"{"overrides": ["a.b"], "reason": "r"}"#, "overrides[0]: must be an object"),
        (#"{"overrides": [{"tables": "a.b"}], "reason": "r"}"#, "overrides[0]: the key 'mode' is missing"),
        (#"{"overrides": [{"mode": 1}], "reason": "r"}"#, "overrides[0]: the key 'tables' is missing"),
        (#"{"overrides": [{"tables": ["a.b"], "mode": 1}], "reason": "r"}"#, "tables: must be a text"),
        (#"{"overrides": [{"tables": "", "mode": 1}], "reason": "r"}"#, "tables: must be a text"),
        (#"{"overrides": [{"tables": "a.b", "mode": true}], "reason": "r"}"#, "mode: must be the name"),
        (#"{"overrides": [{"tables": "a.b", "mode": 1, "table": "a"}], "reason": "r"}"#, "table"),
        (#"{"overrides": [], "reason": "r", "epoch": -1}"#, "epoch: must be a whole number"),
        (#"{"overrides": [], "reason": "r", "force": 1}"#, "force: must be true or false"),
        (#"{"overrides": [], "reason": 7}"#, "reason"),
        (#"{"overrides": [{"tenant": "acme", "mode": 1}], "reason": "r"}"#, "A tenant cannot have a write mode"),
        (
            #"{"overrides": [{"tables": "a.b", "mode": 1, "tenants": ["acme"]}], "reason": "r"}"#,
            "tenants: must be an object"
        ),
        (
            #"{"overrides": [{"tables": "a.b", "mode": 1, "tenants": {"values": ["a"]}}], "reason": "r"}"#,
            "tenants: the key 'column' is missing"
        ),
        (
            #"{"overrides": [{"tables": "a.b", "mode": 1, "tenants": {"column": "t"}}], "reason": "r"}"#,
            "tenants: the key 'values' is missing"
        ),
        (
            #"{"overrides": [{"tables": "a.b", "mode": 1, "tenants": {"column": "t", "values": [1]}}], "reason": "r"}"#,
            "values: must be a list of at most"
        ),
        (
            #"{"overrides": [{"tables": "a.b", "mode": 1, "tenants": {"column": "t", "values": [], "x": 1}}], "reason": "r"}"#,
            "tenants: "
        ),
        (#"{"tenants": {"acme": 1}, "reason": "r"}"#, "PUT /v1/filters"), ("[]", "object"), ("{", "JSON"),
    ])
    func `a wrong document changes nothing and says what is wrong`(body: String, words: String) async throws {
        try await self.withServer(.router) { client, sidecar in
            try await client.execute(
                uri: "/v1/overrides",
                method: .put,
                headers: Self.authorized,
                body: ByteBuffer(string: body)
            ) { response in
                #expect(response.status == .badRequest)
                #expect(String(buffer: response.body).contains(words), "\(String(buffer: response.body))")
            }
            #expect(sidecar.with { $0.overridesChanges.isEmpty })
        }
    }

    @Test func `a document full of faults names some of them`() async throws {
        try await self.withServer(.router) { client, _ in
            let overrides = [String](repeating: "1", count: 5_000).joined(separator: ",")
            try await client.execute(
                uri: "/v1/overrides",
                method: .put,
                headers: Self.authorized,
                body: ByteBuffer(string: #"{"overrides": [\#(overrides)], "reason": "r"}"#)
            ) { response in
                #expect(response.status == .badRequest && response.body.readableBytes < 4_096)
            }
        }
    }
}
