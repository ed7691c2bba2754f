import FoundationEssentials
import Testing

/// docs/semantics.md promises what happens row by row; each row has a test of its name.
struct SemanticsDocumentTests {
    private static let rows: [String] = {
        let text = (try? String(contentsOfFile: TidyTests.root + "/docs/semantics.md", encoding: .utf8)) ?? ""
        guard let begin = text.firstRange(of: "## Row by row") else { return [] }
        let lines = text[begin.upperBound...].split(separator: "\n").filter { $0.hasPrefix("| ") }
        return lines.compactMap { line in
            let name = line.dropFirst(2).prefix { $0 != "|" }
            return name.hasSuffix(" ") ? String(name.dropLast()) : nil
        }
    }()

    /// The first line of a table names its columns.
    private static let headings = [
        "DualWriteAsync and ShadowPrimary", "DualWriteSync", "one cluster", "the sidecar is killed", "the mode changes",
    ]

    @Test func `each row of the semantics has a test of its name`() {
        let tests: [Substring] = TidyTests.swiftFiles(below: "Tests/IntegrationTests").flatMap(\.lines)
        let names = Set(tests.compactMap { $0.split(separator: "`").dropFirst().first.map(String.init) })
        let missing = Self.rows.filter { !Self.headings.contains($0) && !names.contains($0) }
        #expect(missing == [])
        #expect(Self.rows.count > 40)
    }

    @Test func `each test of the semantics is a row`() {
        let files = TidyTests.swiftFiles(below: "Tests/IntegrationTests").filter { $0.path.contains("/Semantics") }
        let lines: [Substring] = files.flatMap(\.lines)
        let tests = lines.filter { $0.contains("func `") }
        let names = tests.compactMap { $0.split(separator: "`").dropFirst().first.map(String.init) }
        #expect(names.filter { !Self.rows.contains($0) } == [])
        #expect(names.count > 30)
    }
}
