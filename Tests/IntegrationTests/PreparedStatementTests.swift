import CQLProtocol
import DualWriteCore
import NIOCore
import Testing

/// Prepared statements through the sidecar: what a driver relies on while keyspaces, nodes and caches change.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct PreparedStatementTests {
    private static func prepare(_ text: String, _ client: TestClient) async throws -> ByteBuffer {
        guard case .result(.prepared(let prepared)) = try await client.ask(.prepare(text)) else {
            throw TestClient.Closed()
        }
        return prepared.id
    }

    private static func execute(_ id: ByteBuffer, _ values: [String] = []) -> Request {
        var parameters = QueryParameters(consistency: .one)
        if !values.isEmpty { parameters.values = .positional(values.map { .value(ByteBuffer(string: $0)) }) }
        return .execute(Execute(id: id, parameters: parameters))
    }

    /// Keyspaces `one` and `two`, each with a table `t`, on both clusters.
    private static func makeTables(_ client: TestClient) async throws {
        for keyspace in ["one", "two"] {
            let replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
            _ = try await client.ask(query("CREATE KEYSPACE \(keyspace) WITH replication = \(replication)"))
            _ = try await client.ask(query("CREATE TABLE \(keyspace).t (p text PRIMARY KEY, v text)"))
        }
    }

    @Test(arguments: [WriteMode.dualWriteAsync, .dualWriteSync, .shadowPrimary])
    func `a statement stays in the keyspace in which it was prepared`(mode: WriteMode) async throws {
        try await SidecarHarness.run(mode: mode) { harness in
            let client = try await harness.client()
            try await Self.makeTables(client)
            _ = try await client.ask(query("USE one"))
            let insert = try await Self.prepare("INSERT INTO t (p, v) VALUES (?, 'one')", client)
            _ = try await client.ask(query("USE two"))
            let other = try await Self.prepare("INSERT INTO t (p, v) VALUES (?, 'one')", client)
            #expect(insert != other, "the same text in two keyspaces is two statements")
            #expect(try await client.ask(Self.execute(insert, ["executed"])) == .result(.void))
            let batch = Batch(
                children: [
                    Batch.Child(.prepared(id: insert), values: [.value(ByteBuffer(string: "batched"))]),
                    Batch.Child(.text("INSERT INTO t (p, v) VALUES ('text', 'two')")),
                ]
            )
            #expect(try await client.ask(.batch(batch)) == .result(.void))
            for cluster in Cluster.allCases {
                try await eventually {
                    let one = try await harness.ask(cluster, "SELECT p FROM one.t").firstColumn
                    return Set(one) == ["executed", "batched"]
                }
                #expect(try await harness.ask(cluster, "SELECT p FROM two.t").firstColumn == ["text"], "\(cluster)")
            }
        }
    }
}
