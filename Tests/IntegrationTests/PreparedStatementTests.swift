import CQLProtocol
import DualWriteCore
import DualWriter
import EmbeddedNode
import NIOCore
import Synchronization
import Testing

/// Prepared statements through the sidecar: what a driver relies on while keyspaces, nodes and caches change.
@Suite(.serialized, .timeLimit(.minutes(10)))
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

    @Test(arguments: [WriteMode.dualWriteAsync, .dualWriteSync, .shadowPrimary])
    func `a statement stays in the keyspace in which it was prepared`(mode: WriteMode) async throws {
        try await SidecarHarness.run(mode: mode) { harness in
            let client = try await harness.client()
            try await client.makeTables(in: "one", "two")
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

    private static func rows(_ id: ByteBuffer, _ client: TestClient) async throws -> Rows? {
        let parameters = QueryParameters(consistency: .one, skipMetadata: true)
        let answer = try await client.ask(.execute(Execute(id: id, parameters: parameters)))
        guard case .result(.rows(let rows)) = answer else {
            Issue.record("\(answer)")
            return nil
        }
        return rows
    }

    @Test func `rows are described as soon as a driver's knowledge of them is old`() async throws {
        try await SidecarHarness.run(mode: .dualWriteSync) { harness in
            let client = try await harness.client()
            try await client.makeTables(in: "one", "two")
            _ = try await client.ask(query("INSERT INTO one.t (p, v) VALUES ('k', 'v')"))
            let select = try await Self.prepare("SELECT * FROM one.t", client)
            #expect(try await Self.rows(select, client)?.metadata.isSkipped == true)
            _ = try await client.ask(query("ALTER TABLE one.t ADD q text"))
            for _ in 0..<2 {
                // Cassandra says UNPREPARED once, to whoever comes first; all others would read wrong columns.
                let altered = try await Self.rows(select, client)
                #expect(altered?.metadata.columns.map(\.name) == ["p", "q", "v"])
            }
        }
    }

    @Test func `rows are described where the target's table has other columns`() async throws {
        try await SidecarHarness.run(mode: .dualWriteSync) { harness in
            let client = try await harness.client()
            try await client.makeTables(in: "one", "two")
            _ = try await harness.ask(.target, "ALTER TABLE one.t ADD a_new_one text")
            _ = try await client.ask(query("INSERT INTO one.t (p, v) VALUES ('k', 'v')"))
            let select = try await Self.prepare("SELECT * FROM one.t", client)
            #expect(try await Self.rows(select, client)?.metadata.isSkipped == true)
            try await harness.proxy.setMode(.shadowPrimary, force: false, reason: nil)
            #expect(try await Self.rows(select, client)?.metadata.columns.map(\.name) == ["p", "a_new_one", "v"])
        }
    }

    @Test func `what a node forgets is prepared again, and what the sidecar forgets the driver prepares`() async throws
    {
        try await SidecarHarness.run(mode: .dualWriteAsync) {
            $0.limits.preparedStatementsMax = 2
        } _: { harness in
            let client = try await harness.client()
            try await client.makeTables(in: "one", "two")
            let insert = try await Self.prepare("INSERT INTO one.t (p) VALUES (?)", client)
            for node in [harness.source, harness.target] { node.forgetPrepared() }
            #expect(try await client.ask(Self.execute(insert, ["a"])) == .result(.void))
            var other = insert
            for number in 0..<3 {
                // Uses are told apart to about a millisecond.
                try await Task.sleep(for: .milliseconds(5))
                other = try await Self.prepare("INSERT INTO one.t (p, v) VALUES (?, '\(number)')", client)
            }
            guard case .error(let error) = try await client.ask(Self.execute(insert, ["b"])) else {
                Issue.record("a statement beyond the limit is known")
                return
            }
            #expect(error.details == .unprepared(id: insert))
            #expect(try await client.ask(Self.execute(other, ["c"])) == .result(.void))
        }
    }

    @Test func `nobody hears that a node has forgotten a statement, however many ask at once`() async throws {
        try await SidecarHarness.run(mode: .dualWriteSync) { harness in
            let client = try await harness.client()
            try await client.makeTables(in: "one", "two")
            let insert = try await Self.prepare("INSERT INTO one.t (p) VALUES (?)", client)
            for round in 0..<5 {
                for node in [harness.source, harness.target] { node.forgetPrepared() }
                let answers = try await withThrowingTaskGroup(of: Response.self) { group in
                    for key in 0..<50 {
                        group.addTask { try await client.ask(Self.execute(insert, ["\(round) \(key)"])) }
                    }
                    return try await group.reduce(into: [Response]()) { $0.append($1) }
                }
                #expect(answers.allSatisfy { $0 == .result(.void) })
            }
        }
    }

    @Test func `ids stay good over a restart`() async throws {
        let texts = Mutex<[PreparedText]>([])
        let id = Mutex<ByteBuffer?>(nil)
        try await SidecarHarness.run(mode: .primaryOnly) { harness in
            let client = try await harness.client()
            try await client.makeTables(in: "one", "two")
            _ = try await client.ask(query("USE one"))
            let insert = try await Self.prepare("INSERT INTO t (p) VALUES (?)", client)
            id.withLock { $0 = insert }
            texts.withLock { $0 = harness.proxy.preparedTexts(bytesMax: 1_000) }
            #expect(harness.proxy.preparedCount == 1)
        }
        let kept = texts.withLock { $0 }
        #expect(kept.map(\.text) == ["INSERT INTO t (p) VALUES (?)"])
        try await SidecarHarness.run(mode: .dualWriteSync) {
            $0.preparedTexts = kept
        } _: { harness in
            let client = try await harness.client()
            try await client.makeTables(in: "one", "two")
            let insert = try #require(id.withLock { $0 })
            #expect(try await client.ask(Self.execute(insert, ["a"])) == .result(.void))
            for cluster in Cluster.allCases {
                #expect(try await harness.ask(cluster, "SELECT p FROM one.t").firstColumn == ["a"])
            }
        }
    }
}
