import CQLProtocol
import CQLSyntax
import DualWriteCore
import NIOCore
import Testing

/// Which reads are of tenants that go ahead of their tables.
struct CanaryPlanTests {
    private static let schema = SchemaShapes(tables: [
        "ks": [
            "orders": TableShape(
                columns: ["tenant": .other, "id": .other, "region": .other, "v": .other],
                types: ["tenant": "text", "id": "int", "region": "int", "v": "text"],
                partitionKey: [.init(name: "tenant", type: "text"), .init(name: "id", type: "int")]
            ),
            "ids": TableShape(columns: ["tenant": .other], types: ["tenant": "uuid"]),
            "lists": TableShape(columns: ["tenant": .other], types: ["tenant": "list<text>"]),
        ]
    ])

    private static func rules(
        _ overrides: (tables: String, column: String, values: [String])...,
        filter: ShadowFilter = .all
    ) throws -> CanaryRules? {
        let list = try overrides.map {
            ModeOverride(
                try TableFilter.Pattern(parsing: $0.tables),
                ahead: try CanaryTenants(column: $0.column, values: $0.values)
            )
        }
        return CanaryRules(try ModeOverrides(list), filter: filter)
    }

    private static func plan(_ text: String, _ rules: CanaryRules?, schema: SchemaShapes? = schema) -> CanaryPlan? {
        rules?.plan(StatementAnalysis.analyze(text), keyspace: "ks", schema: schema)
    }

    /// Values by position as an EXECUTE has them.
    private static func bytes(_ values: [BoundValue]) -> [UInt8] {
        var buffer = ByteBuffer(integer: UInt16(values.count))
        for value in values {
            switch value {
            case .value(let bytes):
                buffer.writeInteger(Int32(bytes.readableBytes))
                buffer.writeImmutableBuffer(bytes)
            case .null: buffer.writeInteger(Int32(-1))
            case .unset: buffer.writeInteger(Int32(-2))
            }
        }
        return Array(buffer.readableBytesView)
    }

    private static func list(_ texts: [String?]) -> BoundValue {
        var buffer = ByteBuffer(integer: Int32(texts.count))
        for text in texts {
            buffer.writeInteger(Int32(text?.utf8.count ?? -1))
            buffer.writeString(text ?? "")
        }
        return .value(buffer)
    }

    @Test(arguments: [
        ("SELECT * FROM orders WHERE tenant = 'acme'", true), ("SELECT * FROM ks.orders WHERE tenant = 'globex'", true),
        ("SELECT v FROM orders WHERE id = 1 AND tenant = 'acme' LIMIT 2", true),
        ("SELECT * FROM orders WHERE tenant IN ('acme', 'globex') AND id = 1", true),
        ("SELECT * FROM orders WHERE tenant IN ('acme')", true),
        ("SELECT count(*) FROM orders WHERE tenant = 'acme' ALLOW FILTERING", true),
        ("SELECT * FROM orders WHERE tenant = 'other'", false), ("SELECT * FROM orders", false),
        ("SELECT * FROM orders WHERE tenant = 'ACME'", false), ("SELECT * FROM orders WHERE id = 1", false),
        ("SELECT * FROM orders WHERE v = 'acme'", false), ("SELECT * FROM orders WHERE tenant > 'acme'", false),
        ("SELECT * FROM orders WHERE tenant IN ('acme', 'other')", false),
        ("SELECT * FROM orders WHERE tenant IN ()", false), ("SELECT * FROM orders WHERE tenant = null", false),
        ("SELECT * FROM orders WHERE tenant = lower('ACME')", false),
        ("SELECT * FROM orders WHERE tenant IN ('acme', f('x'))", false),
        ("SELECT * FROM orders WHERE token(tenant) > token('acme')", false),
        ("SELECT * FROM orders WHERE (tenant, id) = ('acme', 1)", false),
        ("SELECT * FROM other.orders WHERE tenant = 'acme'", false),
        ("SELECT * FROM lists WHERE tenant = 'acme'", false), ("SELECT * FROM unknown WHERE tenant = 'acme'", false),
        ("UPDATE orders SET v = 'x' WHERE tenant = 'acme' AND id = 1", false),
    ])
    func `a text that fixes the column to such a value is one of them`(text: String, isMet: Bool) throws {
        let rules = try Self.rules(("ks.*", "tenant", ["acme", "globex"]))
        #expect((Self.plan(text, rules)?.constant ?? false) == isMet)
    }

    @Test func `nothing is told of a table that nobody knows`() throws {
        let rules = try Self.rules(("ks.orders", "tenant", ["acme"]))
        #expect(Self.plan("SELECT * FROM orders WHERE tenant = 'acme'", rules, schema: nil) == nil)
        #expect(CanaryRules(.none, filter: .all) == nil)
    }

    @Test func `a value counts by the column's type`() throws {
        let id = "0f8fad5b-d9cb-469f-a165-70867728950e"
        let rules = try Self.rules(("ks.*", "tenant", [id.uppercased()]), ("ks.orders", "region", ["7", "seven"]))
        #expect(Self.plan("SELECT * FROM ids WHERE tenant = \(id)", rules)?.constant == true)
        #expect(Self.plan("SELECT * FROM orders WHERE region = 7", rules)?.constant == true)
        #expect(Self.plan("SELECT * FROM orders WHERE region = 8", rules) == nil)
        let plan = try #require(Self.plan("SELECT * FROM orders WHERE region = ?", rules))
        #expect(plan.isMet(by: .positional([.int(7)])) && !plan.isMet(by: .positional([.text("seven")])))
    }

