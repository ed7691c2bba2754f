import CQLProtocol
import DualWriteCore
import DualWriter
import NIOCore
import TestSupport
import Testing

/// Tenants whose rows the shadow is not to get.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct TenantFilterTests {
    private static let schema = [
        "CREATE KEYSPACE one WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATE TABLE one.t (tenant text, id int, v text, PRIMARY KEY ((tenant, id)))",
    ]
    private static let rules = ShadowFilter(
        tables: .all,
        tenants: TenantRules(columns: ["tenant"], include: [], exclude: ["private"])
    )

    private static func rows(_ harness: SidecarHarness, _ cluster: Cluster) async throws -> [String] {
        try await harness.ask(cluster, "SELECT v FROM one.t").firstColumn.sorted()
    }

    private static func write(_ client: TestClient, from id: Int) async throws {
        func ask(_ request: Request) async throws {
            let answer = try await client.ask(request)
            #expect(answer == .result(.void))
        }
        func insert(_ tenant: String, _ id: Int) -> String {
            "INSERT INTO one.t (tenant, id, v) VALUES ('\(tenant)', \(id), '\(tenant)\(id)')"
        }
        guard
            case .result(.prepared(let prepared)) = try await client.ask(
                .prepare("INSERT INTO one.t (tenant, id, v) VALUES (?, \(id + 2), ?)")
            )
        else {
            Issue.record("not prepared")
            return
        }
        for tenant in ["private", "public"] {
            try await ask(query(insert(tenant, id)))
            let values = [tenant, "\(tenant)\(id + 2)"].map { BoundValue.value(ByteBuffer(string: $0)) }
            var parameters = QueryParameters(consistency: .one)
            parameters.values = .positional(values)
            try await ask(.execute(Execute(id: prepared.id, parameters: parameters)))
            try await ask(.batch(Batch(children: [.init(.prepared(id: prepared.id), values: values)])))
        }
        try await ask(query("BEGIN BATCH \(insert("private", id + 1)); \(insert("public", id + 1)) APPLY BATCH"))
    }

    @Test(arguments: [WriteMode.dualWriteAsync, .dualWriteSync])
    func `the shadow gets the rows of wanted tenants, until the filter changes`(mode: WriteMode) async throws {
        try await SidecarHarness.run(mode: mode, schema: Self.schema) {
            $0.filter = Self.rules
        } _: { harness in
            let client = try await harness.client()
            try await Self.write(client, from: 0)
            try await eventually { await harness.proxy.status().leg(.target)?.shadowWritesQueued == 0 }
            #expect(try await Self.rows(harness, .source).count == 6)
            #expect(try await Self.rows(harness, .target) == ["public0", "public1", "public2"])
            let counts = await harness.proxy.status().counters.filtering
            #expect(counts.byTenant == 4 && counts.byTable == 0 && counts.untold == 0)

            harness.proxy.setFilter(.all)
            try await Self.write(client, from: 10)
            try await eventually { await harness.proxy.status().leg(.target)?.shadowWritesQueued == 0 }
            #expect(try await Self.rows(harness, .target).count == 3 + 6)
            harness.proxy.setFilter(Self.rules)
            try await Self.write(client, from: 20)
            try await eventually { await harness.proxy.status().leg(.target)?.shadowWritesQueued == 0 }
            #expect(try await Self.rows(harness, .target).count == 3 + 6 + 3)
            #expect(await harness.proxy.status().leg(.target)?.dirtyPartitions == 0)
        }
    }
}
