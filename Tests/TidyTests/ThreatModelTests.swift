import FoundationEssentials
import Testing

/// docs/threat-model.md says what is defended; each defence has a test of the name that it gives.
struct ThreatModelTests {
    @Test func `each test that the threat model names exists`() {
        let text = (try? String(contentsOfFile: TidyTests.root + "/docs/threat-model.md", encoding: .utf8)) ?? ""
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| ") }
        let named = rows.flatMap { $0.matches(of: #/\*([^*]+)\*/#).map { String($0.output.1) } }
        let lines: [Substring] = TidyTests.swiftFiles(below: "Tests").flatMap(\.lines)
        let tests = Set(lines.compactMap { $0.split(separator: "`").dropFirst().first.map(String.init) })
        #expect(named.filter { !tests.contains($0) } == [])
        #expect(named.count > 15)
    }
}