    @Test(arguments: [
        ("tenant = ?", [BoundValue.text("acme")], true), ("tenant = ?", [.text("other")], false),
        ("tenant = ?", [.text("acm")], false), ("tenant = ?", [.text("")], false), ("tenant = ?", [.null], false),
        ("tenant = ?", [.unset], false), ("id = ? AND tenant = ?", [.int(1), .text("globex")], true),
        ("id = ? AND tenant = ?", [.int(1), .text("other")], false),
        ("id = ? AND tenant = ?", [.unset, .text("acme")], true),
        ("id = ? AND tenant = 'acme'", [.int(1)], true),
        ("tenant IN (?, ?)", [.text("acme"), .text("globex")], true),
        ("tenant IN (?, ?)", [.text("acme"), .text("other")], false),
        ("tenant IN (?, 'globex')", [.text("acme")], true), ("tenant IN (?, 'other')", [.text("acme")], false),
        ("tenant IN (?, ?)", [.text("acme"), .unset], false),
        ("tenant IN ?", [CanaryPlanTests.list(["acme"])], true),
        ("tenant IN ?", [CanaryPlanTests.list(["acme", "globex", "acme"])], true),
        ("tenant IN ?", [CanaryPlanTests.list(["acme", "other"])], false),
        ("tenant IN ?", [CanaryPlanTests.list([])], false),
        ("tenant IN ?", [CanaryPlanTests.list(["acme", nil])], false), ("tenant IN ?", [.null], false),
        ("tenant IN ?", [.unset], false), ("tenant IN ?", [.text("acme")], false), ("tenant IN ?", [.int(-1)], false),
        ("tenant = (text) ?", [.text("acme")], true),
    ])
    func `a marker's value decides, by position as in a decoded request`(
        relations: String,
        values: [BoundValue],
        isMet: Bool
    ) throws {
        let rules = try Self.rules(("ks.orders", "tenant", ["acme", "globex"]))
        let plan = Self.plan("SELECT * FROM orders WHERE \(relations)", rules)
        #expect((plan?.isMet(by: .positional(values)) ?? false) == isMet)
        Self.bytes(values).withUnsafeBytes { bytes in
            #expect((plan == nil ? false : plan?.isMet(byValuesIn: bytes)) == isMet)
        }
    }

    @Test func `values by name count, and too few of them tell nothing`() throws {
        let rules = try Self.rules(("ks.orders", "tenant", ["acme"]))
        let plan = try #require(Self.plan("SELECT * FROM orders WHERE tenant = :who AND id = :who", rules))
        #expect(plan.isMet(by: .named([.init(name: "who", value: .text("acme"))])))
        #expect(!plan.isMet(by: .named([.init(name: "id", value: .text("acme"))])))
        // Markers of one name are one on ScyllaDB.
        #expect(plan.isMet(by: .positional([.text("acme")])))
        Self.bytes([.text("acme")]).withUnsafeBytes { #expect(plan.isMet(byValuesIn: $0) == nil) }
        #expect(!plan.isMet(by: .none))
        for count in 0..<8 {
            // What is cut off anywhere is no such read, and no crash.
            Array(Self.bytes([.text("acme"), .text("acme")]).prefix(count)).withUnsafeBytes {
                #expect(plan.isMet(byValuesIn: $0) != true)
            }
        }
    }

    @Test func `several overrides of one table count together`() throws {
        let rules = try Self.rules(
            ("ks.orders", "tenant", ["acme"]),
            ("*.ord*", "tenant", ["globex"]),
            ("ks.*", "region", ["7"])
        )
        for relation in ["tenant = 'acme'", "tenant = 'globex'", "region = 7", "tenant = 'other' AND region = 7"] {
            #expect(Self.plan("SELECT * FROM orders WHERE \(relation)", rules)?.constant == true, "\(relation)")
        }
        // All of one IN must be in one override, as they are told apart by their columns.
        #expect(Self.plan("SELECT * FROM orders WHERE tenant = 'other' AND region = 8", rules) == nil)
    }

    @Test func `whom the filter holds back is never read from the target`() throws {
        func filter(_ column: String, _ include: Set<String>, _ exclude: Set<String>) -> ShadowFilter {
            ShadowFilter(tables: .all, tenants: TenantRules(columns: [column], include: include, exclude: exclude))
        }
        func isMet(_ filter: ShadowFilter, _ tenant: String) throws -> Bool {
            let rules = try Self.rules(("ks.orders", "tenant", ["acme", "globex"]), filter: filter)
            let marked = Self.plan("SELECT * FROM orders WHERE tenant = ?", rules)
            let isMet = marked?.isMet(by: .positional([.text(tenant)])) ?? false
            let written = Self.plan("SELECT * FROM orders WHERE tenant = '\(tenant)'", rules)?.constant ?? false
            #expect(isMet == written)
            return isMet
        }
        #expect(try isMet(filter("tenant", [], ["acme"]), "globex"))
        #expect(try !isMet(filter("tenant", [], ["acme"]), "acme"))
        #expect(try isMet(filter("tenant", ["acme"], []), "acme"))
        #expect(try !isMet(filter("tenant", ["acme"], []), "globex"))
        // By another column nobody can tell; a column that the table has not is nothing to it.
        #expect(try !isMet(filter("region", [], ["7"]), "acme"))
        #expect(try isMet(filter("domain", [], ["7"]), "acme"))
        #expect(try !isMet(ShadowFilter(tables: try TableFilter(parsing: [], exclude: ["ks.orders"])), "acme"))
    }
}
