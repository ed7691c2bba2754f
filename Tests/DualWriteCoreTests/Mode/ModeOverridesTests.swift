import DualWriteCore
import Testing

/// Tables with modes of their own, row by row.
struct ModeOverridesTests {
    static func overrides(_ texts: String...) throws -> ModeOverrides {
        try ModeOverrides(try texts.map { try ModeOverride(parsing: $0) })
    }

    @Test(arguments: [
        ("app", "canary", ModeStage.shadowPrimary), ("app", "old", .primaryOnly), ("app", "older", .primaryOnly),
        ("app", "orders", .dualWriteAsync), ("App", "canary", nil), ("APP", "x", .targetOnly), ("other", "canary", nil),
        ("log1", "t", .readsFirst), ("log12", "t", nil),
    ])
    func `the first override that names a table decides`(keyspace: String, table: String, stage: ModeStage?) throws {
        let overrides = try Self.overrides(
            "app.canary=ShadowPrimary",
            "app.old*=0",
            "app.*=DualWriteAsync",
            "\"APP\"=TargetOnly",
            "log?.t=readsfirst"
        )
        #expect(overrides.stage(keyspace: keyspace, table: table) == stage)
    }

    @Test func `a pattern in front of a table decides for it`() throws {
        let overrides = try Self.overrides("app.a*=0", "app.b=2", "*.b=4")
        #expect(overrides.stage(keyspace: "app", table: "a") == .primaryOnly)
        #expect(overrides.stage(keyspace: "app", table: "b") == .dualWriteSync)
        #expect(overrides.stage(keyspace: "x", table: "b") == .targetOnly)
    }

    @Test func `what nobody can name has the sidecar's mode`() throws {
        let overrides = try Self.overrides("*=0")
        #expect(overrides.stage(keyspace: nil, table: "t") == nil)
        #expect(overrides.stage(keyspace: "k", table: nil) == nil)
        #expect(ModeOverrides.none.stage(keyspace: "k", table: "t") == nil)
        #expect(ModeOverrides.none.isEmpty && !overrides.isEmpty)
    }

    @Test(arguments: [
        ("app.t", "is no override"), ("app.t=", "unknown write mode"), ("app.t=Sometimes", "unknown write mode"),
        ("app.t=5", "unknown write mode"), ("=0", "names no table"), ("app..t=0", "names no table"),
        ("a.b.c=0", "names no table"), ("app.t x=0", "names no table"), ("\"app.t=0", "names no table"),
        ("system.local=0", "tables of the server itself"), ("system_auth=0", "tables of the server itself"),
    ])
    func `what is no override is refused in words`(text: String, words: String) {
        let error = #expect(throws: ModeOverridesError.self) { try Self.overrides(text) }
        #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
    }

    @Test(arguments: [
        ["app.t=0", "app.t=1"], ["app.*=0", "app.t=1"], ["app.a*=0", "app.ab*=1"], ["*=0", "k=1"], ["k=0", "k.*=0"],
    ])
    func `an override that never decides is refused`(texts: [String]) throws {
        let list = try texts.map { try ModeOverride(parsing: $0) }
        let error = #expect(throws: ModeOverridesError.self) { try ModeOverrides(list) }
        #expect(error?.description.contains("never decides") == true)
        // The other way round each decides for something, unless both name the same.
        if list[0].tables != list[1].tables { _ = try ModeOverrides(list.reversed()) }
    }

    @Test func `quoted names are taken as they are, and told so that they can be read again`() throws {
        let override = try ModeOverride(parsing: #""My.Ks"."a=b*" = DualWriteSync"#)
        #expect(override.stage == .dualWriteSync)
        #expect(try ModeOverride(parsing: override.description) == override)
        let overrides = try ModeOverrides([override])
        #expect(overrides.stage(keyspace: "My.Ks", table: "a=b*") == .dualWriteSync)
        #expect(overrides.stage(keyspace: "My.Ks", table: "a=bc") == nil)
    }

    @Test func `there are as many as there may be, and no more`() throws {
        func tables(_ count: Int, _ name: (Int) -> String) throws -> [ModeOverride] {
            try (0..<count).map { try ModeOverride(parsing: "\(name($0))=0") }
        }
        let most = try ModeOverrides(tables(ModeOverrides.countMax) { "k.t\($0)" })
        #expect(most.stage(keyspace: "k", table: "t999") == .primaryOnly)
        #expect(throws: ModeOverridesError.self) {
            try ModeOverrides(tables(ModeOverrides.countMax + 1) { "k.t\($0)" })
        }
        _ = try ModeOverrides(tables(ModeOverrides.broadMax) { "k\($0)" })
        #expect(throws: ModeOverridesError.self) { try ModeOverrides(tables(ModeOverrides.broadMax + 1) { "k\($0)" }) }
    }

