import DualWriteCore
import TestSupport
import Testing

/// What becomes of all tables when other modes take the place of those in force, and what lies between.
struct TableModesChangesTests {
    private static func modes(_ stage: ModeStage, _ texts: String...) throws -> TableModes {
        TableModes(stage, try ModeOverrides(try texts.map { try ModeOverride(parsing: $0) }))
    }

    private static let tables = [("a", "x"), ("a", "y"), ("b", "x"), ("c", "z")]

    /// Table by table.
    private static func distance(_ from: TableModes, _ to: TableModes) -> Int {
        Self.tables.map { keyspace, table in
            from.stage(keyspace: keyspace, table: table).distance(to: to.stage(keyspace: keyspace, table: table))
        }.max() ?? 0
    }

    @Test func `the distance is that of the table that goes farthest, overrides or not`() throws {
        #expect(try Self.modes(.dualWriteSync).distance(to: Self.modes(.shadowPrimary)) == 2)
        #expect(try Self.modes(.dualWriteSync, "a.x=0").distance(to: Self.modes(.readsFirst, "a.x=0")) == 1)
        #expect(try Self.modes(.dualWriteSync, "a.x=0").distance(to: Self.modes(.dualWriteSync)) == 2)
        #expect(try Self.modes(.primaryOnly, "a.*=4").distance(to: Self.modes(.primaryOnly, "a.*=3")) == 1)
        // All that changes at once is looked at.
        #expect(try Self.modes(.primaryOnly, "a.x=2").distance(to: Self.modes(.dualWriteAsync)) == 1)
        #expect(try Self.modes(.primaryOnly, "a.x=3").distance(to: Self.modes(.dualWriteAsync)) == 3)
        #expect(try Self.modes(.primaryOnly).distance(to: Self.modes(.primaryOnly)) == 0)
    }

    @Test func `between joined writes and the other primary reads are ahead, for the tables that go there alone`()
        throws
    {
        let cases: [(TableModes, TableModes, TableModes?)] = [
            (try Self.modes(.dualWriteSync), try Self.modes(.shadowPrimary), try Self.modes(.readsFirst)),
            (
                try Self.modes(.dualWriteAsync, "a.x=2"), try Self.modes(.dualWriteAsync, "a.x=3"),
                try Self.modes(.dualWriteAsync, "a.x=ReadsFirst")
            ),
            (
                try Self.modes(.shadowPrimary, "a.x=2", "b=0"), try Self.modes(.shadowPrimary, "b=0"),
                try Self.modes(.shadowPrimary, "b=0", "a.x=ReadsFirst")
            ),
            (
                try Self.modes(.shadowPrimary, "a.y=3", "a.*=2"), try Self.modes(.shadowPrimary, "a.y=3"),
                try Self.modes(.shadowPrimary, "a.y=3", "a.*=ReadsFirst")
            ),
            (
                try Self.modes(.dualWriteSync), try Self.modes(.dualWriteSync, "a.y=1", "a.*=3"),
                try Self.modes(.dualWriteSync, "a.y=1", "a.*=ReadsFirst")
            ),
            // Reads that go ahead of copies wait until clients do.
            (
                try Self.modes(.primaryOnly, "a.x=1"), try Self.modes(.primaryOnly, "a.x=ReadsFirst"),
                try Self.modes(.primaryOnly, "a.x=2")
            ),
            (try Self.modes(.dualWriteAsync), try Self.modes(.dualWriteSync), nil),
            (try Self.modes(.dualWriteAsync, "a.x=2"), try Self.modes(.dualWriteAsync, "a.x=ReadsFirst"), nil),
            // Only force goes farther, and goes at once.
            (try Self.modes(.primaryOnly), try Self.modes(.targetOnly), nil),
        ]
        for (from, to, middle) in cases {
            #expect(try from.between(to)?.overrides.list == middle?.overrides.list, "\(from.overrides) \(to.overrides)")
            #expect(try from.between(to)?.stage == middle?.stage, "\(from) \(to)")
        }
    }

    @Test func `where no list stands between, that is said`() throws {
        // a*z is in both: it would come from TargetOnly by ReadsFirst.
        let from = try Self.modes(.targetOnly, "k.a*=2")
        let to = try Self.modes(.targetOnly, "k.*z=3", "k.a*=2")
        let error = #expect(throws: ModeOverridesError.self) { try from.between(to) }
        #expect(error?.description.contains("make it in several changes") == true)
    }

    /// Beside a small world, table by table.
    @Test(arguments: 0..<300) func `what lies between is one stage from both, for every table`(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let patterns = ["a.x", "a.y", "b.x", "a.*", "b.*", "*.*"]
        func list() throws -> ModeOverrides {
            var overrides = ModeOverrides.none
            for _ in 0..<random.number(0...4) {
                let pattern = try TableFilter.Pattern(parsing: random.pick(patterns))
                overrides = try overrides.setting(ModeOverride(pattern, random.pick(ModeStage.allCases)))
            }
            return overrides
        }
        let from = TableModes(random.pick(ModeStage.allCases), try list())
        let to = TableModes(random.percent(70) ? from.stage : random.pick(ModeStage.allCases), try list())
        // Nobody is told less than what is the case.
        #expect(from.distance(to: to) >= Self.distance(from, to))
        guard let middle = try? from.between(to) else { return }
        #expect(
            Self.distance(from, middle) <= 1 && Self.distance(middle, to) <= 1,
            "\(from.overrides.list) \(to.overrides.list)"
        )
    }

    @Test func `an override is read again as it was, however it was written`() throws {
        for text in ["app=0", "app.*=1", "*=2", #""My Ks"."a.b=*"=ReadsFirst"#, "a?.x*=3"] {
            let override = try ModeOverride(parsing: text)
            #expect(try ModeOverride(tables: override.tables.description, mode: override.stage.name) == override)
        }
    }
}
