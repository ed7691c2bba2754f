import CQLClient
import NIOCore
import Testing

@testable import LiveTables
@testable import SSTableLoader

extension Loads {
    /// Whether SSTables fit the target's table.
    @Suite(.enabled(if: Recorded.areThere, "the recorded fixtures are not here"))
    struct TargetTableTests {
        @Test func `each misfit is named`() async throws {
            try await LoadScene.run(try Recorded.named("4.1/every_type")) { scene in
                try await scene.session.query("CREATE TYPE ks.other (street text, code int)")
                try await scene.session.query(
                    """
                    CREATE TABLE ks.wrong (p bigint, c timeuuid, a int static, b bigint, bl blob, bo boolean, d decimal, db double,
                    f float, i inet, ti time, da date, ts timestamp, te text, si smallint, ty tinyint, u uuid, v varint, du duration,
                    l frozen<list<int>>, s set<int>, m map<text, bigint>, tu frozen<tuple<int, text>>, fl frozen<list<int>>,
                    ud frozen<other>, udn address, PRIMARY KEY (p, c))
                    """
                )
                let error = await #expect(throws: TargetTableError.self) {
                    try await TargetTable.read(
                        keyspace: "ks",
                        name: "wrong",
                        for: scene.source.columns,
                        from: scene.session
                    )
                }
                let misfits = try #require(error).misfits
                let named = [
                    "partition key column p is bigint, and int", "column a is static", "column l is frozen<list<int>>",
                    "column s is set<int>", "column ud is frozen<other>", "column nest is missing",
                ]
                for text in named { #expect(misfits.contains { $0.hasPrefix(text) }, "\(text) in \(misfits)") }
                #expect(misfits.count == named.count, "\(misfits)")
            }
        }

        @Test func `a table that is not there is named`() async throws {
            try await LoadScene.run(try Recorded.named("4.1/simple_none")) { scene in
                let error = await #expect(throws: TargetTableError.self) {
                    try await TargetTable.read(
                        keyspace: "ks",
                        name: "nobody",
                        for: scene.source.columns,
                        from: scene.session
                    )
                }
                #expect(error?.description.contains("ks.nobody") == true)
            }
        }

        @Test func `types are read as the schema writes them`() throws {
            let type = try #require(TypeText(#"frozen<map<text, frozen<list<frozen<"My""Type">>>>>"#))
            #expect(type.isFrozen && type.name == "map")
            #expect(type.parameters.map(\.name) == ["text", "list"])
            #expect(type.parameters[1].parameters.map(\.name) == [#"My"Type"#])
            #expect(TypeText("'org.example.Type'")?.name == "org.example.Type")
            #expect(TypeText("vector<float, 3>")?.parameters.map(\.name) == ["float", "3"])
            for text in ["", "list<", "list<int", "list<int>>", "frozen<int, int>", "\"open"] {
                #expect(TypeText(text) == nil, "\(text)")
            }
            #expect(
                TypeText(String(repeating: "list<", count: 100) + "int" + String(repeating: ">", count: 100)) == nil
            )
        }
    }
}
