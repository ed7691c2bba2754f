import CQLClient
import CQLProtocol
import DualWriteCore
import DualWriter
import NIOCore
import Testing

@Suite(.serialized, .timeLimit(.minutes(10)))
struct ClientFacingTests {
    @Test func `the system tables describe the sidecar and nothing behind it`() async throws {
        try await ProxyHarness.run(mode: .primaryOnly) { harness in
            let client = try await harness.client()
            guard case .result(.rows(let local)) = try await client.ask(query("SELECT * FROM system.local")),
                case .result(.rows(let peers)) = try await client.ask(query("SELECT * FROM system.peers"))
            else {
                Issue.record("no rows")
                return
            }
            let row = try #require(local.first)
            #expect(row["rpc_address"]?.readableBytesView.elementsEqual([127, 0, 0, 1]) == true)
            #expect(row["cluster_name"].map { String(buffer: $0) } == "source")
            #expect(row["host_id"]?.readableBytesView.elementsEqual([UInt8](repeating: 1, count: 16)) == false)
            #expect(peers.isEmpty)
            guard case .error(let v2) = try await client.ask(query("SELECT * FROM system.peers_v2")),
                case .error(let column) = try await client.ask(query("SELECT nope FROM system.local"))
            else {
                Issue.record("no errors")
                return
            }
            #expect(v2.code == .invalid && v2.message == "unconfigured table peers_v2")
            #expect(column.message.contains("nope"))
        }
    }

    @Test func `USE moves the client to its keyspace, an unknown one is the cluster's own error`() async throws {
        try await ProxyHarness.run(mode: .primaryOnly) { harness in
            let client = try await harness.client()
            #expect(try await client.ask(query("USE \"Shop\"")) == .result(.setKeyspace("Shop")))
            #expect(harness.source.keyspaces == ["Shop"])
            let error = ErrorMessage(.invalid, "Keyspace 'missing' does not exist")
            #expect(try await client.ask(query("USE missing")) == .error(error))
        }
    }

    @Test func `versions that are not spoken are answered and the connection goes on`() async throws {
        try await ProxyHarness.run(mode: .primaryOnly) { harness in
            let client = try await TestClient.connect(to: try harness.address, on: harness.group)
            client.sendRaw([0x42, 0, 0, 9, 0x05, 0, 0, 0, 2, 0xaa, 0xbb])
            client.sendRaw([0x05, 0x10, 0, 8, 0x01, 0, 0, 0, 0])
            try await eventually { client.unasked.count == 2 }
            for response in client.unasked {
                guard case .error(let error) = response else {
                    Issue.record("no error: \(response)")
                    continue
                }
                #expect(error.code == .protocolError)
                #expect(error.message.hasSuffix("supported versions are (3/v3, 4/v4)"))
            }
            #expect(try await client.ask(.startup(["CQL_VERSION": "3.0.0"]), version: .v3) == .ready)
        }
    }

    @Test func `bad frames get a clear error and never a crash`() async throws {
        try await ProxyHarness.run(mode: .primaryOnly) { configuration in
            configuration.limits.frameBytesMax = 1 << 20
        } _: { harness in
            let client = try await harness.client()
            // A QUERY whose text claims to be longer than its frame.
            client.sendRaw([0x04, 0, 0x7f, 1, 0x07, 0, 0, 0, 4, 0, 0, 1, 0])
            // An opcode that is none.
            client.sendRaw([0x04, 0, 0x7f, 2, 0x33, 0, 0, 0, 0])
            // An EXECUTE of an id that nobody gave.
            client.sendRaw([0x04, 0, 0x7f, 3, 0x0a, 0, 0, 0, 7, 0, 2, 1, 2, 0, 1, 0])
            try await eventually { client.unasked.count == 3 }
            let codes = client.unasked.map { response -> ErrorCode? in
                guard case .error(let error) = response else { return nil }
                return error.code
            }
            #expect(codes == [.protocolError, .protocolError, .unprepared])
            // A body of 300 MB: said, then closed.
            client.sendRaw([0x04, 0, 0x7f, 4, 0x07, 0x11, 0xe1, 0xa3, 0x00])
            await client.closed()
            #expect(client.unasked.count == 4)
            var random = SystemRandomNumberGenerator()
            for _ in 0..<50 {
                let noisy = try await TestClient.connect(to: try harness.address, on: harness.group)
                noisy.sendRaw((0..<200).map { _ in UInt8.random(in: 0...255, using: &random) })
                await noisy.close()
            }
            let after = try await harness.client()
            #expect(try await after.ask(.options) != .ready)
            #expect(await harness.proxy.status().counters.protocolErrors >= 3)
        }
    }

    @Test func `more clients than the limit are refused in words`() async throws {
        try await ProxyHarness.run(mode: .primaryOnly) { configuration in
            configuration.limits.clientConnectionsMax = 3
        } _: { harness in
            var clients: [TestClient] = []
            for _ in 0..<3 { clients.append(try await harness.client()) }
            let extra = try await TestClient.connect(to: try harness.address, on: harness.group)
            guard case .error(let error) = try await extra.ask(.startup(["CQL_VERSION": "3.0.0"])) else {
                Issue.record("a fourth client is accepted")
                return
            }
            #expect(error.code == .overloaded && error.message.contains("3"))
            await extra.closed()
            for client in clients { await client.close() }
            try await eventually { (try? await harness.client()) != nil }
        }
    }

