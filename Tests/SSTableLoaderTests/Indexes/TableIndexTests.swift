import Testing

@testable import SSTableLoader

@Suite struct TableIndexTests {
    private static let columns = [
        "p": "int", "q": "int", "v": "text", "Mixed": "text", "we\"ird": "text", "keys(m)": "int", "a, b": "int",
        "m": "map<text, int>", "s": "set<int>", "l": "list<int>", "f": "frozen<list<int>>",
        "tu": "frozen<tuple<int, int>>",
        "e": "vector<float, 3>", "\"q\"": "int",
    ]
    private static let cassandra = IndexServer(isScylla: false, major: 4)
    private static let scylla = IndexServer(isScylla: true, major: 3)

    private func index(
        _ kind: String,
        _ options: [String: String],
        _ server: IndexServer = cassandra,
        name: String = "i"
    ) -> TableIndex {
        let table = IndexedTable(keyspace: "k", name: "T")
        return TableIndex(
            table: table,
            name: name,
            kind: kind,
            options: options,
            columns: Self.columns,
            server: server
        )
    }

    private func impossible(_ kind: String, _ options: [String: String], _ server: IndexServer = cassandra) -> String? {
        if case .impossible(let reason) = self.index(kind, options, server).making { return reason }
        return nil
    }

    @Test(
        arguments: [
            ("v", #""v""#), (#""Mixed""#, #""Mixed""#), (#""we""ird""#, #""we""ird""#), (#""keys(m)""#, #""keys(m)""#),
            ("keys(m)", #"keys("m")"#), ("values(m)", #"values("m")"#), ("entries(m)", #"entries("m")"#),
            ("values(s)", #"values("s")"#), ("values(l)", #"values("l")"#), ("full(f)", #"full("f")"#),
            ("tu", #""tu""#),
            (#"full("f")"#, #"full("f")"#), (#""""q""""#, #""""q""""#),
        ]
    )
    func `what Cassandra keeps of a target becomes what its statement had`(kept: String, target: String) {
        #expect(
            self.index("COMPOSITES", ["target": kept]).statement
                == #"CREATE INDEX IF NOT EXISTS "i" ON "k"."T" (\#(target))"#
        )
    }

    @Test(
        arguments: [
            // Old releases keep names without quotes.
            ("v", #""v""#), ("Mixed", #""Mixed""#), (#""Mixed""#, #""Mixed""#),
            // A set's values are kept as its keys, and a frozen collection as a plain column; CREATE INDEX takes neither.
            ("keys(s)", #"values("s")"#), ("f", #"full("f")"#), ("entries(m)", #"entries("m")"#),
            // Local indexes.
            (#"{"pk":["p"],"ck":["v"]}"#, #"("p"), "v""#),
            (#"{"pk": ["p", "q"], "ck": ["Mixed"]}"#, #"("p", "q"), "Mixed""#),
        ]
    )
    func `what ScyllaDB keeps of a target becomes what its statement had`(kept: String, target: String) {
        #expect(
            self.index("COMPOSITES", ["target": kept], Self.scylla).statement
                == #"CREATE INDEX IF NOT EXISTS "i" ON "k"."T" (\#(target))"#
        )
    }

    @Test func `a custom index has its class and its other options as a map in order`() {
        let sasi = self.index(
            "CUSTOM",
            [
                "target": "v", "class_name": "org.apache.cassandra.index.sasi.SASIIndex", "mode": "CONTAINS",
                "analyzer_class": "org.apache.cassandra.index.sasi.analyzer.StandardAnalyzer", "it's": "a 'quote'",
            ]
        )
        #expect(
            sasi.statement
                == #"CREATE CUSTOM INDEX IF NOT EXISTS "i" ON "k"."T" ("v") "#
                + "USING 'org.apache.cassandra.index.sasi.SASIIndex' WITH OPTIONS = {"
                + "'analyzer_class': 'org.apache.cassandra.index.sasi.analyzer.StandardAnalyzer', "
                + "'it''s': 'a ''quote''', 'mode': 'CONTAINS'}"
        )
        #expect(
            self.index("CUSTOM", ["target": "e", "class_name": "StorageAttachedIndex"]).statement
                == #"CREATE CUSTOM INDEX IF NOT EXISTS "i" ON "k"."T" ("e") USING 'StorageAttachedIndex'"#
        )
        #expect(
            self.index("CUSTOM", ["target": #"v, "a, b", keys(m)"#, "class_name": "c"]).statement
                == #"CREATE CUSTOM INDEX IF NOT EXISTS "i" ON "k"."T" ("v", "a, b", keys("m")) USING 'c'"#
        )
        #expect(
            self.index("CUSTOM", ["target": "", "class_name": "c"]).statement
                == #"CREATE CUSTOM INDEX IF NOT EXISTS "i" ON "k"."T" () USING 'c'"#
        )
    }

    @Test func `a vector index of ScyllaDB keeps its options but for the time of its making`() {
        let options = ["class_name": "vector_index", "similarity_function": "COSINE"]
        let first = self.index(
            "CUSTOM",
            options.merging(["target": #"{"tc":"e","pk":["p"],"fc":["q","v"]}"#, "index_version": "one"]) { $1 },
            Self.scylla
        )
        let second = self.index(
            "CUSTOM",
            options.merging(["target": #"{"tc":"e","pk":["p"],"fc":["q","v"]}"#, "index_version": "two"]) { $1 },
            Self.scylla
        )
        #expect(
            first.statement
                == #"CREATE CUSTOM INDEX IF NOT EXISTS "i" ON "k"."T" (("p"), "e", "q", "v") USING 'vector_index' "#
                + "WITH OPTIONS = {'similarity_function': 'COSINE'}"
        )
        #expect(first.hasDefinition(of: second))
    }

    @Test func `the default index of Cassandra 5 does not matter`() {
        let five = IndexServer(isScylla: false, major: 5)
        #expect(
            self.index("COMPOSITES", ["target": "v"], five).statement
                == #"CREATE INDEX IF NOT EXISTS "i" ON "k"."T" ("v") USING 'legacy_local_table'"#
        )
    }

    @Test func `what no statement makes again is said to be so`() {
        #expect(self.impossible("KEYS", ["target": "v"]) == "Cassandra 4 makes no indexes of the kind KEYS any more")
        #expect(self.impossible("KEYS", ["target": "v"], .init(isScylla: false, major: 3)) == nil)
        #expect(self.impossible("KEYS", ["target": "v"], Self.scylla) == nil)
        #expect(self.impossible("CUSTOM", ["target": "v"]) == "its class is not told")
        #expect(self.impossible("COMPOSITES", [:]) == "it tells no target")
        #expect(self.impossible("SPATIAL", ["target": "v"]) == "its kind SPATIAL is not known")
        #expect(
            self.impossible("COMPOSITES", ["target": "v", "x": "y"])
                == #"it has options that no statement gives: ["x"]"#
        )
        for target in ["gone", "keys(gone)", "v, gone", #"{"pk":["p"],"ck":["gone"]}"#, #"{"pk":["p"]}"#, "{", #""v"#] {
            #expect(
                self.impossible("COMPOSITES", ["target": target])
                    == "its target \(target) is about no column that the table has"
            )
        }
    }

    @Test func `two indexes are the same whatever their names and quotes, and differ in anything else`() {
        let one = self.index("COMPOSITES", ["target": "Mixed"], Self.scylla)
        #expect(
            one.hasDefinition(of: self.index("COMPOSITES", ["target": #""Mixed""#], Self.scylla, name: "other name"))
        )
        #expect(!one.hasDefinition(of: self.index("COMPOSITES", ["target": "v"], Self.scylla)))
        #expect(!one.hasDefinition(of: self.index("KEYS", ["target": "Mixed"], Self.scylla)))
        let custom = self.index("CUSTOM", ["target": "v", "class_name": "c", "a": "1"])
        #expect(!custom.hasDefinition(of: self.index("CUSTOM", ["target": "v", "class_name": "c", "a": "2"])))
        #expect(!custom.hasDefinition(of: self.index("CUSTOM", ["target": "v", "class_name": "d", "a": "1"])))
    }

    @Test func `every statement makes the row again that it came from`() async throws {
        let statements = [
            #"CREATE TABLE k."T" (p int, q int, v text, "Mixed" text, "we""ird" text, m map<text, int>, s set<int>, "#
                + "l list<int>, f frozen<list<int>>, tu frozen<tuple<int, int>>, PRIMARY KEY ((p, q), v))",
            #"CREATE INDEX ON k."T" ("Mixed")"#, #"CREATE INDEX "Quoted" ON k."T" ("we""ird")"#,
            #"CREATE INDEX i1 ON k."T" (m)"#, #"CREATE INDEX i2 ON k."T" (keys(m))"#, #"CREATE INDEX i3 ON k."T" (q)"#,
            #"CREATE INDEX i4 ON k."T" (entries(m))"#, #"CREATE INDEX i5 ON k."T" (s)"#,
            #"CREATE INDEX i6 ON k."T" (l)"#,
            #"CREATE INDEX i7 ON k."T" (full(f))"#, #"CREATE INDEX i8 ON k."T" (tu)"#, #"CREATE INDEX i9 ON k."T" (v)"#,
            #"CREATE CUSTOM INDEX c1 ON k."T" (v) USING 'org.apache.cassandra.index.sasi.SASIIndex' "#
                + "WITH OPTIONS = {'mode': 'PREFIX', 'case_sensitive': 'it''s'}",
            #"CREATE CUSTOM INDEX c2 ON k."T" (v, "Mixed", keys(m)) USING 'StorageAttachedIndex'"#,
            #"CREATE CUSTOM INDEX c3 ON k."T" () USING 'com.example.RowIndex'"#,
        ]
        for release in ["4.1.6", "5.0.2"] {
            try await IndexedNode.with(release: release, statements) { target in
                let before = try await target.rows()
                #expect(before.count == statements.count - 1)
                let indexes = try await IndexCatalog(target.session).keyspace("k").indexes
                for index in indexes.values { try await target.session.change(index.dropStatement) }
                #expect(try await target.rows() == [])
                for index in indexes.values { try await target.session.change(try #require(index.statement)) }
                #expect(try await target.rows() == before)
            }
        }
    }
}
