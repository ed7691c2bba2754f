import Testing
import TokenRanges

@testable import SSTableLoader

struct TableSelectionTests {
    private static func wants(_ selection: TableSelection, _ keyspace: String, _ table: String) -> Bool {
        selection.wants(TableName(keyspace: keyspace, table: table))
    }

    @Test func `everything is wanted where nothing is said`() {
        #expect(Self.wants(TableSelection(), "any", "thing"))
    }

    @Test(arguments: [
        ("ks", "ks", "t", true), ("ks", "ks2", "t", false), ("ks.*", "ks", "t", true), ("ks.t", "ks", "t", true),
        ("ks.t", "ks", "tt", false), ("ks.t?", "ks", "tt", true), ("ks.t?", "ks", "t", false),
        ("*.users", "a", "users", true),
        ("*.users", "a", "users2", false), ("k*s.*_x_*", "kaas", "a_x_b", true), ("k*s.*_x_*", "kaas", "a_x", false),
        ("Ks.t", "ks", "t", false), ("*", "ks", "t", true), ("a**b", "ab", "t", true), ("", "ks", "t", false),
    ])
    func `a pattern has stars and question marks`(
        _ pattern: String,
        _ keyspace: String,
        _ table: String,
        _ isWanted: Bool
    ) {
        #expect(Self.wants(TableSelection(include: [pattern]), keyspace, table) == isWanted)
        #expect(Self.wants(TableSelection(exclude: [pattern]), keyspace, table) == !isWanted)
    }

    @Test func `what is excluded is not wanted, whatever includes it`() {
        let selection = TableSelection(include: ["ks.*"], exclude: ["*.tmp_*"])
        #expect(Self.wants(selection, "ks", "users") && !Self.wants(selection, "ks", "tmp_1"))
    }

    @Test func `what is asked for is taken of what is wanted, and its names are no patterns`() {
        var selection = TableSelection(include: ["ks*"], exclude: ["*.tmp"])
        selection.only = [.keyspace("ks"), .table(TableName(keyspace: "ks2", table: "t"))]
        #expect(Self.wants(selection, "ks", "users") && !Self.wants(selection, "ks", "tmp"))
        #expect(Self.wants(selection, "ks2", "t") && !Self.wants(selection, "ks2", "u"))
        selection.only = [.keyspace("k*"), .keyspace("other")]
        #expect(!Self.wants(selection, "ks", "users") && !Self.wants(selection, "other", "t"))
    }

    @Test func `a pattern of many stars takes no longer than its length times the name's`() {
        let pattern = String(repeating: "*a", count: 200) + "b"
        #expect(!Self.wants(TableSelection(include: [pattern]), String(repeating: "a", count: 2_000), "t"))
    }
}