    @Test func `a socket above the limit and its refusals is closed at once`() async throws {
        try await ProxyHarness.run(mode: .primaryOnly) { configuration in
            configuration.limits.clientConnectionsMax = 2
            configuration.limits.clientRefusalsMax = 1
        } _: { harness in
            let address = try harness.address
            var sockets: [TestClient] = []
            for _ in 0..<3 { sockets.append(try await TestClient.connect(to: address, on: harness.group)) }
            try await eventually { await harness.proxy.status().clients == 3 }
            let extra = try await TestClient.connect(to: address, on: harness.group)
            await extra.closed()
            #expect(await harness.proxy.status().counters.clientsRefused == 1)
            for socket in sockets { await socket.close() }
            try await eventually { (try? await harness.client()) != nil }
        }
    }

    @Test func `a client that does not finish its handshake is closed`() async throws {
        try await ProxyHarness.run(mode: .primaryOnly) { configuration in
            configuration.limits.clientHandshakeMillisecondsMax = 50
        } _: { harness in
            // On a busy machine an honest client may take longer than that, too.
            var client: TestClient?
            try await eventually {
                client = try? await harness.client()
                return client != nil
            }
            let silent = try await TestClient.connect(to: try harness.address, on: harness.group)
            await silent.closed()
            #expect(try await client?.ask(query("SELECT name FROM ks.t")) != .ready)
            #expect(client?.isClosed == false)
        }
    }

    @Test func `frames that are only begun take bounded memory`() async throws {
        try await ProxyHarness.run(mode: .primaryOnly) { configuration in
            configuration.limits.unfinishedFrameBytesMax = 200_000
        } _: { harness in
            let first = try await harness.client()
            let second = try await harness.client()
            // Both announce 150 kB, and send all but the last bytes of them.
            let begun: [UInt8] = [0x04, 0, 0x7f, 1, 0x07, 0, 2, 0x49, 0xf0] + [UInt8](repeating: 0, count: 149_000)
            first.sendRaw(begun)
            second.sendRaw(begun)
            try await eventually { first.isClosed != second.isClosed }
            let (closed, open) = first.isClosed ? (first, second) : (second, first)
            guard case .error(let error)? = closed.unasked.first else {
                Issue.record("closed without a word")
                return
            }
            #expect(error.code == .overloaded && error.message.contains("200000"))
            open.sendRaw([UInt8](repeating: 0, count: 1_000))
            try await eventually { open.unasked.count == 1 }
            let long = [0x04, 0, 0x7f, 2, 0x07, 0, 2, 0, 1]
            let stranger = try await TestClient.connect(to: try harness.address, on: harness.group)
            stranger.sendRaw(long.map(UInt8.init))
            await stranger.closed()
            #expect(stranger.unasked.count == 1)
        }
    }

    @Test func `requests that wait for an answer take bounded memory`() async throws {
        try await ProxyHarness.run(mode: .primaryOnly) { configuration in
            configuration.limits.requestBytesPerLoopMax = 64_000
            // The second request must come before the first one is given up.
            configuration.timeouts.primaryWriteMilliseconds = 3_000
        } _: { harness in
            let client = try await harness.client()
            harness.source.react(.stayAway)
            let value = String(repeating: "x", count: 40_000)
            async let waiting = client.ask(query("INSERT INTO ks.t (a) VALUES (?)", [value]))
            try await eventually { harness.source.seen.count == 1 }
            guard case .error(let refused) = try await client.ask(query("INSERT INTO ks.t (a) VALUES (?)", [value]))
            else {
                Issue.record("more bytes than the limit are taken")
                return
            }
            #expect(refused.code == .overloaded)
            guard case .error(let late) = try await waiting else { return }
            #expect(late.code == .writeTimeout)
            harness.source.react(.succeed)
            #expect(try await client.ask(query("INSERT INTO ks.t (a) VALUES (?)", [value])) == .result(.void))
        }
    }

    @Test func `more keyspaces than pools take turns, and are told when they cannot`() async throws {
        try await ProxyHarness.run(mode: .primaryOnly) { configuration in
            configuration.source.poolsMax = 3
        } _: { harness in
            var clients: [TestClient] = []
            for number in 0..<6 {
                let client = try await harness.client()
                #expect(try await client.ask(query("USE k\(number)")) == .result(.setKeyspace("k\(number)")))
                clients.append(client)
            }
            for client in clients + clients {
                guard case .result = try await client.ask(query("SELECT name FROM t")) else {
                    Issue.record("a keyspace without requests on their way keeps its pool")
                    return
                }
            }
            harness.source.react(.stayAway)
            // The last request must come before the first one is given up.
            harness.proxy.wait { $0.readMilliseconds = 3_000 }
            let answers = try await withThrowingTaskGroup(of: Response.self) { tasks in
                for client in clients { tasks.addTask { try await client.ask(query("SELECT name FROM t")) } }
                return try await tasks.reduce(into: []) { $0.append($1) }
            }
            let codes = answers.compactMap { if case .error(let error) = $0 { error.code } else { nil } }
            #expect(codes.count { $0 == .overloaded } == 3 && codes.count { $0 == .readTimeout } == 3, "\(codes)")
        }
    }
}
