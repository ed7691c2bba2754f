import CQLClient
import CQLProtocol
import DualWriteCore
import DualWriter
import EmbeddedNode
import NIOCore
import NIOPosix
import Testing

/// Plays clients that were recorded with the real Cassandra 4.1, and compares the answers with those that it gave.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct ReplayTests {
    static let folder = Fixtures.wire("cassandra-4.1")

    /// In the order in which they were recorded, because each finds what the ones before it have left. `negotiate` has tests
    /// of its own: ``NegotiationTests``.
    private static let scenarios = [
        "connect", "types", "paging", "batch", "lwt", "counters", "writes", "errors", "events", "tracing", "lz4",
        "snappy",
        "v3",
    ]

    @Test(.enabled(if: folder != nil, "the recorded conversations are not here"))
    func `the node answers as Cassandra did`() async throws {
        let folder = try #require(Self.folder)
        let node = try await EmbeddedNode.start(on: MultiThreadedEventLoopGroup.singleton)
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: node.port)
        var replayer = Replayer(address: address, group: MultiThreadedEventLoopGroup.singleton, isSidecar: false)
        for scenario in Self.scenarios { try await replayer.play(try Recording(scenario, in: folder)) }
        #expect(replayer.compared > 300)
        #expect(replayer.differences == [])
        await node.stop()
    }

    @Test(.enabled(if: folder != nil, "the recorded conversations are not here"), arguments: WriteMode.allCases)
    func `the sidecar answers as Cassandra did`(mode: WriteMode) async throws {
        let folder = try #require(Self.folder)
        try await SidecarHarness.run(mode: mode) { harness in
            var replayer = Replayer(address: try harness.address, group: harness.group, isSidecar: true)
            for scenario in Self.scenarios { try await replayer.play(try Recording(scenario, in: folder)) }
            #expect(replayer.compared > 300)
            #expect(replayer.differences == [])
        }
    }

    @Test(.enabled(if: folder != nil, "the recorded conversations are not here"))
    func `right and wrong passwords are answered as Cassandra did`() async throws {
        let folder = try #require(Self.folder)
        var node = EmbeddedNodeConfiguration()
        node.authentication = .password(["cassandra": "cassandra"])
        let credentials = RotatingCredentials(username: "cassandra", password: "cassandra")
        try await SidecarHarness.run(mode: .dualWriteSync, node: node) { configuration in
            configuration.source.credentials = credentials
            configuration.target.credentials = credentials
        } _: { harness in
            var replayer = Replayer(address: try harness.address, group: harness.group, isSidecar: true)
            try await replayer.play(try Recording("auth", in: folder))
            #expect(replayer.compared > 10)
            // The embedded node has no roles besides its users.
            let differences = replayer.differences.filter { !$0.hasPrefix("auth: LIST ROLES: error(") }
            #expect(differences == [])
        }
    }
}
