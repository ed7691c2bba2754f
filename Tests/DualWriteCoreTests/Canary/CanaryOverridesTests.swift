import DualWriteCore
import Testing

/// Overrides that name tenants, beside those of whole tables.
struct CanaryOverridesTests {
    private static func canary(_ tables: String, _ column: String, _ values: String...) throws -> ModeOverride {
        ModeOverride(try .init(parsing: tables), ahead: try CanaryTenants(column: column, values: values))
    }

    private static func modes(_ stage: ModeStage, _ overrides: [ModeOverride]) throws -> TableModes {
        TableModes(stage, try ModeOverrides(overrides))
    }

    private static func refusal(_ body: () throws -> Void) -> String {
        #expect(throws: ModeOverridesError.self) { try body() }?.description ?? ""
    }

    // MARK: The list

    @Test func `tenants change nothing of what counts for tables`() throws {
        let list = [try Self.canary("app.*", "t", "a"), try ModeOverride(parsing: "app.b=0")]
        let overrides = try ModeOverrides(list)
        #expect(overrides.stage(keyspace: "app", table: "a") == nil)
        #expect(overrides.stage(keyspace: "app", table: "b") == .primaryOnly)
        #expect(overrides.hasTables && overrides.hasCanaries && !overrides.isEmpty)
        #expect(overrides.ofTables == [list[1]] && overrides.canaries == [list[0]])
        let modes = TableModes(.primaryOnly, overrides)
        #expect(modes.stages == [.primaryOnly] && modes.neededByClients == [.source] && !modes.needs(.target))
        #expect(try ModeOverrides([list[0]]).hasTables == false)
    }

    @Test func `tenants are added, and taken away one by one or all of a column`() throws {
        let tables = try TableFilter.Pattern(parsing: "app.t")
        var overrides = try ModeOverrides.none.setting(try ModeOverride(parsing: "app.t=DualWriteSync"))
        overrides = try overrides.setting(try Self.canary("app.t", "tenant", "b"))
        overrides = try overrides.setting(try Self.canary("app.t", "tenant", "a", "b", "c"))
        overrides = try overrides.setting(try Self.canary("app.t", "region", "7"))
        #expect(overrides.canaries.map { $0.tenants?.description } == ["tenant=a,b,c", "region=7"])
        // The table's own mode is another matter, and stands where it stood.
        overrides = try overrides.setting(try ModeOverride(parsing: "app.t=ReadsFirst"))
        #expect(overrides.list.count == 3 && overrides.list[0].stage == .readsFirst)
        #expect(overrides.removing(tables)?.list.count == 2)
        overrides = try overrides.removing(["a", "c"], by: "tenant", of: tables)
        #expect(overrides.canaries.map { $0.tenants?.description } == ["tenant=b", "region=7"])
        #expect(Self.refusal { _ = try overrides.removing(["x"], by: "tenant", of: tables) }.contains("tenant=x"))
        #expect(Self.refusal { _ = try overrides.removing(nil, by: "who", of: tables) }.contains("goes ahead by who"))
        overrides = try overrides.removing(["b"], by: "tenant", of: tables)
        overrides = try overrides.removing(nil, by: "region", of: tables)
        #expect(overrides.canaries.isEmpty && overrides.list.count == 1)
    }

    @Test(arguments: ModeStage.allCases)
    func `tenants may go ahead with their reads, and have no other mode`(stage: ModeStage) throws {
        let tenants = try CanaryTenants(column: "tenant", values: ["a"])
        func override() throws -> ModeOverride {
            try ModeOverride(tables: "app.t", mode: stage.name, tenants: tenants)
        }
        if stage == .readsFirst {
            #expect(try override().tenants == tenants)
        } else {
            #expect(Self.refusal { _ = try override() }.contains("ReadsFirst"))
        }
    }

