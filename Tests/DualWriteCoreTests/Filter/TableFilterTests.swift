import CQLSyntax
import DualWriteCore
import Testing

struct TableFilterTests {
    private func filter(_ include: [String], _ exclude: [String] = []) throws -> TableFilter {
        try TableFilter(parsing: include, exclude: exclude)
    }

    @Test func `names are read as CQL writes them`() throws {
        for (text, keyspace, table) in [
            ("ks", "ks", nil), ("KS", "ks", nil), ("ks.*", "ks", nil), ("ks.T_1", "ks", "t_1"), ("\"Ks\"", "Ks", nil),
            ("\"K s\".\"T\"\"x\"", "K s", "T\"x"), ("\"Ks\".*", "Ks", nil), ("ks.\"*\"", "ks", "*"),
            ("\"a.b\".c", "a.b", "c"),
        ] as [(String, String, String?)] {
            let filter = try self.filter([text])
            #expect(filter.wants(keyspace: keyspace, table: table ?? "any"), "\(text)")
            #expect(filter.wants(keyspace: keyspace, table: "other") == (table == nil), "\(text)")
            #expect(!filter.wants(keyspace: "other", table: table ?? "any"), "\(text)")
            let again = try TableFilter.Pattern(parsing: filter.include[0].description)
            #expect(again.description == filter.include[0].description, "\(text)")
        }
    }

    @Test(arguments: [
        "", "ks.", ".t", "ks.t.x", "ks t", "ks.t ", "\"ks", "\"\"", "ks.\"\"", "ß", "*.*.*",
    ])
    func `what names no table is refused with what is valid`(text: String) throws {
        let error = #expect(throws: TableFilterError.self) { try TableFilter(parsing: [text], exclude: []) }
        #expect(error?.description.contains("keyspace.table") == true)
        #expect(throws: TableFilterError.self) { try TableFilter(parsing: [], exclude: ["ks", text]) }
    }

    @Test func `an open filter wants everything`() {
        #expect(TableFilter.all.isOpen)
        #expect(TableFilter.all.wants(keyspace: "ks", table: "t") && TableFilter.all.wants(keyspace: nil, table: nil))
    }

    @Test(
        arguments: [
            (["a"], [], ["a.t", "a.u"], ["b.t"]), (["a.t"], [], ["a.t"], ["a.u", "b.t"]),
            ([], ["a"], ["b.t"], ["a.t", "a.u"]),
            ([], ["a.t"], ["a.u", "b.t"], ["a.t"]), (["a"], ["a.t"], ["a.u"], ["a.t", "b.t"]),
            (["a.t", "a"], [], ["a.u"], ["b.t"]),
            (["a", "a.t"], [], ["a.u"], ["b.t"]), (["a.t", "a.u"], ["a"], [], ["a.t", "a.u"]),
            (["a.t"], ["a.t"], [], ["a.t"]),
            (["\"A\".t"], [], [], ["a.t"]),
            (["*.t"], [], ["a.t", "b.t"], ["a.u"]), (["a.t*"], ["a.t?"], ["a.t", "a.two"], ["a.t1", "b.t"]),
            (["te*_1"], ["*.log_*"], ["ten_1.t", "te_1.log"], ["ten_2.t", "te_1.log_x"]),
            (["a", "b.x*"], ["a.\"x*\""], ["a.x", "b.x1"], ["a.x*", "b.y"]),
        ] as [([String], [String], [String], [String])]
    )
    func `the include list opens and the exclude list closes`(
        include: [String],
        exclude: [String],
        wanted: [String],
        unwanted: [String]
    ) throws {
        let filter = try self.filter(include, exclude)
        for (names, isWanted) in [(wanted, true), (unwanted, false)] {
            for name in names {
                let parts = name.split(separator: ".").map(String.init)
                #expect(filter.wants(keyspace: parts[0], table: parts[1]) == isWanted, "\(name)")
            }
        }
    }

    @Test func `a keyspace is wanted as soon as one of its tables may be`() throws {
        #expect(try self.filter(["a.t"]).wants(keyspace: "a", table: nil))
        #expect(try !self.filter(["a.t"]).wants(keyspace: "b", table: nil))
        #expect(try self.filter([], ["a.t"]).wants(keyspace: "a", table: nil))
        #expect(try !self.filter([], ["a"]).wants(keyspace: "a", table: nil))
        #expect(
            try self.filter(["a.t"]).wants(keyspace: nil, table: "u"),
            "a copy too many is better than one that is missing"
        )
    }

    @Test(arguments: [
        ("INSERT INTO a.t (k) VALUES (1)", ShadowShare.whole), ("INSERT INTO t (k) VALUES (1)", .nothing),
        ("TRUNCATE a.t", .whole), ("TRUNCATE a.u", .nothing), ("CREATE TABLE a.t (k int PRIMARY KEY)", .whole),
        ("CREATE TABLE a.u (k int PRIMARY KEY)", .nothing), ("CREATE INDEX ON a.u (v)", .nothing),
        ("DROP INDEX a.u_v", .whole),
        ("CREATE TYPE a.address (street text)", .whole), ("CREATE TYPE b.address (street text)", .nothing),
        ("CREATE KEYSPACE a WITH replication = {}", .whole), ("DROP KEYSPACE b", .nothing),
        ("GRANT SELECT ON a.u TO role", .whole), ("FROBNICATE", .whole),
        ("BEGIN BATCH INSERT INTO a.t (k) VALUES (1); DELETE FROM a.t WHERE k = 2; APPLY BATCH", .whole),
        ("BEGIN BATCH INSERT INTO a.u (k) VALUES (1); DELETE FROM t WHERE k = 2; APPLY BATCH", .nothing),
        (
            "BEGIN BATCH INSERT INTO a.u (k) VALUES (1); DELETE FROM a.t WHERE k = 2; UPDATE t SET v = 1 WHERE k = 1; "
                + "UPDATE a.t SET v = 1 WHERE k = 1; APPLY BATCH", .children([1, 3])
        ),
    ])
    func `a statement's share depends on its tables`(text: String, expected: ShadowShare) throws {
        let filter = try self.filter(["a.t"])
        #expect(filter.share(of: StatementAnalysis.analyze(text), keyspace: "ks") == expected)
        #expect(TableFilter.all.share(of: StatementAnalysis.analyze(text), keyspace: "ks") == .whole)
    }

    @Test func `a keyspace of patterns is wanted as soon as one of its tables may be`() throws {
        #expect(try self.filter(["a*.t"]).wants(keyspace: "ab", table: nil))
        #expect(try !self.filter([], ["a*"]).wants(keyspace: "ab", table: nil))
        #expect(try self.filter([], ["a*.t"]).wants(keyspace: "ab", table: nil))
    }

    @Test func `what the shadow does not want goes to the primary alone`() {
        for kind in RequestKind.allCases {
            for mode in WriteMode.allCases {
                let plan = RoutePlan(kind: kind, mode: mode, policy: StatementPolicy())
                switch plan {
                case .proxy, .single, .refuse: #expect(plan.withoutShadow == plan)
                case .ship, .join, .sequence: #expect(plan.withoutShadow == .single(mode.primary))
                }
            }
        }
    }
}
