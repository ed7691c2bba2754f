import CQLProtocol
import DualWriteCore
import DualWriter
import EmbeddedNode
import NIOCore
import TestSupport
import Testing

/// Tables of which the shadow is to get no copies.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct TableFilterTests {
    private static let schema = [
        "CREATE KEYSPACE one WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATE TABLE one.t (p text PRIMARY KEY, v text)", "CREATE TABLE one.private (p text PRIMARY KEY, v text)",
    ]

    private static func rows(_ harness: SidecarHarness, _ cluster: Cluster, _ table: String) async throws -> [String] {
        try await harness.ask(cluster, "SELECT v FROM one.\(table)").firstColumn.sorted()
    }

    private static func write(_ client: TestClient) async throws {
        func ask(_ request: Request) async throws {
            let answer = try await client.ask(request)
            #expect(answer == .result(.void))
        }
        func insert(_ table: String, _ value: String) -> String {
            "INSERT INTO one.\(table) (p, v) VALUES ('\(value)', '\(value)')"
        }
        try await ask(query(insert("t", "query")))
        try await ask(query(insert("private", "query")))
        try await ask(query("BEGIN BATCH \(insert("private", "text")); \(insert("t", "text")) APPLY BATCH"))
        guard
            case .result(.prepared(let prepared)) = try await client.ask(
                .prepare("INSERT INTO one.t (p, v) VALUES ('prepared', ?)")
            ),
            case .result(.prepared(let hidden)) = try await client.ask(
                .prepare("INSERT INTO one.private (p, v) VALUES ('prepared', ?)")
            )
        else {
            Issue.record("not prepared")
            return
        }
        let value = BoundValue.value(ByteBuffer(string: "prepared"))
        let children: [Batch.Child] = [
            .init(.prepared(id: hidden.id), values: [value]), .init(.text(insert("private", "child"))),
            .init(.prepared(id: prepared.id), values: [value]), .init(.text(insert("t", "child"))),
        ]
        try await ask(.batch(Batch(children: children)))
        try await ask(query("TRUNCATE one.private"))
        try await ask(query(insert("private", "last")))
    }

    @Test(arguments: [WriteMode.dualWriteAsync, .dualWriteSync])
    func `the shadow gets the wanted tables, and of a batch its part`(mode: WriteMode) async throws {
        let filter = try TableFilter(parsing: ["one"], exclude: ["one.private"])
        try await SidecarHarness.run(mode: mode, schema: Self.schema) {
            $0.filter = ShadowFilter(tables: filter)
        } _: { harness in
            let client = try await harness.client()
            try await Self.write(client)
            _ = try await client.ask(query("ALTER TABLE one.private ADD w int"))
            try await eventually { await harness.proxy.status().leg(.target)?.shadowWritesQueued == 0 }
            let wanted = ["child", "prepared", "query", "text"]
            #expect(try await Self.rows(harness, .source, "t") == wanted)
            #expect(try await Self.rows(harness, .target, "t") == wanted)
            #expect(try await Self.rows(harness, .source, "private") == ["last"])
            #expect(try await Self.rows(harness, .target, "private") == [])
            let times = try await harness.ask(.source, "SELECT writetime(v) FROM one.t")
            #expect(try await harness.ask(.target, "SELECT writetime(v) FROM one.t") == times)
            guard case .error = try await harness.ask(.target, "SELECT w FROM one.private") else {
                Issue.record("the schema of an unwanted table is changed on the target")
                return
            }
            #expect(await harness.proxy.status().leg(.target)?.dirtyPartitions == 0)
        }
    }

    @Test func `what a killed sidecar leaves behind is cut as well`() async throws {
        try await JournalHarness.run { harness in
            for cluster in Cluster.allCases {
                try await harness.client(of: cluster) { client in
                    _ = try await client.ask(query("CREATE TABLE one.private (p text PRIMARY KEY, v text)"))
                }
            }
            harness.target.setFaults([FaultRule(.textContains("INSERT"), .drop), FaultRule(.opcode(.batch), .drop)])
            let filter = try TableFilter(parsing: [], exclude: ["one.private"])
            var left: TemporaryFolder?
            try await harness.sidecar(.dualWriteAsync) {
                $0.filter = ShadowFilter(tables: filter)
                $0.timeouts.drainMilliseconds = 100
            } _: { _, client in
                try await Self.write(client)
                left = try harness.folder.copy()
            }
            let killed = try #require(left)
            harness.target.setFaults([])
            try await harness.sidecar(.dualWriteAsync, in: killed) {
                $0.filter = ShadowFilter(tables: filter)
            } _: { proxy, _ in
                try await harness.settled(proxy)
            }
            let rows = try await harness.rows(.source)
            #expect(try await harness.rows(.target) == rows && rows.count == 4)
            let hidden = try await harness.client(of: .target) { client in
                try await client.ask(query("SELECT p FROM one.private")).firstColumn
            }
            #expect(hidden == [])
        }
    }
}