    @Test func `there are limits, and words for them`() throws {
        let values = (0...ModeOverrides.canaryValuesMax).map { "\($0)" }
        let half = values.count / 2
        let most = [
            ModeOverride(try .init(parsing: "a.t"), ahead: try CanaryTenants(column: "t", values: values[..<half])),
            ModeOverride(
                try .init(parsing: "a.u"),
                ahead: try CanaryTenants(column: "t", values: values[half...].dropLast())
            ),
        ]
        _ = try ModeOverrides(most)
        #expect(
            Self.refusal { _ = try ModeOverrides(most + [try Self.canary("a.v", "t", "x")]) }
                .contains("1001 values of tenants are more than 1000")
        )
        let many = try (0...ModeOverrides.canariesMax).map { try Self.canary("a.t\($0)", "t", "x") }
        _ = try ModeOverrides(many.dropLast())
        #expect(Self.refusal { _ = try ModeOverrides(many) }.contains("101 overrides of tenants are more than 100"))
        for (column, values) in [("t", []), ("t", [""]), ("", ["a"]), ("t", [String(repeating: "x", count: 257)])] {
            _ = Self.refusal { _ = try CanaryTenants(column: column, values: values) }
        }
        let twice = [try Self.canary("a.t", "t", "x"), try Self.canary("a.t", "t", "y")]
        #expect(Self.refusal { _ = try ModeOverrides(twice) }.contains("a.t has two overrides by t"))
        #expect(Self.refusal { _ = try ModeOverrides([try Self.canary("system.*", "t", "x")]) }.contains("itself"))
    }

    // MARK: What becomes of them

    @Test(arguments: [
        (ModeStage.primaryOnly, CanaryState.waiting), (.dualWriteAsync, .waiting), (.dualWriteSync, .ahead),
        (.readsFirst, .passed), (.shadowPrimary, .passed), (.targetOnly, .passed),
    ])
    func `they go ahead in DualWriteSync alone`(stage: ModeStage, state: CanaryState) throws {
        let canary = try Self.canary("app.t", "t", "a")
        #expect(try Self.modes(stage, [canary]).canaryState(of: canary.tables) == state)
        let own = ModeOverride(canary.tables, stage)
        #expect(try Self.modes(.primaryOnly, [own, canary]).canaryState(of: canary.tables) == state)
        let broad = try Self.canary("app.*", "t", "a")
        #expect(try Self.modes(stage, [broad]).canaryState(of: broad.tables) == state)
    }

    @Test func `of several tables those count that are furthest from having passed`() throws {
        func state(_ stage: ModeStage, _ texts: String...) throws -> CanaryState {
            let canary = try Self.canary("app.*", "t", "a")
            let tables = try texts.map { try ModeOverride(parsing: $0) }
            return try Self.modes(stage, tables + [canary]).canaryState(of: canary.tables)
        }
        #expect(try state(.dualWriteSync, "app.held=0") == .ahead)
        #expect(try state(.primaryOnly, "app.t=2") == .ahead)
        #expect(try state(.shadowPrimary, "app.held=0") == .waiting)
        #expect(try state(.primaryOnly, "app.*=3") == .passed)
        #expect(try state(.primaryOnly, "other.t=0", "*.*=2") == .ahead)
    }

    private static func changes(_ old: TableModes, _ new: TableModes) -> [String] {
        old.canaryChanges(to: new).map { "\($0)" + ($0.isAnsweredAnew ? " !" : "") }
    }

    @Test func `who comes is answered anew in DualWriteSync, and who goes is told`() throws {
        let one = [try Self.canary("app.t", "t", "a")]
        let two = [try Self.canary("app.t", "t", "a", "b")]
        func changes(_ stage: ModeStage, _ old: [ModeOverride], _ new: [ModeOverride]) throws -> [String] {
            Self.changes(try Self.modes(stage, old), try Self.modes(stage, new))
        }
        #expect(try changes(.dualWriteSync, [], one) == ["app.t t=a DualWriteSync → ReadsFirst !"])
        #expect(try changes(.dualWriteSync, one, two) == ["app.t t=b DualWriteSync → ReadsFirst !"])
        #expect(try changes(.dualWriteSync, two, one) == ["app.t t=b ReadsFirst → DualWriteSync"])
        #expect(try changes(.dualWriteSync, one, one).isEmpty)
        #expect(try changes(.dualWriteAsync, [], one) == ["app.t t=a DualWriteAsync → ReadsFirst (waiting)"])
        #expect(try changes(.shadowPrimary, [], one) == ["app.t t=a ShadowPrimary → ReadsFirst (passed)"])
        // The same tenants under another pattern are no news.
        let wide = [try Self.canary("app.*", "t", "a")]
        #expect(
            try changes(.dualWriteSync, one, wide) == ["app.* t=a DualWriteSync → ReadsFirst !"]
        )
        #expect(try changes(.dualWriteSync, wide, one) == ["app.* t=a ReadsFirst → DualWriteSync"])
        #expect(try changes(.dualWriteSync, wide + one, wide).isEmpty)
    }

    @Test func `who has waited is answered anew when the tables come, not when they come back`() throws {
        let canary = [try Self.canary("app.t", "t", "a")]
        func changes(_ old: ModeStage, _ new: ModeStage) throws -> [CanaryChange] {
            try Self.modes(old, canary).canaryChanges(to: try Self.modes(new, canary))
        }
        for stage in [ModeStage.primaryOnly, .dualWriteAsync] {
            #expect(try changes(stage, .dualWriteSync).map(\.isAnsweredAnew) == [true])
            #expect(try changes(stage, .dualWriteSync).map(\.endsWaiting) == [true])
            #expect(try changes(.dualWriteSync, stage).isEmpty && changes(stage, .shadowPrimary).isEmpty)
        }
        // Where the target has answered everybody there is nothing to ask of it.
        #expect(try changes(.shadowPrimary, .dualWriteSync).isEmpty)
        #expect(try changes(.dualWriteSync, .shadowPrimary).isEmpty)
        // A table of its own comes by itself.
        let old = try Self.modes(.primaryOnly, canary + [try ModeOverride(parsing: "app.t=1")])
        let new = try Self.modes(.primaryOnly, canary + [try ModeOverride(parsing: "app.t=2")])
        #expect(old.canaryChanges(to: new).map(\.before) == [.dualWriteAsync])
        #expect(old.canaryChanges(to: new).map(\.endsWaiting) == [true])
        #expect(old.overrides.changes(to: new.overrides, in: .primaryOnly).count == 1)
    }
}
