import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import Operations

struct AdminServerTests: AdminPortTests {
    @Test(arguments: Setup.allCases)
    func `health names the four fields that everybody looks for`(setup: Setup) async throws {
        try await self.withServer(setup) { client, _ in
            try await client.execute(uri: "/health", method: .get) { response in
                #expect(response.status == .ok)
                #expect(response.headers[.contentType] == "application/json")
                let object = Self.object(response)
                #expect(object["cassandra_connected"] == .bool(true))
                #expect(object["scylla_connected"] == .bool(false))
                #expect(object["current_mode"] == .string("DualWriteAsync"))
                #expect(object["validation_rate"] == .integer(0))
                #expect(object["status"] == .string("degraded"))
                #expect(object["version"] == .string("1.2.3"))
                #expect(object["uptime_seconds"] == .double(1.5))
            }
        }
    }

    @Test(arguments: Setup.allCases)
    func `readiness is 503 with its reason while the sidecar is not ready`(setup: Setup) async throws {
        try await self.withServer(setup) { client, sidecar in
            try await client.execute(uri: "/health/readiness", method: .get) { #expect($0.status == .ok) }
            sidecar.with { $0.readiness = .notReady(reason: "source is away") }
            try await client.execute(uri: "/health/readiness", method: .get) { response in
                #expect(response.status == .serviceUnavailable)
                #expect(Self.object(response) == ["ready": .bool(false), "reason": .string("source is away")])
            }
            try await client.execute(uri: "/health/liveness", method: .get) { #expect($0.status == .ok) }
        }
    }

    @Test(arguments: Setup.allCases)
    func `metrics are served as Prometheus text`(setup: Setup) async throws {
        try await self.withServer(setup) { client, _ in
            try await client.execute(uri: "/metrics", method: .get) { response in
                #expect(response.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
                #expect(String(buffer: response.body).contains("# TYPE up gauge\nup 1\n"))
            }
        }
    }

    @Test(arguments: Setup.allCases)
    func `status and phase are readable by everybody`(setup: Setup) async throws {
        try await self.withServer(setup) { client, _ in
            try await client.execute(uri: "/v1/status", method: .get) { response in
                let status = try DocumentCoding.decode(
                    StatusDocument.self,
                    from: Data(response.body.readableBytesView)
                )
                #expect(status.clients == 7)
                #expect(status.ready)
            }
            try await client.execute(uri: "/v1/phase", method: .get) { response in
                #expect(Self.object(response)["next"] == .array([.string("PrimaryOnly"), .string("DualWriteSync")]))
            }
        }
    }

    @Test(arguments: Setup.allCases, ["mode", "phase"])
    func `a phase is changed under either name of the key`(setup: Setup, key: String) async throws {
        try await self.withServer(setup) { client, sidecar in
            let body = #"{"\#(key)": "DualWriteSync", "reason": "all green", "force": true}"#
            try await client.execute(
                uri: "/v1/phase",
                method: .put,
                headers: Self.authorized,
                body: ByteBuffer(string: body)
            ) { response in
                #expect(response.status == .ok)
                #expect(Self.object(response)["mode"] == .string("DualWriteSync"))
                #expect(Self.object(response)["epoch"] == .integer(4))
            }
            let change = sidecar.with { $0.phaseChanges }
            #expect(change.map(\.mode) == ["DualWriteSync"])
            #expect(change.map(\.reason) == ["all green"])
            #expect(change.map(\.force) == [true])
        }
    }

    @Test(arguments: [
        (#"{}"#, "the key 'mode' is missing"),
        (#"{"mode": 1, "phase": 2}"#, "give mode or phase, not both"),
        (#"{"mode": []}"#, "mode: must be the name of a write mode or its number"),
        (#"{"mode": "x", "forse": true}"#, "unknown key 'forse'; did you mean 'force'?"),
        (#"{"mode": "x", "force": 1}"#, "force: must be true or false"),
        (#"{"mode": "x", "reason": 7}"#, "reason: must be a text of at most 1024 bytes"),
        (#"[]"#, "The body must be a JSON object."),
        (#"{"#, "The body is not valid JSON."),
        ("", "The body is not valid JSON."),
    ])
    func `a wrong phase document is refused with its fault`(body: String, message: String) async throws {
        try await self.withServer(.router) { client, sidecar in
            try await client.execute(
                uri: "/v1/phase",
                method: .put,
                headers: Self.authorized,
                body: ByteBuffer(string: body)
            ) { response in
                #expect(response.status == .badRequest)
                #expect(Self.fault(response)?.message == message)
                #expect(Self.fault(response)?.code == "invalid_document")
            }
            #expect(sidecar.with { $0.phaseChanges.isEmpty })
        }
    }

    @Test(arguments: Setup.allCases)
    func `a refusal of the sidecar reaches the peer with status, code and hint`(setup: Setup) async throws {
        try await self.withServer(setup) { client, sidecar in
            sidecar.with { $0.refusal = AdminError(.transitionRefused, "two steps at once", hint: "use force") }
            try await client.execute(
                uri: "/v1/phase",
                method: .put,
                headers: Self.authorized,
                body: ByteBuffer(string: #"{"mode": 4}"#)
            ) { response in
                #expect(response.status == .conflict)
                let fault = Self.fault(response)
                #expect(fault == .init(code: "transition_refused", message: "two steps at once", hint: "use force"))
            }
        }
    }

    @Test(arguments: Setup.allCases)
    func `the six field document is accepted as it is served`(setup: Setup) async throws {
        try await self.withServer(setup) { client, sidecar in
            let served = try await client.execute(uri: "/config", method: .get) { response in
                let object = Self.object(response)
                #expect(Set(object.keys) == Set(ConfigurationChange.keys))
                return response.body
            }
            try await client.execute(uri: "/config", method: .post, headers: Self.authorized, body: served) {
                #expect($0.status == .ok)
            }
            let change = try #require(sidecar.with { $0.configurationChanges.first })
            #expect(change.cassandraHosts == ["127.0.0.1:19042"])
            #expect(change.scyllaHosts == [])
            #expect(change.writeMode == "DualWriteAsync")
            #expect(change.validationPercentage == 0.5)
            #expect(change.shadowWriteTimeoutMs == 5_000)
            #expect(change.primaryWriteTimeoutMs == 10_000)
        }
    }

    @Test func `hosts may be one text with commas and a document may be partial`() async throws {
        try await self.withServer(.router) { client, sidecar in
            let body = ByteBuffer(string: #"{"scylla_hosts": " a:1 , b "}"#)
            try await client.execute(uri: "/config", method: .post, headers: Self.authorized, body: body) {
                #expect($0.status == .ok)
            }
            let change = try #require(sidecar.with { $0.configurationChanges.first })
            #expect(change.scyllaHosts == ["a:1", "b"])
            #expect(change.cassandraHosts == nil)
            #expect(change.writeMode == nil)
        }
    }

    @Test(arguments: [
        (#"{"write_mod": "x"}"#, "unknown key 'write_mod'; did you mean 'write_mode'?"),
        (#"{"write_mode": true}"#, "write_mode: must be the name of a write mode or its number"),
        (#"{"validation_percentage": 101}"#, "validation_percentage: must be from 0 to 100, not 101.0"),
        (#"{"validation_percentage": "5"}"#, "validation_percentage: must be a number from 0 to 100"),
        (#"{"shadow_write_timeout_ms": 0}"#, "shadow_write_timeout_ms: must be from 1 to 600000, not 0"),
        (#"{"primary_write_timeout_ms": 1.5}"#, "primary_write_timeout_ms: must be a whole number of milliseconds"),
        (#"{"cassandra_hosts": [1]}"#, "cassandra_hosts: every host must be a text that is not empty"),
        (
            #"{"cassandra_hosts": {}, "nonsense": 1}"#,
            "cassandra_hosts: must be a list of hosts, or one text with commas between them; unknown key 'nonsense'"
        ),
        (#"{}"#, "the document holds no key"),
    ])
    func `a wrong configuration names every wrong key and changes nothing`(body: String, message: String) async throws {
        try await self.withServer(.router) { client, sidecar in
            try await client.execute(
                uri: "/config",
                method: .post,
                headers: Self.authorized,
                body: ByteBuffer(string: body)
            ) { response in
                #expect(response.status == .badRequest)
                #expect(Self.fault(response)?.code == "invalid_configuration")
                #expect(Self.fault(response)?.message == message)
            }
            #expect(sidecar.with { $0.configurationChanges.isEmpty })
        }
    }

    @Test(arguments: Setup.allCases, ["/v1/phase", "/config"])
    func `changing without the right token is refused before the body is read`(setup: Setup, path: String) async throws
    {
        let method: HTTPRequest.Method = path == "/config" ? .post : .put
        try await self.withServer(setup) { client, sidecar in
            for header in [nil, "Bearer wrong", "Bearer", "Basic \(Self.token)", "Bearer correct horse battery"] {
                let headers: HTTPFields = header.map { [.authorization: $0] } ?? [:]
                try await client.execute(uri: path, method: method, headers: headers) { response in
                    #expect(response.status == .unauthorized)
                    #expect(response.headers[.wwwAuthenticate] == "Bearer realm=\"cluster-sync\"")
                }
            }
            #expect(sidecar.with { $0.phaseChanges.isEmpty && $0.configurationChanges.isEmpty })
        }
    }

    @Test func `without a token a loopback peer may change and a browser or forwarder may not`() async throws {
        try await self.withServer(.live, token: nil) { client, sidecar in
            let body = ByteBuffer(string: #"{"mode": "DualWriteSync"}"#)
            try await client.execute(uri: "/v1/phase", method: .put, body: body) { #expect($0.status == .ok) }
            #expect(sidecar.with { $0.phaseChanges.first?.by } == "admin 127.0.0.1")
            for name in [HTTPField.Name.origin, .forwarded, .forwardedFor] {
                try await client.execute(uri: "/v1/phase", method: .put, headers: [name: "http://x"], body: body) {
                    #expect($0.status == .forbidden)
                }
            }
            #expect(sidecar.with { $0.phaseChanges.count } == 1)
        }
    }

    @Test func `without a token a peer whose address is unknown may not change`() async throws {
        try await self.withServer(.router, token: nil) { client, _ in
            try await client.execute(uri: "/v1/phase", method: .put, body: ByteBuffer(string: #"{"mode": 1}"#)) {
                #expect($0.status == .forbidden)
            }
        }
    }

    @Test(arguments: Setup.allCases)
    func `unknown paths and methods and long bodies are JSON errors too`(setup: Setup) async throws {
        try await self.withServer(setup) { client, _ in
            try await client.execute(uri: "/nothing", method: .get) { response in
                #expect(response.status == .notFound)
                #expect(Self.fault(response)?.code == "not_found")
            }
            try await client.execute(uri: "/v1/phase", method: .post) { response in
                #expect(response.status == .methodNotAllowed)
                #expect(response.headers[.allow] == "GET, HEAD, PUT")
                #expect(Self.fault(response)?.code == "method_not_allowed")
            }
            let long = ByteBuffer(repeating: UInt8(ascii: " "), count: AdminServer.bodyBytesMax + 1)
            try await client.execute(uri: "/config", method: .post, headers: Self.authorized, body: long) { response in
                #expect(response.status == .contentTooLarge)
                #expect(Self.fault(response)?.code == "body_too_large")
            }
        }
    }

    @Test func `tokens are compared over their whole length`() {
        #expect(AdminAccess.isEqual("secret", "secret"))
        #expect(!AdminAccess.isEqual("secreT", "secret"))
        #expect(!AdminAccess.isEqual("secretsecret", "secret"))
        #expect(!AdminAccess.isEqual("", "secret"))
        #expect(!AdminAccess.isEqual("", ""))
    }
}
