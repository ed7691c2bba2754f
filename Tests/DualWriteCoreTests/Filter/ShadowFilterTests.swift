import CQLProtocol
import CQLSyntax
import DualWriteCore
import NIOCore
import Testing

/// Tables and tenants together.
struct ShadowFilterTests {
    private static let schema = SchemaShapes(tables: [
        "ks": [
            "orders": TableShape(
                columns: ["tenant_id": .other, "id": .other, "v": .other],
                types: ["tenant_id": "text", "id": "int", "v": "text"],
                partitionKey: [.init(name: "tenant_id", type: "text"), .init(name: "id", type: "int")]
            ),
            "numbers": TableShape(columns: ["domain": .other, "v": .other], types: ["domain": "bigint", "v": "text"]),
            "shared": TableShape(columns: ["k": .other, "v": .other], types: ["k": "text", "v": "text"]),
        ]
    ])

    private func filter(
        _ include: Set<String> = [],
        _ exclude: Set<String> = [],
        tables: [String] = []
    ) throws -> ShadowFilter {
        ShadowFilter(
            tables: try TableFilter(parsing: tables, exclude: []),
            tenants: TenantRules(columns: ["tenant_id", "domain"], include: include, exclude: exclude)
        )
    }

    private func statement(_ text: String) -> WriteStatement {
        WriteStatement(text: text, analysis: StatementAnalysis.analyze(text), keyspace: "ks")
    }

    private func query(_ text: String, _ values: [BoundValue] = []) -> Request {
        var parameters = QueryParameters(consistency: .one)
        parameters.values = values.isEmpty ? .none : .positional(values)
        return .query(Query(text, parameters: parameters))
    }

    private func decision(_ filter: ShadowFilter, _ text: String, _ values: [BoundValue] = []) -> ShadowFilter.Decision
    {
        filter.decision(of: self.query(text, values), [self.statement(text)], schema: Self.schema)
    }

    @Test(arguments: [
        ("INSERT INTO orders (tenant_id, id) VALUES ('bad', 1)", ShadowShare.nothing),
        ("INSERT INTO orders (tenant_id, id) VALUES ('good', 1)", .whole),
        ("UPDATE orders SET v = 'x' WHERE tenant_id = 'bad' AND id = 1", .nothing),
        ("DELETE FROM orders WHERE id = 1 AND tenant_id = 'bad'", .nothing),
        ("DELETE FROM orders WHERE id = 1 AND tenant_id = 'good'", .whole),
        ("INSERT INTO numbers (domain, v) VALUES (42, 'x')", .nothing),
        ("INSERT INTO numbers (domain, v) VALUES (43, 'x')", .whole),
        ("INSERT INTO shared (k, v) VALUES ('bad', 'x')", .whole), ("TRUNCATE orders", .whole),
        ("DROP TABLE orders", .whole), ("FROBNICATE", .whole),
    ])
    func `what a text says of its tenant decides`(text: String, share: ShadowShare) throws {
        let decision = self.decision(try self.filter([], ["bad", "42"]), text)
        #expect(decision.share == share)
        #expect(decision.byTenant == (share == .nothing ? 1 : 0) && decision.byTable == 0 && decision.untold == 0)
    }

    @Test(arguments: [
        "INSERT INTO orders JSON '{\"tenant_id\": \"bad\"}'",
        "DELETE FROM orders WHERE tenant_id IN ('bad') AND id = 1",
        "UPDATE orders SET v = 'x' WHERE id = 1", "INSERT INTO unknown (tenant_id) VALUES ('bad')",
        "INSERT INTO orders (tenant_id, id) VALUES (lower('bad'), 1)",
    ])
    func `a write that does not say its tenant is copied and counted`(text: String) throws {
        let decision = self.decision(try self.filter([], ["bad"]), text)
        #expect(decision == .init(share: .whole, untold: 1))
    }

    @Test func `values say the tenant as well as texts`() throws {
        let filter = try self.filter(["a", "b", "7"], ["b"])
        let text = "INSERT INTO orders (id, tenant_id) VALUES (?, ?)"
        for (tenant, share) in [("a", ShadowShare.whole), ("b", .nothing), ("c", .nothing)] {
            let values = [BoundValue.value(ByteBuffer(integer: Int32(1))), .value(ByteBuffer(string: tenant))]
            #expect(self.decision(filter, text, values).share == share, "\(tenant)")
        }
        #expect(self.decision(filter, text, [.null, .null]) == .init(share: .whole, untold: 1))
        for (number, share) in [(Int64(7), ShadowShare.whole), (8, .nothing)] {
            let values = [BoundValue.value(ByteBuffer(integer: number)), .null]
            #expect(self.decision(filter, "INSERT INTO numbers (domain, v) VALUES (?, ?)", values).share == share)
        }
    }

