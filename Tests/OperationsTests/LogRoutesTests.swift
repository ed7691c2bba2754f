import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

@testable import Operations

/// What is logged, on the admin port.
struct LogRoutesTests: AdminPortTests {
    @Test func `what is logged is readable, and changed for a while`() async throws {
        try await self.withServer(.router) { client, sidecar in
            try await client.execute(uri: "/v1/logs", method: .get) { response in
                let text = String(buffer: response.body)
                #expect(response.status == .ok)
                #expect(text.contains("\"lines_dropped\"") && text.contains("\"configured_level\""))
            }
            let body = #"{"level": "debug", "requests": {"one_in": 100, "traced": true}, "seconds": 60}"#
            try await client.execute(
                uri: "/v1/logs",
                method: .put,
                headers: Self.authorized,
                body: ByteBuffer(string: body)
            ) { response in
                #expect(response.status == .ok)
            }
            let change = try #require(sidecar.with { $0.logChanges.first })
            #expect(change.level == "debug" && change.oneIn == 100 && change.traced == true && change.seconds == 60)
            #expect(change.slowerThanMs == nil && !change.reset)
        }
    }

    @Test func `nobody changes it without the token`() async throws {
        try await self.withServer(.router) { client, sidecar in
            try await client.execute(uri: "/v1/logs", method: .put, body: ByteBuffer(string: #"{"level": "debug"}"#)) {
                #expect($0.status == .unauthorized)
            }
            #expect(sidecar.with { $0.logChanges.isEmpty })
        }
    }

    @Test(arguments: [
        ("{}", "nothing is asked for"), (#"{"level": "loud"}"#, "level: must be debug or info"),
        (#"{"level": "trace"}"#, "level"), (#"{"lvl": "info"}"#, "lvl"),
        (#"{"requests": []}"#, "requests: must be an object"),
        (#"{"requests": {"one_in": -1}}"#, "requests: one_in: must be a whole number from 0"),
        (#"{"requests": {"lines_per_second": 0}}"#, "lines_per_second"), (#"{"seconds": 1.5}"#, "seconds"),
        (#"{"level": "info", "seconds": 99999999}"#, "seconds"), (#"{"reset": 1}"#, "reset: must be true or false"),
    ])
    func `a wrong document changes nothing and names the key`(body: String, words: String) async throws {
        try await self.withServer(.router) { client, sidecar in
            try await client.execute(
                uri: "/v1/logs",
                method: .put,
                headers: Self.authorized,
                body: ByteBuffer(string: body)
            ) { response in
                #expect(response.status == .badRequest)
                #expect(String(buffer: response.body).contains(words), "\(String(buffer: response.body))")
            }
            #expect(sidecar.with { $0.logChanges.isEmpty })
        }
    }
}

/// What a loader logs, on its admin port.
struct LoaderLogRoutesTests: LoaderPortTests {
    @Test func `a loader has a level, which nobody changes without the token`() async throws {
        try await self.withLoader { client, _ in
            let shown = try await self.get("/v1/logs", on: client)
            #expect(shown.status == .ok && String(buffer: shown.body).contains("notice"))
            let body = ByteBuffer(string: #"{"level": "debug"}"#)
            try await client.execute(uri: "/v1/logs", method: .put, body: body) { #expect($0.status == .unauthorized) }
            try await client.execute(uri: "/v1/logs", method: .put, headers: Self.authorized, body: body) {
                #expect($0.status == .ok)
            }
        }
    }
}
