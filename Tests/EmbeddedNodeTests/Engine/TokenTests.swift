import CQLProtocol
import Testing

@testable import EmbeddedNode

/// Restrictions of the token: what they select, and what of them Cassandra refuses.
struct TokenTests {
    private static func database() throws -> Database {
        let database = try Database(
            "CREATE TABLE t (a int, b int, c int, s int static, v int, PRIMARY KEY ((a, b), c))",
            "CREATE TABLE one (a int PRIMARY KEY, v int)"
        )
        for a in 0..<20 {
            try database.run("INSERT INTO one (a, v) VALUES (\(a), 0)")
            for c in 0..<3 { try database.run("INSERT INTO t (a, b, c, v) VALUES (\(a), 1, \(c), 0)") }
        }
        return database
    }

    @Test func `ranges between any tokens have each partition once`() throws {
        let database = try Self.database()
        let tokens = try database.rows("SELECT token(a) FROM one").compactMap { row -> Int64? in
            if case .bigint(let token) = row[0] { token } else { nil }
        }
        #expect(tokens.count == 20 && tokens == tokens.sorted())
        // The sixth partition's own token ends one range and begins the next.
        let bounds = [Int64.min, tokens[5], 0, Int64.max]
        var count = 0
        for (start, end) in zip(bounds.sorted(), bounds.sorted().dropFirst()) {
            let rows = try database.rows(
                "SELECT token(a) FROM one WHERE token(a) > ? AND token(a) <= ?",
                [start, end].map { number in .init(bytes: withUnsafeBytes(of: number.bigEndian) { Array($0) }) }
            )
            count += rows.count
            #expect(rows.allSatisfy { row in tokens.contains { $0 > start && $0 <= end && row == [.bigint($0)] } })
        }
        #expect(count == 20)
    }

    @Test(arguments: [
        ("token(a) > 1", "all partition key components"), ("token(b, a) > 1", "in the partition key order: a, b"),
        ("token(a, b, a) > 1", "duplicate"), ("token(a, b, c) > 1", "only partition key components"),
        ("token(a, b) > 1 AND token(a, b) >= 2", "start bound on a, b"),
        ("token(a, b) < 1 AND token(a, b) < 2", "end bound on a, b"),
        ("token(a, b) = 1 AND token(a, b) = 2", "includes an Equal"),
        ("token(a, b) = 1 AND token(a, b) < 2", "includes an Equal"),
        ("token(a, b) < 2 AND token(a, b) = 1", "both an equality and an inequality"),
    ])
    func `what no range is, is refused`(_ restriction: String, _ why: String) throws {
        let database = try Self.database()
        #expect(database.refusal("SELECT * FROM t WHERE \(restriction)")?.contains(why) == true)
    }
}
