import DualWriteCore
import Testing

/// What two patterns have to do with each other, beside all names of a small alphabet.
struct NamePatternRelationTests {
    /// All names of up to four letters.
    private static let names: [String] = {
        var names = [""]
        var longest = [""]
        for _ in 0..<4 {
            longest = longest.flatMap { name in ["a", "b"].map { name + $0 } }
            names += longest
        }
        return Array(names.dropFirst())
    }()

    private static let texts = [
        "a", "ab", "*", "a*", "*a", "a*b", "*b*", "?", "a?", "?b", "??", "a*b*", "*a?", "?*", "*?", "a**b", "\"a*\"",
    ]

    private static func pattern(_ text: String) throws -> TableFilter.Pattern {
        try TableFilter.Pattern(parsing: "k.\(text)")
    }

    private static func matching(_ text: String) throws -> Set<String> {
        let filter = try TableFilter(parsing: ["k.\(text)"], exclude: [])
        return Set(Self.names.filter { filter.wants(keyspace: "k", table: $0) })
    }

    @Test(arguments: texts) func `patterns meet where a name is meant by both`(text: String) throws {
        for other in Self.texts {
            let both = try Self.matching(text).intersection(Self.matching(other))
            // A quoted star is a name that is none of those.
            let areOne = text == other
            #expect(
                try Self.pattern(text).meets(Self.pattern(other)) == (!both.isEmpty || areOne)
                    || Self.isQuoted(text, other)
            )
        }
    }

    private static func isQuoted(_ text: String, _ other: String) -> Bool {
        text.contains("\"") || other.contains("\"")
    }

    @Test(arguments: texts) func `a pattern covers another one only where it means all of its names`(text: String)
        throws
    {
        for other in Self.texts where !Self.isQuoted(text, other) {
            let isCovered = try Self.matching(other).isSubset(of: Self.matching(text))
            if try Self.pattern(text).covers(Self.pattern(other)) { #expect(isCovered, "\(text) covers \(other)") }
        }
    }

    @Test(arguments: [
        ("k.*", "k.a", true), ("k", "k.a*", true), ("*", "k.a", true), ("k.a*", "k.ab*", true), ("k.a*", "k.a?", true),
        ("k.a?", "k.a*", false), ("k.a", "k.a*", false), ("k.a", "k.a", true), ("k.a", "k", false),
        ("j.*", "k.*", false),
        ("k?", "k1.t", true), ("k.\"A\"", "k.a", false), ("k.*", "k.\"A.b\"", true),
    ])
    func `covering goes by keyspace and table`(wide: String, narrow: String, covers: Bool) throws {
        let (wide, narrow) = (try TableFilter.Pattern(parsing: wide), try TableFilter.Pattern(parsing: narrow))
        #expect(wide.covers(narrow) == covers)
        if covers { #expect(wide.meets(narrow) && narrow.meets(wide)) }
    }

    @Test(arguments: [
        ("k.a", "k.b", false), ("k.*a", "k.b*", true), ("k.a*", "k.b*", false), ("j", "k.a", false), ("*.a", "k", true),
        ("*.a", "k.b", false), ("k.\"A\"", "k.?", true), ("k.\"*\"", "k.a", false), ("k.\"*\"", "k.*", true),
    ])
    func `meeting goes by keyspace and table`(one: String, other: String, meets: Bool) throws {
        let (one, other) = (try TableFilter.Pattern(parsing: one), try TableFilter.Pattern(parsing: other))
        #expect(one.meets(other) == meets && other.meets(one) == meets)
    }
}
