import CQLClient
import CQLProtocol
import DualWriteCore
import DualWriter
import EmbeddedNode
import NIOCore
import Testing

/// Names and passwords: whose they are, who checks them, and what happens when they change.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct AuthenticationTests {
    private static let app = (name: "app", password: "secret")
    private static let service = (name: "mover", password: "moving")

    private static func node(_ users: (name: String, password: String)...) -> EmbeddedNodeConfiguration {
        var node = EmbeddedNodeConfiguration()
        node.authentication = .password(Dictionary(uniqueKeysWithValues: users.map { ($0.name, $0.password) }))
        return node
    }

    private static var own: RotatingCredentials {
        RotatingCredentials(username: Self.service.name, password: Self.service.password)
    }

    private static let incorrect = ErrorMessage(
        .badCredentials,
        "Provided username app and/or password are incorrect"
    )

    @Test func `clients act under their own names, and wrong passwords are refused by the cluster`() async throws {
        let node = Self.node(Self.app, Self.service)
        try await SidecarHarness.run(mode: .dualWriteSync, node: node) {
            $0.source.credentials = Self.own
            $0.target.credentials = Self.own
        } _: { harness in
            let (client, answer) = try await harness.login("app", "secret")
            #expect(answer == .authSuccess(nil))
            try await client.makeTables(in: "one")
            #expect(try await client.ask(query("INSERT INTO one.t (p) VALUES ('k')")) == .result(.void))
            for cluster in Cluster.allCases {
                let rows = try await harness.ask(cluster, "SELECT p FROM one.t", as: Self.app)
                #expect(rows.firstColumn == ["k"])
            }
            for _ in 0..<2 {
                let (refused, answer) = try await harness.login("app", "guess")
                #expect(answer == .error(Self.incorrect))
                // As with Cassandra, the connection may try once more.
                let again = try await refused.ask(.authResponse(ByteBuffer(string: "\0app\0secret")))
                #expect(again == .authSuccess(nil))
            }
        }
    }

    @Test func `a password that was changed counts for the next login, and who is in stays in`() async throws {
        let node = Self.node(Self.app, Self.service)
        try await SidecarHarness.run(mode: .primaryOnly, node: node) {
            $0.source.credentials = Self.own
            $0.target.credentials = Self.own
            $0.source.credentialsValidMilliseconds = 0
            $0.source.refusalMilliseconds = 0
        } _: { harness in
            let (client, _) = try await harness.login("app", "secret")
            try await client.makeTables(in: "one")
            harness.source.setAuthentication(.password(["app": "changed", "mover": "moving"]))
            let former = try await harness.login("app", "secret").answer
            #expect(former == .error(Self.incorrect))
            #expect(try await harness.login("app", "changed").answer == .authSuccess(nil))
            #expect(try await client.ask(query("INSERT INTO one.t (p) VALUES ('k')")) == .result(.void))
            // Nothing can be opened with the old password any more: who still has it is told, and closed.
            await harness.source.disconnectClients()
            try await eventually {
                guard !client.isClosed else { return true }
                _ = try? await client.ask(query("SELECT p FROM one.t"))
                return client.isClosed
            }
            let (next, _) = try await harness.login("app", "changed")
            try await eventually { try await next.ask(query("SELECT p FROM one.t")).firstColumn == ["k"] }
        }
    }

    @Test func `on a cluster with users of its own all clients act as configured`() async throws {
        try await SidecarHarness.run(
            mode: .dualWriteAsync,
            node: Self.node(Self.app, Self.service),
            targetNode: Self.node(Self.service)
        ) {
            $0.source.credentials = Self.own
            $0.target.credentials = Self.own
            $0.actingAsConfigured = [.target]
            $0.timeouts.primaryWriteMilliseconds = 2_000
        } _: { harness in
            let (client, _) = try await harness.login("app", "secret")
            try await client.makeTables(in: "one")
            #expect(try await client.ask(query("INSERT INTO one.t (p) VALUES ('k')")) == .result(.void))
            try await eventually {
                try await harness.ask(.target, "SELECT p FROM one.t", as: Self.service).firstColumn == ["k"]
            }
            for mode in [WriteMode.dualWriteSync, .shadowPrimary] {
                _ = try await harness.proxy.setMode(mode)
                #expect(try await harness.login("app", "secret").answer == .authSuccess(nil))
                #expect(try await harness.login("app", "guess").answer == .error(Self.incorrect))
            }
            // A shadow that is away keeps nobody out whom it has let in.
            await harness.source.stop()
            try await eventually { try await harness.login("app", "secret").answer == .authSuccess(nil) }
            #expect(try await harness.login("app", "guess").answer != .authSuccess(nil))
            _ = try await harness.proxy.setMode(.targetOnly, force: true, reason: "the source is gone")
            #expect(try await harness.login("app", "secret").answer == .error(Self.incorrect))
            #expect(try await harness.login("mover", "moving").answer == .authSuccess(nil))
        }
    }

    @Test func `copies wait while the shadow refuses the password, and arrive when it is right`() async throws {
        let own = Self.own
        try await SidecarHarness.run(
            mode: .dualWriteAsync,
            node: Self.node(Self.app, Self.service)
        ) {
            $0.source.credentials = own
            $0.target.credentials = own
            $0.actingAsConfigured = [.target]
            $0.target.reconnectMillisecondsMax = 200
        } _: { harness in
            let (client, _) = try await harness.login("app", "secret")
            try await client.makeTables(in: "one")
            harness.target.setAuthentication(.password(["mover": "rotated"]))
            await harness.target.disconnectClients()
            for key in 0..<50 {
                let insert = query("INSERT INTO one.t (p) VALUES ('\(key)')")
                #expect(try await client.ask(insert) == .result(.void))
            }
            #expect(await harness.proxy.status().legs.last?.shadowWritesQueued == 50)
            own.replace(password: "rotated")
            try await eventually {
                let rows = try await harness.ask(.target, "SELECT p FROM one.t", as: ("mover", "rotated"))
                return rows.firstColumn.count == 50
            }
            #expect(await harness.proxy.status().counters.target.shadowDead == 0)
        }
    }

    @Test func `wrong passwords take nothing from who is in`() async throws {
        let node = Self.node(Self.app, Self.service)
        try await SidecarHarness.run(mode: .dualWriteSync, node: node) {
            $0.source.credentials = Self.own
            $0.target.credentials = Self.own
            $0.source.poolsMax = 3
            $0.target.poolsMax = 3
            $0.source.loginChecksMax = 8
        } _: { harness in
            let (client, _) = try await harness.login("app", "secret")
            try await client.makeTables(in: "one")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<100 {
                    group.addTask {
                        let (intruder, answer) = try await harness.login("app", "guess \(number)")
                        #expect(answer != .authSuccess(nil))
                        await intruder.close()
                    }
                }
                for key in 0..<100 {
                    group.addTask {
                        let answer = try await client.ask(query("INSERT INTO one.t (p) VALUES ('\(key)')"))
                        #expect(answer == .result(.void))
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await harness.login("app", "secret").answer == .authSuccess(nil))
        }
    }

    @Test func `copies that are owed under an old password arrive under the new one`() async throws {
        let node = Self.node(Self.app, Self.service)
        try await SidecarHarness.run(mode: .dualWriteAsync, node: node) {
            $0.source.credentials = Self.own
            $0.target.credentials = Self.own
            $0.target.refusalMilliseconds = 20
        } _: { harness in
            let (client, _) = try await harness.login("app", "secret")
            try await client.makeTables(in: "one")
            for node in [harness.source, harness.target] {
                node.setAuthentication(.password(["app": "changed", "mover": "moving"]))
            }
            await harness.target.disconnectClients()
            for key in 0..<20 {
                let insert = query("INSERT INTO one.t (p) VALUES ('\(key)')")
                #expect(try await client.ask(insert) == .result(.void))
            }
            #expect((await harness.proxy.status().legs.last?.shadowWritesQueued ?? 0) > 0)
            #expect(try await harness.login("app", "changed").answer == .authSuccess(nil))
            try await eventually {
                let rows = try await harness.ask(.target, "SELECT p FROM one.t", as: ("app", "changed"))
                return rows.firstColumn.count == 20
            }
            #expect(await harness.proxy.status().counters.target.shadowDead == 0)
        }
    }
}
