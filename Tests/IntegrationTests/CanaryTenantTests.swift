import CQLProtocol
import DualWriteCore
import DualWriter
import EmbeddedNode
import NIOCore
import TestSupport
import Testing

/// Tenants whose reads go ahead of their table, between two nodes whose rows say which of them has answered.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct CanaryTenantTests {
    private static let schema = [
        "CREATE KEYSPACE one WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATE TABLE one.t (tenant text, id int, v text, PRIMARY KEY (tenant, id))",
        "CREATE TABLE one.other (tenant text, id int, v text, PRIMARY KEY (tenant, id))",
    ]

    private static func ahead(_ values: String..., of tables: String = "one.t") throws -> ModeOverrides {
        try ModeOverrides([
            ModeOverride(
                try TableFilter.Pattern(parsing: tables),
                ahead: try CanaryTenants(column: "tenant", values: values)
            )
        ])
    }

    private static func tell(_ harness: SidecarHarness, rows: Int = 1) async throws {
        for (cluster, name) in [(Cluster.source, "source"), (.target, "target")] {
            for (table, tenant) in [("t", "acme"), ("t", "globex"), ("t", "other"), ("other", "acme")] {
                for id in 0..<rows {
                    _ = try await harness.ask(
                        cluster,
                        "INSERT INTO one.\(table) (tenant, id, v) VALUES ('\(tenant)', \(id), '\(name)')"
                    )
                }
            }
        }
    }

    /// The statements of a client that has prepared them before anything went ahead.
    private struct Statements {
        let client: TestClient
        let equal: ByteBuffer
        let isIn: ByteBuffer
        let list: ByteBuffer
        let scan: ByteBuffer

        init(_ client: TestClient) async throws {
            func prepare(_ text: String) async throws -> ByteBuffer {
                guard case .result(.prepared(let prepared)) = try await client.ask(.prepare(text)) else {
                    throw TestClient.Closed()
                }
                return prepared.id
            }
            self.client = client
            self.equal = try await prepare("SELECT v FROM one.t WHERE tenant = ?")
            self.isIn = try await prepare("SELECT v FROM one.t WHERE tenant IN (?, ?)")
            self.list = try await prepare("SELECT v FROM one.t WHERE tenant IN ?")
            self.scan = try await prepare("SELECT v FROM one.t")
        }

        func read(_ id: ByteBuffer, _ values: QueryValues) async throws -> [String] {
            var parameters = QueryParameters(consistency: .one)
            parameters.values = values
            return try await self.client.ask(.execute(Execute(id: id, parameters: parameters))).firstColumn
        }

        /// Waits until a cluster answers for a tenant: until the target has what it was owed, or a filter has come to the loop.
        func wait(for tenant: String, at place: String = "target") async throws {
            let values = QueryValues.positional([.value(ByteBuffer(string: tenant))])
            try await eventually { try await self.read(self.equal, values) == [place] }
        }

        func read(_ tenant: String) async throws -> [String] {
            let values = [BoundValue.value(ByteBuffer(string: tenant))]
            let prepared = try await self.read(self.equal, .positional(values))
            let written = try await self.client.ask(query("SELECT v FROM one.t WHERE tenant = '\(tenant)'")).firstColumn
            #expect(prepared == written)
            let named = try await self.read(self.equal, .named([.init(name: "tenant", value: values[0])]))
            #expect(prepared == named)
            var asked = Query("SELECT v FROM one.t WHERE tenant = ?", parameters: QueryParameters(consistency: .one))
            asked.parameters.values = .positional(values)
            #expect(try await self.client.ask(.query(asked)).firstColumn == prepared)
            return prepared
        }

        func read(both tenants: [String]) async throws -> [String] {
            let values = tenants.map { BoundValue.value(ByteBuffer(string: $0)) }
            let prepared = try await self.read(self.isIn, .positional(values))
            var list = ByteBuffer(integer: Int32(tenants.count))
            for tenant in tenants {
                list.writeInteger(Int32(tenant.utf8.count))
                list.writeString(tenant)
            }
            #expect(try await self.read(self.list, .positional([.value(list)])) == prepared)
            return prepared
        }
    }

    @Test(arguments: [1, 3])
    func `a tenant's reads are answered by the target, everybody else's by the source`(loops: Int) async throws {
        try await SidecarHarness.run(mode: .dualWriteSync, schema: Self.schema) {
            $0.loops = loops
        } _: { harness in
            try await Self.tell(harness)
            let statements = try await Statements(try await harness.client())
            #expect(try await statements.read("acme") == ["source"])
            #expect(await harness.proxy.status().counters.canaries.answered == 0)

            // What was prepared before follows at once.
            let epoch = harness.proxy.mode.epoch
            #expect(try await harness.proxy.setOverrides(try Self.ahead("acme", "globex")) == epoch + 1)
            #expect(try await statements.read("acme") == ["target"])
            #expect(try await statements.read("other") == ["source"])
            #expect(try await statements.read(both: ["acme", "globex"]) == ["target", "target"])
            #expect(try await statements.read(both: ["acme", "other"]) == ["source", "source"])
            #expect(try await statements.read(statements.scan, .none).allSatisfy { $0 == "source" })
            let client = statements.client
            let byID = query("SELECT v FROM one.t WHERE id = 0 ALLOW FILTERING")
            #expect(try await client.ask(byID).firstColumn == ["source", "source", "source"])
            let elsewhere = query("SELECT v FROM one.other WHERE tenant = 'acme'")
            #expect(try await client.ask(elsewhere).firstColumn == ["source"])
            // Four of each of two tenants, two with both.
            #expect(await harness.proxy.status().counters.canaries.answered == 4 + 2)
            // What cannot be told is the source's to refuse.
            for (id, values) in [
                (statements.equal, [BoundValue.unset]), (statements.equal, [.null]), (statements.list, [.unset]),
                (statements.isIn, [.value(ByteBuffer(string: "acme")), .unset]),
            ] {
                #expect(try await statements.read(id, .positional(values)).isEmpty)
            }
            #expect(await harness.proxy.status().counters.canaries.failed == 0)
            // Clients are spread over the loops.
            for _ in 0..<4 { #expect(try await Statements(try await harness.client()).read("globex") == ["target"]) }

            try await harness.proxy.setOverrides(try Self.ahead("globex"))
            #expect(try await statements.read("acme") == ["source"])
            #expect(try await statements.read("globex") == ["target"])
            try await harness.proxy.setOverrides(.none)
            #expect(try await statements.read("globex") == ["source"])
        }
    }

    @Test func `writes, conditions and batches are as everybody's`() async throws {
        let ahead = try Self.ahead("acme")
        try await SidecarHarness.run(mode: .dualWriteSync, schema: Self.schema) {
            $0.overrides = ahead
        } _: { harness in
            let client = try await harness.client()
            let insert = "INSERT INTO one.t (tenant, id, v) VALUES ('acme', "
            #expect(try await client.ask(query(insert + "1, 'plain')")) == .result(.void))
            _ = try await client.ask(query(insert + "2, 'condition') IF NOT EXISTS"))
            let batch = Batch(children: [.init(.text(insert + "3, 'batch')"), values: [])])
            #expect(try await client.ask(.batch(batch)) == .result(.void))
            // The source decides about conditions, whoever reads where.
            _ = try await harness.ask(.target, insert + "4, 'target')")
            _ = try await client.ask(query(insert + "4, 'applied') IF NOT EXISTS"))
            for cluster in Cluster.allCases {
                let rows = try await harness.ask(cluster, "SELECT v FROM one.t WHERE tenant = 'acme'").firstColumn
                #expect(rows == ["plain", "condition", "batch", "applied"], "\(cluster)")
            }
            #expect(await harness.proxy.status().counters.canaries.answered == 0)
        }
    }

    @Test func `a later page comes from the cluster that has begun`() async throws {
        try await SidecarHarness.run(mode: .dualWriteSync, schema: Self.schema) { harness in
            try await Self.tell(harness, rows: 5)
            let client = try await harness.client()
            func page(_ state: ByteBuffer?) async throws -> (rows: [String], state: ByteBuffer?) {
                var page = Query("SELECT v FROM one.t WHERE tenant = 'acme'", parameters: .init(consistency: .one))
                page.parameters.pageSize = 2
                page.parameters.pagingState = state
                let answer = try await client.ask(.query(page))
                guard case .result(.rows(let rows)) = answer else { throw TestClient.Closed() }
                return (answer.firstColumn, rows.metadata.pagingState)
            }
            let first = try await page(nil)
            #expect(first.rows == ["source", "source"])
            try await harness.proxy.setOverrides(try Self.ahead("acme"))
            let second = try await page(first.state)
            #expect(second.rows == ["source", "source"])
            #expect(await harness.proxy.status().counters.canaries.answered == 0)
            let ahead = try await page(nil)
            #expect(ahead.rows == ["target", "target"])
            try await harness.proxy.setOverrides(.none)
            #expect(try await page(ahead.state).rows == ["target", "target"])
            #expect(try await page(second.state).rows == ["source"])
        }
    }

    @Test func `the way through the modes and back is coherent`() async throws {
        let ahead = try Self.ahead("acme")
        try await SidecarHarness.run(mode: .primaryOnly, schema: Self.schema) {
            $0.overrides = ahead
        } _: { harness in
            try await Self.tell(harness)
            let statements = try await Statements(try await harness.client())
            func answers() async throws -> [String] {
                [try await statements.read("acme"), try await statements.read("other")].flatMap(\.self)
            }
            let expected: [(WriteMode, [String])] = [
                (.dualWriteAsync, ["source", "source"]), (.dualWriteSync, ["target", "source"]),
                (.shadowPrimary, ["target", "target"]), (.dualWriteSync, ["target", "source"]),
                (.dualWriteAsync, ["source", "source"]), (.primaryOnly, ["source", "source"]),
            ]
            #expect(try await answers() == ["source", "source"])
            for (mode, places) in expected {
                try await harness.proxy.setMode(mode)
                // Those who have waited go ahead as soon as the target has what it was owed.
                if mode == .dualWriteSync { try await statements.wait(for: "acme") }
                #expect(try await answers() == places, "\(mode)")
            }
            // A table that goes further by itself takes its tenants along, one that is held back keeps them.
            try await harness.proxy.setMode(.dualWriteAsync)
            for (stage, places) in [
                (ModeStage.dualWriteSync, ["target", "source"]), (.readsFirst, ["target", "target"]),
                (.dualWriteSync, ["target", "source"]), (.dualWriteAsync, ["source", "source"]),
            ] {
                let own = ModeOverride(try .init(parsing: "one.t"), stage)
                try await harness.proxy.setOverrides(try ModeOverrides([own] + ahead.list))
                if stage == .dualWriteSync { try await statements.wait(for: "acme") }
                #expect(try await answers() == places, "\(stage)")
            }
        }
    }

    @Test(arguments: [1, 2])
    func `who has waited reads what was acknowledged before the tables came`(loops: Int) async throws {
        let ahead = try Self.ahead("acme")
        try await SidecarHarness.run(mode: .dualWriteAsync, schema: Self.schema) {
            $0.overrides = ahead
            $0.loops = loops
        } _: { harness in
            let client = try await harness.client()
            harness.target.setFaults([FaultRule(.textContains("'late'"), .drop)])
            harness.proxy.wait { $0.shadowWriteMilliseconds = 200 }
            let late = query("INSERT INTO one.t (tenant, id, v) VALUES ('acme', 1, 'late')")
            #expect(try await client.ask(late) == .result(.void))
            // The target would not answer for the tenant now, so the step is refused, but by force.
            let error = await #expect(throws: DualWriterError.self) { try await harness.proxy.setMode(.dualWriteSync) }
            #expect(error?.code == .writesOwed)
            try await harness.proxy.setMode(.dualWriteSync, force: true, reason: "a test")
            let read = query("SELECT v FROM one.t WHERE tenant = 'acme'")
            for _ in 0..<5 { #expect(try await client.ask(read).firstColumn == ["late"]) }
            #expect(await harness.proxy.status().counters.canaries.answered == 0)
            harness.target.setFaults([])
            try await eventually {
                let rows = try await client.ask(read).firstColumn
                #expect(rows == ["late"])
                return await harness.proxy.status().counters.canaries.answered > 0
            }
        }
    }

    @Test func `a target that is away or lacks something does not answer for tenants, and letting go needs nothing`()
        async throws
    {
        try await SidecarHarness.run(mode: .dualWriteSync, schema: Self.schema) { harness in
            try await Self.tell(harness)
            let client = try await harness.client()
            try await harness.proxy.setOverrides(try Self.ahead("acme"))
            await harness.target.stop()
            try await eventually { await harness.proxy.status().leg(.target)?.isConnected == false }
            let away = await #expect(throws: DualWriterError.self) {
                try await harness.proxy.setOverrides(try Self.ahead("acme", "globex"))
            }
            #expect(away?.code == .clusterUnreachable)
            harness.proxy.wait { $0.readMilliseconds = 300 }
            let read = query("SELECT v FROM one.t WHERE tenant = 'acme'")
            guard case .error = try await client.ask(read) else {
                Issue.record("a target that is away has answered")
                return
            }
            #expect(await harness.proxy.status().counters.canaries.failed == 1)
            #expect(await harness.proxy.status().isReady)
            try await harness.proxy.setOverrides(.none)
            #expect(try await client.ask(read).firstColumn == ["source"])
        }
    }

    @Test func `their reads are not compared, everybody else's are`() async throws {
        let ahead = try Self.ahead("acme")
        try await SidecarHarness.run(mode: .dualWriteSync, schema: Self.schema) {
            $0.comparison.percentage = 100
            $0.comparison.settleMilliseconds = 20
        } _: { harness in
            try await Self.tell(harness)
            try await harness.proxy.setOverrides(ahead)
            let client = try await harness.client()
            for _ in 0..<5 { _ = try await client.ask(query("SELECT v FROM one.t WHERE tenant = 'acme'")) }
            #expect(await harness.proxy.status().counters.comparison.tables.isEmpty)
            try await eventually {
                _ = try await client.ask(query("SELECT v FROM one.t WHERE tenant = 'other'"))
                return await harness.proxy.status().counters.comparison.mismatches > 0
            }
            #expect(await harness.proxy.status().counters.canaries.answered == 5)
        }
    }

    @Test func `whom the filter holds back is read from the source`() async throws {
        let ahead = try Self.ahead("acme", "globex")
        try await SidecarHarness.run(mode: .dualWriteSync, schema: Self.schema) { harness in
            try await Self.tell(harness)
            try await harness.proxy.setOverrides(ahead)
            let statements = try await Statements(try await harness.client())
            #expect(try await statements.read("acme") == ["target"])
            harness.proxy.setFilter(
                ShadowFilter(
                    tables: .all,
                    tenants: TenantRules(columns: ["tenant"], include: [], exclude: ["acme"])
                )
            )
            try await statements.wait(for: "acme", at: "source")
            #expect(try await statements.read("acme") == ["source"])
            #expect(try await statements.read("globex") == ["target"])
        }
    }

    @Test func `what an earlier process has left is there before the target answers`() async throws {
        try await JournalHarness.run { harness in
            harness.target.setFaults([FaultRule(.textContains("INSERT"), .drop)])
            var left: TemporaryFolder?
            try await harness.sidecar(.dualWriteAsync) {
                $0.timeouts.drainMilliseconds = 100
            } _: { _, client in
                let text = "INSERT INTO one.t (p, v) VALUES ('acme', 'late')"
                #expect(try await client.ask(query(text)) == .result(.void))
                left = try harness.folder.copy()
            }
            let killed = try #require(left)
            let tenants = try CanaryTenants(column: "p", values: ["acme"])
            let ahead = try ModeOverrides([ModeOverride(try .init(parsing: "one.t"), ahead: tenants)])
            try await harness.sidecar(.dualWriteSync, in: killed) {
                $0.overrides = ahead
            } _: { proxy, client in
                let read = query("SELECT v FROM one.t WHERE p = 'acme'")
                for _ in 0..<5 { #expect(try await client.ask(read).firstColumn == ["late"]) }
                #expect(await proxy.status().counters.canaries.answered == 0)
                harness.target.setFaults([])
                try await eventually {
                    let rows = try await client.ask(read).firstColumn
                    #expect(rows == ["late"])
                    return await proxy.status().counters.canaries.answered > 0
                }
            }
        }
    }
}