    @Test func `a batch is cut by table and by tenant, whether it is a text or a frame`() throws {
        let filter = try self.filter([], ["bad"], tables: ["ks.orders"])
        let texts = [
            "INSERT INTO orders (tenant_id, id) VALUES ('bad', 1)", "INSERT INTO shared (k, v) VALUES ('k', 'v')",
            "INSERT INTO orders (tenant_id, id) VALUES ('good', 1)",
        ]
        let expected = ShadowFilter.Decision(share: .children([2]), byTable: 1, byTenant: 1)
        let text = "BEGIN BATCH \(texts.joined(separator: "; ")); APPLY BATCH"
        #expect(self.decision(filter, text) == expected)
        let batch = Batch(children: texts.map { .init(.text($0), values: []) })
        #expect(filter.decision(of: .batch(batch), texts.map(self.statement), schema: Self.schema) == expected)
    }

    @Test func `values of an EXECUTE are read as they lie, and as they are decoded`() throws {
        let rules = TenantRules(columns: ["tenant_id"], include: [], exclude: ["bad"])
        let plan = TenantPlan(
            self.statement("INSERT INTO orders (id, tenant_id, v) VALUES (?, ?, ?)"),
            rules: rules,
            schema: Self.schema
        )
        #expect(plan.constant == nil)
        let id = BoundValue.value(ByteBuffer(integer: Int32(1)))
        for (tenant, verdict) in [
            (BoundValue.value(ByteBuffer(string: "bad")), TenantPlan.Verdict.unwanted),
            (.value(ByteBuffer(string: "good")), .wanted), (.null, .untold), (.unset, .untold),
        ] {
            let values = [id, tenant, .value(ByteBuffer(string: "v"))]
            var bytes = ByteBuffer(integer: UInt16(values.count))
            for value in values {
                guard let content = value.bytes else {
                    bytes.writeInteger(value == .null ? Int32(-1) : -2)
                    continue
                }
                bytes.writeInteger(Int32(content.count))
                bytes.writeBytes(content)
            }
            #expect(plan.verdicts(.positional(values)) == [verdict])
            #expect(bytes.withUnsafeReadableBytes { plan.verdict(ofValuesIn: $0) } == verdict)
            for length in 0..<13 {
                let cut = try #require(bytes.getSlice(at: 0, length: length))
                #expect(cut.withUnsafeReadableBytes { plan.verdict(ofValuesIn: $0) } == nil, "\(length)")
            }
        }
        let two = ByteBuffer(bytes: [0, 2, 0, 0, 0, 0, 0, 0, 0, 0])
        #expect(
            two.withUnsafeReadableBytes { plan.verdict(ofValuesIn: $0) } == nil,
            "a value for each marker, or by name"
        )
    }

    @Test func `a read says whose rows it wants`() {
        let rules = TenantRules(columns: ["tenant_id"], include: [], exclude: ["bad"])
        for (text, verdict) in [
            ("SELECT * FROM orders WHERE tenant_id = 'bad' AND id = 1", TenantPlan.Verdict.unwanted),
            ("SELECT * FROM orders WHERE tenant_id = 'good' AND id = 1", .wanted), ("SELECT * FROM orders", .untold),
            ("SELECT * FROM shared", .wanted),
        ] {
            let plan = TenantPlan(
                reading: StatementAnalysis.analyze(text),
                keyspace: "ks",
                rules: rules,
                schema: Self.schema
            )
            #expect(plan.constant == verdict, "\(text)")
        }
    }

    @Test func `rules that say nothing are open, and half of them are a fault`() {
        #expect(TenantRules.all.isOpen && TenantRules.all.fault == nil)
        #expect(TenantRules(columns: ["t"], include: [], exclude: []).fault != nil)
        #expect(TenantRules(columns: [], include: ["a"], exclude: []).fault != nil)
        #expect(TenantRules(columns: ["t"], include: ["a"], exclude: []).fault == nil)
        let many = Set((0...TenantRules.valuesMax).map(String.init))
        #expect(TenantRules(columns: ["t"], include: [], exclude: many).fault?.contains("100001") == true)
    }
}
