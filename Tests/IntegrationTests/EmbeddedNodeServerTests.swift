import CQLProtocol
import EmbeddedNode
import NIOCore
import NIOPosix
import Testing

/// The embedded node over real sockets, frame by frame.
@Suite struct EmbeddedNodeServerTests {
    private func withNode(
        _ configuration: EmbeddedNodeConfiguration = EmbeddedNodeConfiguration(),
        _ body: (EmbeddedNode, SocketAddress) async throws -> Void
    ) async throws {
        let node = try await EmbeddedNode.start(on: MultiThreadedEventLoopGroup.singleton, configuration: configuration)
        try await body(node, try SocketAddress(ipAddress: "127.0.0.1", port: node.port))
        await node.stop()
    }

    private func connect(_ address: SocketAddress) async throws -> TestClient {
        try await TestClient.connect(to: address, on: MultiThreadedEventLoopGroup.singleton)
    }

    private func started(_ address: SocketAddress) async throws -> TestClient {
        try await TestClient.start(on: address, group: MultiThreadedEventLoopGroup.singleton)
    }

    private func code(_ response: Response) -> ErrorCode? {
        if case .error(let error) = response { return error.code }
        return nil
    }

    @Test func `a version that the node does not speak is answered on its stream, and the connection stays`()
        async throws
    {
        try await self.withNode { _, address in
            let client = try await self.connect(address)
            client.sendRaw([0x42, 0, 0, 1, 5, 0, 0, 0, 0])
            try await eventually { client.unasked.count == 1 }
            guard case .error(let error) = client.unasked.first else {
                Issue.record("no error came")
                return
            }
            #expect(
                error.message
                    == "Invalid or unsupported protocol version (66); supported versions are (3/v3, 4/v4)"
            )
            guard case .supported = try await client.ask(.options) else {
                Issue.record("not SUPPORTED")
                return
            }
        }
    }

    @Test func `passwords are checked as Cassandra does`() async throws {
        var configuration = EmbeddedNodeConfiguration()
        configuration.authentication = .password(["cassandra": "secret"])
        try await self.withNode(configuration) { _, address in
            for (password, isRight) in [("secret", true), ("wrong", false)] {
                let client = try await self.connect(address)
                let asked = try await client.ask(.startup(["CQL_VERSION": "3.0.0"]))
                #expect(asked == .authenticate("org.apache.cassandra.auth.PasswordAuthenticator"))
                let early = try await client.ask(query("SELECT * FROM system.local"))
                #expect(self.code(early) == .protocolError)
                let token = ByteBuffer(bytes: [0] + Array("cassandra".utf8) + [0] + Array(password.utf8))
                let answer = try await client.ask(.authResponse(token))
                if isRight {
                    #expect(answer == .authSuccess(nil))
                } else {
                    guard case .error(let error) = answer else {
                        Issue.record("\(answer)")
                        return
                    }
                    #expect(error.code == .badCredentials)
                    #expect(error.message == "Provided username cassandra and/or password are incorrect")
                }
            }
        }
    }

    @Test func `requests before STARTUP and bodies that are none are refused, and the connection goes on`() async throws
    {
        try await self.withNode { _, address in
            let client = try await self.connect(address)
            #expect(self.code(try await client.ask(query("SELECT * FROM system.local"))) == .protocolError)
            guard case .ready = try await client.ask(.startup(["CQL_VERSION": "3.0.0"])) else { return }
            client.sendRaw([4, 0, 0, 99, 7, 0, 0, 0, 3, 1, 2, 3])
            try await eventually { client.unasked.count == 1 }
            client.sendRaw([4, 0, 0, 99, 0x55, 0, 0, 0, 0])
            try await eventually { client.unasked.count == 2 }
            for answer in client.unasked { #expect(self.code(answer) == .protocolError) }
            guard case .result = try await client.ask(query("SELECT * FROM system.local")) else {
                Issue.record("the connection does not go on")
                return
            }
            client.sendRaw([4, 0, 0, 1, 7, 0x7f, 0xff, 0xff, 0xff])
            await client.closed()
        }
    }

    @Test func `each fault does what it says`() async throws {
        try await self.withNode { node, address in
            let client = try await self.started(address)
            let overloaded = ErrorMessage(.overloaded, "made up")
            node.setFaults([FaultRule(.textContains("system.local"), .error(overloaded), times: 1)])
            #expect(try await client.ask(query("SELECT * FROM system.local")) == .error(overloaded))
            guard case .result = try await client.ask(query("SELECT * FROM system.local")) else {
                Issue.record("once")
                return
            }

            node.setFaults([FaultRule(.opcode(.query), .delay(.milliseconds(50)), times: 1)])
            let begin = ContinuousClock.now
            _ = try await client.ask(query("SELECT * FROM system.local"))
            #expect(ContinuousClock.now - begin >= .milliseconds(50))

            node.setFaults([FaultRule(.all([.opcode(.query), .not(.textContains("peers"))]), .close)])
            _ = try await client.ask(query("SELECT * FROM system.peers"))
            await #expect(throws: TestClient.Closed.self) { try await client.ask(query("SELECT * FROM system.local")) }
            #expect(node.statistics.requests[.query] == 5)
        }
    }

    @Test func `random faults come the same way again from the same seed`() async throws {
        try await self.withNode { node, address in
            let client = try await self.started(address)
            var runs: [[Bool]] = []
            for _ in 0..<2 {
                node.setFaults([FaultRule(.probability(0.5), .error(ErrorMessage(.overloaded, "made up")))], seed: 7)
                var run: [Bool] = []
                for _ in 0..<32 {
                    run.append(self.code(try await client.ask(query("SELECT * FROM system.peers"))) != nil)
                }
                runs.append(run)
            }
            #expect(runs[0] == runs[1])
            #expect(runs[0].contains(true) && runs[0].contains(false))
        }
    }

    @Test func `all nodes of a store tell their clients of a change, and see each other as peers`() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let store = EmbeddedStore()
        let one = try await EmbeddedNode.start(on: group, address: "127.0.0.1", store: store)
        let two = try await EmbeddedNode.start(on: group, address: "127.0.0.2", store: store)
        let listener = try await self.started(try SocketAddress(ipAddress: "127.0.0.2", port: two.port))
        _ = try await listener.ask(.register([.schemaChange]))
        let client = try await self.started(try SocketAddress(ipAddress: "127.0.0.1", port: one.port))
        let text = "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
        _ = try await client.ask(query(text))
        let change = SchemaChange(change: "CREATED", target: .keyspace, keyspace: "k")
        try await eventually { listener.unasked == [.event(.schemaChange(change))] }
        guard case .result(.rows(let rows)) = try await client.ask(query("SELECT peer FROM system.peers")) else {
            return
        }
        #expect(rows.first?[0] == ByteBuffer(bytes: [127, 0, 0, 2]))
        await two.kill()
        await listener.closed()
        func peers() async throws -> [String] {
            try await client.ask(query("SELECT peer FROM system.peers")).firstColumn
        }
        #expect(try await peers().count == 1, "a node that is down is a peer")
        let again = try await EmbeddedNode.start(on: group, address: "127.0.0.2", port: two.port, store: store)
        #expect(try await peers().count == 1, "it is the same one when it is back")
        await again.stop()
        #expect(try await peers() == [], "one that has left is none")
        await one.stop()
    }

    @Test func `the cache of prepared statements forgets the one used longest ago`() async throws {
        var configuration = EmbeddedNodeConfiguration()
        configuration.preparedMax = 2
        try await self.withNode(configuration) { _, address in
            let client = try await self.started(address)
            var ids: [ByteBuffer] = []
            for column in ["key", "rack", "tokens"] {
                let answer = try await client.ask(.prepare("SELECT \(column) FROM system.local"))
                guard case .result(.prepared(let prepared)) = answer else {
                    Issue.record("\(answer)")
                    return
                }
                ids.append(prepared.id)
            }
            let answers = [
                try await client.ask(.execute(Execute(id: ids[0], parameters: QueryParameters()))),
                try await client.ask(.execute(Execute(id: ids[2], parameters: QueryParameters()))),
            ]
            #expect(self.code(answers[0]) == .unprepared)
            #expect(self.code(answers[1]) == nil)
        }
    }
}