    @Test func `a new override stands in front of what would hide it`() throws {
        var overrides = ModeOverrides.none
        for text in ["app.*=0", "other.t=2", "app.canary=1", "app.canary=2"] {
            overrides = try overrides.setting(try ModeOverride(parsing: text))
        }
        #expect(
            overrides.list.map(\.description) == [
                "app.canary=DualWriteSync", "app.*=PrimaryOnly", "other.t=DualWriteSync",
            ]
        )
        let rest = try #require(overrides.removing(try .init(parsing: "app")))
        #expect(rest.list.map(\.tables.description) == ["app.canary", "other.t"])
        #expect(rest.removing(try .init(parsing: "app")) == nil)
    }

    // MARK: Changes

    private static func changes(_ old: [String], _ new: [String], _ stage: ModeStage = .dualWriteAsync) throws
        -> [String]
    {
        let lists = try [old, new].map { try ModeOverrides($0.map { try ModeOverride(parsing: $0) }) }
        return lists[0].changes(to: lists[1], in: stage).map(\.description)
    }

    @Test func `nothing changes where the modes stay`() throws {
        #expect(try Self.changes([], ["app.t=1"]).isEmpty)
        #expect(try Self.changes(["app.t=2", "b=0"], ["b=0", "app.t=2"]).isEmpty)
        #expect(try Self.changes(["app.a=2", "app.*=0"], ["app.a=2", "app.*=0", "x.y=1"]).isEmpty)
        #expect(try Self.changes(["a*.t=2", "*=0"], ["a*.t=2", "*=0"]).isEmpty)
    }

    @Test func `tables get a mode, another one, and lose it`() throws {
        #expect(try Self.changes([], ["app.t=2"]) == ["app.t DualWriteAsync → DualWriteSync"])
        #expect(try Self.changes(["app.t=2"], ["app.t=3"]) == ["app.t DualWriteSync → ShadowPrimary"])
        #expect(try Self.changes(["app.t=2"], []) == ["app.t DualWriteSync → DualWriteAsync"])
        #expect(try Self.changes(["app=0"], []) == ["app.* PrimaryOnly → DualWriteAsync"])
        #expect(try Self.changes([], ["a?.x*=0"]) == ["a?.x* DualWriteAsync → PrimaryOnly"])
    }

    @Test func `a table out of a pattern changes from the pattern's mode`() throws {
        #expect(try Self.changes(["app.*=0"], ["app.t=1", "app.*=0"]) == ["app.t PrimaryOnly → DualWriteAsync"])
        #expect(try Self.changes(["app.t=1", "app.*=0"], ["app.*=0"]) == ["app.t DualWriteAsync → PrimaryOnly"])
        #expect(try Self.changes(["app.*=0"], ["app.a*=1", "app.*=0"]) == ["app.a* PrimaryOnly → DualWriteAsync"])
        #expect(try Self.changes(["app.t=2", "app.*=0"], ["app.t=2"]) == ["app.* PrimaryOnly → DualWriteAsync"])
    }

    @Test func `the order of two patterns that meet is a change`() throws {
        let changes = try Self.changes(["app.a*=0", "app.*z=2"], ["app.*z=2", "app.a*=0"])
        #expect(
            changes.contains("app.*z PrimaryOnly → DualWriteSync")
                || changes.contains("app.a* PrimaryOnly → DualWriteSync")
        )
    }

    /// Beside the modes of all tables of a small world, found one by one.
    @Test(arguments: 0..<200) func `no change is missed, and none is made up for lists of tables and keyspaces`(
        seed: Int
    ) throws {
        var random = SplitMix(seed: UInt64(seed))
        let patterns = ["a.x", "a.y", "b.x", "b.y", "a", "b", "*", "*.x", "a.?"]
        let stages: [ModeStage] = [.primaryOnly, .dualWriteAsync, .dualWriteSync]
        func list() throws -> ModeOverrides {
            var overrides = ModeOverrides.none
            for _ in 0..<Int.random(in: 0...4, using: &random) {
                let pattern = try TableFilter.Pattern(parsing: patterns.randomElement(using: &random) ?? "a")
                let override = ModeOverride(pattern, stages.randomElement(using: &random) ?? .primaryOnly)
                overrides = try overrides.setting(override)
            }
            return overrides
        }
        let (old, new) = (try list(), try list())
        let changes = old.changes(to: new, in: .dualWriteAsync)
        for keyspace in ["a", "b", "c"] {
            for table in ["x", "y", "z", "long"] {
                let from = old.stage(keyspace: keyspace, table: table) ?? .dualWriteAsync
                let to = new.stage(keyspace: keyspace, table: table) ?? .dualWriteAsync
                guard from != to else { continue }
                let filter = changes.filter { change in
                    change.from == from && change.to == to
                        && TableFilter(include: [change.tables], exclude: []).wants(keyspace: keyspace, table: table)
                }
                #expect(!filter.isEmpty, "\(keyspace).\(table): \(old.list) → \(new.list): \(changes)")
            }
        }
        if old == new { #expect(changes.isEmpty, "\(old.list)") }
    }
}

/// A generator whose numbers a seed says.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var value = self.state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
