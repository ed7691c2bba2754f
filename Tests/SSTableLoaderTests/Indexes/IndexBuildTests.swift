import Testing

@testable import SSTableLoader

@Suite struct IndexBuildTests {
    private static let index = TableIndex(
        table: IndexedTable(keyspace: "k", name: "t"),
        name: "i",
        kind: "COMPOSITES",
        options: ["target": "v"],
        making: .statement("")
    )

    private func build(
        isScylla: Bool,
        peers: Int = 0,
        _ answers: [(text: String, columns: [String], rows: [[String]])],
        of index: TableIndex = index
    ) async throws -> IndexBuild {
        var all = answers
        all.append(("system.peers", ["peer"], (0..<peers).map { ["\($0)"] }))
        all.append(("system.local", ["release_version"], [[isScylla ? "3.0.8" : "4.1.6"]]))
        if isScylla { all.append(("scylla_tables", ["table_name"], [["scylla_tables"]])) }
        return try await IndexCatalog(CannedSession(answers: all)).build(of: index)
    }

    @Test func `Cassandra tells of one node with each answer`() async throws {
        let info = (text: "IndexInfo", columns: ["index_name"], rows: [["i"]])
        #expect(try await self.build(isScylla: false, [info]) == .built)
        #expect(try await self.build(isScylla: false, peers: 2, [info]) == .builtBy(answers: 6))
        #expect(try await self.build(isScylla: false, []) == .building(done: 0, of: 1))
        #expect(try await self.build(isScylla: false, peers: 2, []) == .building(done: 0, of: 6))
    }

    @Test func `ScyllaDB tells of all nodes, in either of two tables`() async throws {
        func rows(_ statuses: [(String, String)], _ table: String) -> [(
            text: String, columns: [String], rows: [[String]]
        )] {
            [
                ("SELECT host_id, status FROM \(table)", ["host_id", "status"], statuses.map { [$0.0, $0.1] }),
                (String(table.split(separator: ".")[1]), ["table_name"], [["there"]]),
            ]
        }
        for table in ["system_distributed.view_build_status", "system.view_build_status_v2"] {
            let half = rows([("a", "SUCCESS"), ("b", "STARTED")], table)
            #expect(try await self.build(isScylla: true, peers: 1, half) == .building(done: 1, of: 2))
            let whole = rows([("a", "SUCCESS"), ("b", "SUCCESS")], table)
            #expect(try await self.build(isScylla: true, peers: 1, whole) == .built)
            #expect(try await self.build(isScylla: true, peers: 2, whole) == .building(done: 2, of: 3))
            #expect(try await self.build(isScylla: true, rows([], table)) == .building(done: 0, of: 1))
        }
    }

    @Test func `what is not told is said to be so`() async throws {
        guard case .notTold = try await self.build(isScylla: true, []) else {
            Issue.record("there is no table that could tell")
            return
        }
        let vector = TableIndex(
            table: Self.index.table,
            name: "i",
            kind: "CUSTOM",
            options: ["target": "v", "class_name": "vector_index"],
            making: .statement("")
        )
        guard case .notTold(let reason) = try await self.build(isScylla: true, [], of: vector) else {
            Issue.record("no view is built for a vector index")
            return
        }
        #expect(reason.contains("vector_index"))
    }

    @Test func `views that are nobody's index are told, and those of indexes are not`() async throws {
        let answers: [(text: String, columns: [String], rows: [[String]])] = [
            (
                "system_schema.views", ["view_name", "base_table_name"],
                [["i_index", "t"], ["by_v", "t"], ["by_w", "other"]]
            ),
            ("scylla_tables", ["table_name"], [["scylla_tables"]]),
            ("system.local", ["release_version"], [["3.0.8"]]),
        ]
        let catalog = try await IndexCatalog(CannedSession(answers: answers))
        #expect(catalog.server == IndexServer(isScylla: true, major: 3))
        #expect(try await catalog.views(of: Self.index.table, indexes: ["i"]) == ["by_v"])
    }
}
