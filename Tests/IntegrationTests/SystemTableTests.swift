import CQLClient
import CQLProtocol
import DualWriteCore
import DualWriter
import EmbeddedNode
import NIOCore
import Synchronization
import Testing

/// The tables from which a driver learns who its hosts are.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct SystemTableTests {
    private static func rows(_ text: String, _ client: TestClient) async throws -> Rows {
        let answer = try await client.ask(query(text))
        guard case .result(.rows(let rows)) = answer else {
            Issue.record("\(text): \(answer)")
            throw TestClient.Closed()
        }
        return rows
    }

    private static func token(_ row: Row?) -> String? {
        row?["tokens"].flatMap { $0.getString(at: $0.readerIndex + 8, length: $0.readableBytes - 8) }
    }

    @Test func `several sidecars are several hosts with parts of the ring of their own`() async throws {
        let hosts = try ["127.0.0.3", "127.0.0.1", "127.0.0.2", "::1"].map {
            try SocketAddress(ipAddress: $0, port: 9_042)
        }
        try await SidecarHarness.run(mode: .primaryOnly) {
            $0.advertisedAddress = hosts[1]
            $0.sidecars = hosts
        } _: { harness in
            let client = try await harness.client()
            let local = try await Self.rows("SELECT * FROM system.local WHERE key='local'", client)
            let peers = try await Self.rows("SELECT * FROM system.peers", client)
            #expect(local.rowCount == 1 && peers.rowCount == 3)
            let tokens = [Self.token(local.first)] + peers.map { Self.token($0) }
            #expect(Set(tokens).count == 4 && tokens.contains(String(Int64.min)))
            #expect(Set(peers.map { $0["host_id"] } + [local.first?["host_id"]]).count == 4)
            #expect(
                peers.allSatisfy { $0["data_center"] == local.first?["data_center"] && $0["schema_version"] != nil }
            )
            let one = try await Self.rows("SELECT peer, rack FROM system.peers WHERE peer = '127.0.0.2'", client)
            #expect(one.first?["peer"]?.readableBytesView.elementsEqual([127, 0, 0, 2]) == true && one.rowCount == 1)
            let six = try await Self.rows(
                "SELECT native_port FROM system.peers_v2 WHERE peer = '::1' AND peer_port = 9042",
                client
            )
            #expect(six.first?["native_port"] == ByteBuffer(integer: Int32(9_042)))
            #expect(try await Self.rows("SELECT peer FROM system.peers WHERE peer = '127.0.0.1'", client).isEmpty)
        }
    }

    @Test func `prepared statements about them bind their keys`() async throws {
        try await SidecarHarness.run(mode: .dualWriteSync) { harness in
            let client = try await harness.client()
            let text = "SELECT cluster_name FROM system.local WHERE key = ?"
            guard case .result(.prepared(let prepared)) = try await client.ask(.prepare(text)) else {
                Issue.record("no answer")
                return
            }
            #expect(prepared.variables.partitionKeyIndices == [0])
            for (key, count) in [("local", 1), ("other", 0)] {
                let parameters = QueryParameters(
                    consistency: .one,
                    values: .positional([.value(ByteBuffer(string: key))])
                )
                let answer = try await client.ask(.execute(Execute(id: prepared.id, parameters: parameters)))
                #expect(answer.firstColumn.count == count)
            }
        }
    }

    @Test func `who asked for news is told when the sidecar goes down, before it refuses anything`() async throws {
        let client = Mutex<TestClient?>(nil)
        try await SidecarHarness.run(mode: .primaryOnly) { harness in
            let listener = try await harness.client()
            #expect(try await listener.ask(.register([.statusChange])) == .ready)
            client.withLock { $0 = listener }
        }
        let listener = try #require(client.withLock { $0 })
        await listener.closed()
        guard case .event(.statusChange("DOWN", let endpoint))? = listener.unasked.first else {
            Issue.record("\(listener.unasked)")
            return
        }
        #expect(endpoint.address.bytes.readableBytesView.elementsEqual([127, 0, 0, 1]))
        #expect(listener.unasked.count == 1)
    }

    @Test func `a change of the schema is told once, in every mode and after the control connection was lost`()
        async throws
    {
        try await SidecarHarness.run(mode: .primaryOnly) {
            $0.source.reconnectMillisecondsMin = 10
            $0.target.reconnectMillisecondsMin = 10
        } _: { harness in
            let listener = try await harness.client()
            _ = try await listener.ask(.register([.schemaChange]))
            let client = try await harness.client()
            let replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
            var told: [String] = []
            for mode in WriteMode.allCases {
                // From TargetOnly on, and before DualWriteAsync, one of the nodes does not hear of it.
                _ = try await harness.proxy.setMode(mode, force: true, reason: "test")
                for round in ["a", "b"] {
                    let keyspace = "k\(mode.rawValue)\(round)"
                    _ = try await client.ask(query("CREATE KEYSPACE \(keyspace) WITH replication = \(replication)"))
                    told.append(keyspace)
                    try await eventually { listener.unasked.count >= told.count }
                    guard round == "a" else { continue }
                    let node = harness.node(mode.primary)
                    await node.disconnectClients()
                    try await eventually {
                        let status = await harness.proxy.status()
                        return status.isReady && status.legs.allSatisfy(\.isConnected)
                    }
                }
            }
            let heard = listener.unasked.compactMap { response -> String? in
                guard case .event(.schemaChange(let change)) = response else { return nil }
                return change.keyspace
            }
            #expect(heard == told)
        }
    }
}
