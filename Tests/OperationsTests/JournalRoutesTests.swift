import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

@testable import Operations

/// The journal, the dead letters and the partitions in doubt on the admin port.
struct JournalRoutesTests: AdminPortTests {
    @Test(arguments: Setup.allCases)
    func `what the clusters are owed is readable by everybody`(setup: Setup) async throws {
        try await self.withServer(setup) { client, _ in
            try await client.execute(uri: "/v1/journal", method: .get) { response in
                #expect(response.status == .ok)
                let document = try DocumentCoding.decode(
                    JournalDocument.self,
                    from: Data(response.body.readableBytesView)
                )
                #expect(document.enabled)
                #expect(document.clusters.map(\.cluster) == ["source", "target"])
                #expect(document.clusters[1].records == 12 && document.clusters[1].heldBack)
                #expect(document.clusters[1].tables == [.init(table: "shop.orders", records: 12, oldestAgeMs: 900)])
            }
        }
    }

    @Test func `the journal is verified for whoever may change something, and for nobody else`() async throws {
        try await self.withServer(.router) { client, _ in
            try await client.execute(uri: "/v1/journal/verify", method: .post) { #expect($0.status == .unauthorized) }
            try await client.execute(uri: "/v1/journal/verify", method: .get, headers: Self.authorized) { response in
                #expect(response.status == .methodNotAllowed)
            }
            try await client.execute(uri: "/v1/journal/verify", method: .post, headers: Self.authorized) { response in
                #expect(response.status == .ok)
                let body = Data(response.body.readableBytesView)
                let document = try DocumentCoding.decode(JournalVerificationDocument.self, from: body)
                #expect(!document.isWhole && document.logs.map(\.name) == ["target-0"])
            }
        }
    }

    @Test(arguments: Setup.allCases)
    func `lists have a limit and can be of one cluster`(setup: Setup) async throws {
        try await self.withServer(setup) { client, sidecar in
            for uri in [
                "/v1/dead-letters", "/v1/dead-letters?limit=500&cluster=target", "/v1/dirty",
                "/v1/dirty?cluster=source&limit=1000", "/v1/dirty?table=a%2E%22B%22&after=7&limit=2",
            ] {
                try await client.execute(uri: uri, method: .get) { #expect($0.status == .ok) }
            }
            #expect(
                sidecar.with { $0.lists } == [
                    "dead-letters both 100", "dead-letters target 500", "dirty both 100", "dirty source 1000",
                    #"dirty both 2 a."B" after 7"#,
                ]
            )
        }
    }

    @Test(arguments: [
        ("/v1/dead-letters?limit=0", "limit: must be a whole number from 1 to 500."),
        ("/v1/dead-letters?limit=501", "limit: must be a whole number from 1 to 500."),
        ("/v1/dead-letters?limit=-1", "limit: must be a whole number from 1 to 500."),
        ("/v1/dead-letters?limit=", "limit: must be a whole number from 1 to 500."),
        ("/v1/dead-letters?limit=ten", "limit: must be a whole number from 1 to 500."),
        ("/v1/dead-letters?limit=99999999999999999999", "limit: must be a whole number from 1 to 500."),
        ("/v1/dead-letters?cluster=both", "cluster: must be source or target."),
        ("/v1/dead-letters?clutser=source", "unknown parameter 'clutser'; did you mean 'cluster'?"),
        ("/v1/dead-letters?limit=1&limit=2", "limit is there twice."),
        ("/v1/dirty?limit=1001", "limit: must be a whole number from 1 to 1000."),
        ("/v1/dirty?key=a.b", "unknown parameter 'key'"),
        ("/v1/dirty?table=a.b&after=-1", "after: must be a whole number."),
        ("/v1/journal?limit=1", "unknown parameter 'limit'"),
    ])
    func `a wrong parameter is refused with its fault`(uri: String, message: String) async throws {
        try await self.withServer(.router) { client, sidecar in
            try await client.execute(uri: uri, method: .get) { response in
                #expect(response.status == .badRequest)
                #expect(Self.fault(response)?.code == "invalid_parameter")
                #expect(Self.fault(response)?.message == message)
            }
            #expect(sidecar.with { $0.lists.isEmpty })
        }
    }

    @Test(arguments: Setup.allCases)
    func `dead letters are retried and discarded`(setup: Setup) async throws {
        try await self.withServer(setup) { client, sidecar in
            for body in [
                #"{"action": "retry", "cluster": "target", "ids": [3, 1, 3]}"#,
                #"{"action": "retry", "cluster": "source", "all": true, "reason": "the table is there now"}"#,
                #"{"action": "discard", "cluster": "target", "ids": [18446744073709551], "all": false, "reason": "r"}"#,
            ] {
                try await client.execute(
                    uri: "/v1/dead-letters",
                    method: .post,
                    headers: Self.authorized,
                    body: ByteBuffer(string: body)
                ) { #expect($0.status == .ok) }
            }
            let by = try #require(sidecar.with { $0.deadLetterChanges.first?.by })
            #expect(
                sidecar.with { $0.deadLetterChanges } == [
                    .init(.retry, cluster: "target", ids: [1, 3], by: by),
                    .init(.retry, cluster: "source", ids: nil, reason: "the table is there now", by: by),
                    .init(.discard, cluster: "target", ids: [18_446_744_073_709_551], reason: "r", by: by),
                ]
            )
        }
    }

    @Test(arguments: [
        (#"{}"#, "the key 'action' is missing; the key 'cluster' is missing; give ids, or \"all\": true"),
        (#"{"action": "rety", "cluster": "target", "all": true}"#, "action: must be retry or discard"),
        (#"{"action": 1, "cluster": "target", "all": true}"#, "action: must be retry or discard"),
        (#"{"action": "retry", "cluster": "Target", "all": true}"#, "cluster: must be source or target"),
        (#"{"action": "retry", "cluster": null, "all": true}"#, "cluster: must be source or target"),
        (#"{"action": "retry", "cluster": "target"}"#, "give ids, or \"all\": true"),
        (#"{"action": "retry", "cluster": "target", "all": false}"#, "give ids, or \"all\": true"),
        (#"{"action": "retry", "cluster": "target", "all": true, "ids": [1]}"#, "give ids or all, not both"),
        (
            #"{"action": "retry", "cluster": "target", "all": 1}"#,
            "all: must be true or false; give ids, or \"all\": true"
        ),
        (#"{"action": "retry", "cluster": "target", "ids": []}"#, "ids: must be a list of 1 to 1000 whole numbers"),
        (#"{"action": "retry", "cluster": "target", "ids": 7}"#, "ids: must be a list of 1 to 1000 whole numbers"),
        (#"{"action": "retry", "cluster": "target", "ids": [-1]}"#, "ids: must be a list of 1 to 1000 whole numbers"),
        (#"{"action": "retry", "cluster": "target", "ids": [1.5]}"#, "ids: must be a list of 1 to 1000 whole numbers"),
        (#"{"action": "retry", "cluster": "target", "ids": ["1"]}"#, "ids: must be a list of 1 to 1000 whole numbers"),
        (
            #"{"action": "discard", "cluster": "target", "ids": [1]}"#,
            "the key 'reason' is missing: it is kept in the log"
        ),
        (
            #"{"action": "discard", "cluster": "target", "ids": [1], "reason": ""}"#,
            "the key 'reason' is missing: it is kept in the log"
        ),
        (
            #"{"action": "retry", "cluster": "target", "ids": [1], "reason": []}"#,
            "reason: must be a text of at most 1024 bytes"
        ),
        (#"{"action": "retry", "cluster": "target", "ids": [1], "id": 1}"#, "unknown key 'id'; did you mean 'ids'?"),
        (#"[]"#, "The body must be a JSON object."),
        (#"{"action": "retry""#, "The body is not valid JSON."),
        ("", "The body is not valid JSON."),
    ])
    func `a wrong change of dead letters is refused with every fault`(body: String, message: String) async throws {
        try await self.withServer(.router) { client, sidecar in
            try await client.execute(
                uri: "/v1/dead-letters",
                method: .post,
                headers: Self.authorized,
                body: ByteBuffer(string: body)
            ) { response in
                #expect(response.status == .badRequest)
                #expect(Self.fault(response)?.code == "invalid_document")
                #expect(Self.fault(response)?.message == message)
                #expect(Self.fault(response)?.hint == "Nothing was changed.")
            }
            #expect(sidecar.with { $0.deadLetterChanges.isEmpty })
        }
    }

    @Test func `more numbers than one request can name are refused`() async throws {
        try await self.withServer(.router) { client, sidecar in
            for (count, status) in [(1_000, HTTPResponse.Status.ok), (1_001, .badRequest)] {
                let ids = (0..<count).map { "\($0)" }.joined(separator: ",")
                let body = ByteBuffer(string: #"{"action": "retry", "cluster": "target", "ids": [\#(ids)]}"#)
                try await client.execute(
                    uri: "/v1/dead-letters",
                    method: .post,
                    headers: Self.authorized,
                    body: body
                ) { #expect($0.status == status) }
            }
            #expect(sidecar.with { $0.deadLetterChanges.map { $0.ids?.count } } == [1_000])
        }
    }

    @Test(arguments: Setup.allCases)
    func `partitions are taken out of doubt by cluster or table`(setup: Setup) async throws {
        try await self.withServer(setup) { client, sidecar in
            for table in ["", #""table": "ks.t", "#] {
                let body = #"{"action": "clear", "cluster": "target", \#(table)"reason": "repaired"}"#
                try await client.execute(
                    uri: "/v1/dirty",
                    method: .post,
                    headers: Self.authorized,
                    body: ByteBuffer(string: body)
                ) { response in
                    #expect(response.status == .ok)
                    #expect(Self.object(response)["cleared"] == .integer(3))
                }
            }
            #expect(sidecar.with { $0.clearings.map(\.table) } == [nil, "ks.t"])
            #expect(sidecar.with { $0.clearings.map(\.reason) } == ["repaired", "repaired"])
        }
    }

    @Test(arguments: [
        (
            #"{}"#,
            "the key 'action' is missing; the key 'cluster' is missing; the key 'reason' is missing: it is kept in the log"
        ),
        (#"{"action": "clean", "cluster": "target", "reason": "r"}"#, "action: must be clear"),
        (#"{"action": "clear", "cluster": "t", "reason": "r"}"#, "cluster: must be source or target"),
        (#"{"action": "clear", "cluster": "target", "reason": 5}"#, "reason: must be a text of at most 1024 bytes"),
        (
            #"{"action": "clear", "cluster": "target", "reason": null}"#,
            "the key 'reason' is missing: it is kept in the log"
        ),
        (
            #"{"action": "clear", "cluster": "target", "table": "", "reason": "r"}"#,
            "table: must be a text of 1 to 256 bytes"
        ),
        (
            #"{"action": "clear", "cluster": "target", "table": ["a"], "reason": "r"}"#,
            "table: must be a text of 1 to 256 bytes"
        ),
        (
            #"{"action": "clear", "cluster": "target", "tables": "a.b", "reason": "r"}"#,
            "unknown key 'tables'; did you mean 'table'?"
        ),
        (
            #"{"action": "clear", "cluster": "target", "ids": ["one"], "reason": "r"}"#,
            "ids: must be ids as GET /v1/dirty tells them"
        ),
        (
            #"{"action": "clear", "cluster": "target", "ids": ["1"], "table": "a.b", "reason": "r"}"#,
            "ids: name the entries already; leave out table"
        ),
        (#"7"#, "The body must be a JSON object."),
    ])
    func `a wrong clearing is refused with every fault`(body: String, message: String) async throws {
        try await self.withServer(.router) { client, sidecar in
            try await client.execute(
                uri: "/v1/dirty",
                method: .post,
                headers: Self.authorized,
                body: ByteBuffer(string: body)
            ) { response in
                #expect(response.status == .badRequest)
                #expect(Self.fault(response)?.message == message)
            }
            #expect(sidecar.with { $0.clearings.isEmpty })
        }
    }

    @Test(arguments: Setup.allCases, ["/v1/dead-letters", "/v1/dirty"])
    func `changing needs the token, in vain before the body is read`(setup: Setup, path: String) async throws {
        try await self.withServer(setup) { client, sidecar in
            for headers in [HTTPFields(), [.authorization: "Bearer wrong"]] {
                try await client.execute(uri: path, method: .post, headers: headers) { response in
                    #expect(response.status == .unauthorized)
                    #expect(Self.fault(response)?.code == "unauthorized")
                }
            }
            try await client.execute(uri: path, method: .put, headers: Self.authorized) { response in
                #expect(response.status == .methodNotAllowed)
                #expect(response.headers[.allow] == "GET, HEAD, POST")
            }
            let long = ByteBuffer(repeating: UInt8(ascii: " "), count: AdminServer.bodyBytesMax + 1)
            try await client.execute(uri: path, method: .post, headers: Self.authorized, body: long) {
                #expect($0.status == .contentTooLarge)
            }
            #expect(sidecar.with { $0.deadLetterChanges.isEmpty && $0.clearings.isEmpty })
        }
    }

    @Test func `without a token a loopback peer may change and is named`() async throws {
        try await self.withServer(.live, token: nil) { client, sidecar in
            let body = ByteBuffer(string: #"{"action": "clear", "cluster": "target", "reason": "repaired"}"#)
            try await client.execute(uri: "/v1/dirty", method: .post, body: body) { #expect($0.status == .ok) }
            try await client.execute(uri: "/v1/dirty", method: .post, headers: [.origin: "http://x"], body: body) {
                #expect($0.status == .forbidden)
            }
            #expect(sidecar.with { $0.clearings.map(\.by) } == ["admin 127.0.0.1"])
        }
    }

    @Test func `a refusal of the sidecar reaches the peer`() async throws {
        try await self.withServer(.router) { client, sidecar in
            sidecar.with { $0.refusal = AdminError(.journalDisabled, "no journal", hint: "turn it on") }
            for (path, body) in [
                ("/v1/dirty", #"{"action": "clear", "cluster": "target", "reason": "r"}"#),
                ("/v1/dead-letters", #"{"action": "retry", "cluster": "target", "all": true}"#),
            ] {
                try await client.execute(
                    uri: path,
                    method: .post,
                    headers: Self.authorized,
                    body: ByteBuffer(string: body)
                ) { response in
                    #expect(response.status == .conflict)
                    #expect(
                        Self.fault(response)
                            == .init(code: "journal_disabled", message: "no journal", hint: "turn it on")
                    )
                }
            }
        }
    }

    @Test(arguments: Setup.allCases)
    func `what is owed of partitions is asked with the token, and answered by places`(setup: Setup) async throws {
        try await self.withServer(setup) { client, sidecar in
            let body = ByteBuffer(string: #"{"keyspace": "ks", "table": "T", "keys": ["00ff", "0A"]}"#)
            let path = "/v1/journal/owed"
            try await client.execute(uri: path, method: .post, body: body) { #expect($0.status == .unauthorized) }
            try await client.execute(uri: path, method: .post, headers: Self.authorized, body: body) { response in
                #expect(response.status == .ok)
                #expect(Self.object(response) == ["owed": .array([.integer(1)]), "complete": .bool(true)])
            }
            #expect(sidecar.with { $0.lists } == ["owed ks.T [[0, 255], [10]]"])
        }
    }

    @Test(arguments: [
        (#"{"keyspace": "k", "table": "t"}"#, "keys: names no partition"),
        (
            #"{"keyspace": "k", "table": "t", "keys": ["abc"]}"#,
            "keys: must be in hexadecimal digits; keys: names no partition"
        ),
        (#"{"keyspace": "k", "table": "t", "keys": ["0g", "00"]}"#, "keys: must be in hexadecimal digits"),
        (#"{"table": "t", "keys": ["00"]}"#, "the key 'keyspace' is missing"),
        (#"{"keyspace": "k", "table": "t", "key": ["00"], "keys": ["00"]}"#, "unknown key 'key'; did you mean 'keys'?"),
    ])
    func `a wrong question is refused with every fault`(body: String, message: String) async throws {
        try await self.withServer(.router) { client, sidecar in
            try await client.execute(
                uri: "/v1/journal/owed",
                method: .post,
                headers: Self.authorized,
                body: ByteBuffer(string: body)
            ) { response in
                #expect(response.status == .badRequest)
                #expect(Self.fault(response)?.message == message)
            }
            #expect(sidecar.with { $0.lists.isEmpty })
        }
    }
}
