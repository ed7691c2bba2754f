import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

@testable import Operations

/// What the shadow gets, on the admin port.
struct FilterRoutesTests: AdminPortTests {
    private static func document(_ response: TestResponse) throws -> FiltersDocument {
        try DocumentCoding.decode(FiltersDocument.self, from: Data(response.body.readableBytesView))
    }

    @Test func `the filter is readable, and replaced as a whole`() async throws {
        try await self.withServer(.router) { client, sidecar in
            try await client.execute(uri: "/v1/filters", method: .get) { response in
                let document = try Self.document(response)
                #expect(response.status == .ok && document.origin == "configuration")
                #expect(document.writes == .init(byTable: 3, byTenant: 2, untold: 1))
            }
            let body = """
                {"tables": {"exclude": ["shop.log_*"]}, "tenant_columns": ["tenant"], "tenants": {"include": ["a", "b"]}, \
                "reason": "only two tenants move"}
                """
            try await client.execute(
                uri: "/v1/filters",
                method: .put,
                headers: Self.authorized,
                body: ByteBuffer(string: body)
            ) { response in
                let document = try Self.document(response)
                #expect(response.status == .ok && document.origin == "admin port")
                #expect(document.tables == .init(include: [], exclude: ["shop.log_*"]))
                #expect(document.tenantColumns == ["tenant"] && document.tenants.include == ["a", "b"])
            }
            #expect(sidecar.with { $0.filterChanges.map(\.reason) } == ["only two tenants move"])
        }
    }

    @Test(arguments: [
        ("{}", "reason"), (#"{"reason": "r", "table": {}}"#, "table"),
        (#"{"reason": "r", "tables": []}"#, "tables: must be an object"),
        (#"{"reason": "r", "tables": {"only": ["a"]}}"#, "only"),
        (#"{"reason": "r", "tenants": {"include": [1]}}"#, "tenants: include"),
        (#"{"reason": "r", "tenant_columns": "t"}"#, "tenant_columns"),
    ])
    func `a wrong document changes nothing and names the key`(body: String, key: String) async throws {
        try await self.withServer(.router) { client, sidecar in
            try await client.execute(
                uri: "/v1/filters",
                method: .put,
                headers: Self.authorized,
                body: ByteBuffer(string: body)
            ) { response in
                #expect(response.status == .badRequest)
                #expect(String(buffer: response.body).contains(key), "\(String(buffer: response.body))")
            }
            #expect(sidecar.with { $0.filterChanges.isEmpty })
        }
    }
}
