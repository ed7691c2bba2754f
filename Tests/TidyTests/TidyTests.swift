import FoundationEssentials
import Testing

/// The house rules that a machine can check. A finding names file and line.
struct TidyTests {
    struct File: Sendable, CustomTestStringConvertible {
        let path: String
        let lines: [Substring]
        var testDescription: String { self.path }
    }

    static let root = String(#filePath.dropLast("/Tests/TidyTests/TidyTests.swift".count))

    /// Every Swift file below `folder`, except the ones that the package manager made.
    static func swiftFiles(below folder: String) -> [File] {
        let manager = FileManager.default
        guard let names = try? manager.subpathsOfDirectory(atPath: "\(Self.root)/\(folder)") else { return [] }
        return names.sorted().filter { $0.hasSuffix(".swift") }.compactMap { name in
            let path = "\(folder)/\(name)"
            guard let text = try? String(contentsOfFile: "\(Self.root)/\(path)", encoding: .utf8) else { return nil }
            return File(path: path, lines: text.split(separator: "\n", omittingEmptySubsequences: false))
        }
    }

    static let sources = Self.swiftFiles(below: "Sources")
    static let everything = Self.sources + Self.swiftFiles(below: "Tests")

    private static func findings(_ files: [File], _ isWrong: (Substring, File) -> Bool) -> [String] {
        files.flatMap { file in
            file.lines.enumerated().filter { isWrong($0.element, file) }.map { "\(file.path):\($0.offset + 1)" }
        }
    }

    @Test func `the rules see the whole package`() {
        #expect(Self.sources.count > 20)
    }

    @Test func `nothing imports Foundation and only the outer modules import FoundationEssentials`() {
        let whole = Self.findings(Self.everything) { line, _ in
            let words = line.split(separator: " ")
            return words.last == "Foundation" && words.contains("import")
        }
        #expect(whole == [])
        let inner = Self.sources.filter {
            !$0.path.hasPrefix("Sources/Operations/") && !$0.path.hasPrefix("Sources/ClusterSync/")
        }
        #expect(Self.findings(inner) { line, _ in line.hasSuffix("import FoundationEssentials") } == [])
    }

    @Test func `a file has at most 400 lines, a state machine at most 800`() {
        let long = Self.sources.filter { file in
            let isMachine = file.path.hasSuffix("StateMachine.swift")
            return file.lines.count > (isMachine ? 801 : 401)
        }
        #expect(long.map { "\($0.path): \($0.lines.count - 1)" } == [])
    }

    @Test func `only the executable writes to standard output`() {
        let inner = Self.sources.filter { !$0.path.hasPrefix("Sources/ClusterSync/") }
        let found = Self.findings(inner) { line, _ in
            let code = line.drop { $0 == " " }
            return !code.hasPrefix("//") && code.contains(/\b(debugPrint|print|dump)\(/)
                && !code.contains("func print(")
        }
        #expect(found == [])
    }

    @Test func `a state machine lists its states instead of a default`() {
        let machines = Self.sources.filter { $0.path.hasSuffix("+StateMachine.swift") }
        #expect(Self.findings(machines) { line, _ in line.drop { $0 == " " }.hasPrefix("default:") } == [])
    }

    @Test func `no error of ours is answered with a crash and no crash is forced`() {
        let found = Self.findings(Self.sources) { line, _ in
            let code = line.drop { $0 == " " }
            return !code.hasPrefix("//") && (code.contains("try!") || code.contains(/\bfatalError\(/))
        }
        #expect(found == [])
    }

    @Test func `unchecked sendability says what makes it safe`() {
        let found = Self.sources.flatMap { file in
            file.lines.indices.filter { index in
                guard file.lines[index].contains("@unchecked Sendable") else { return false }
                let before = file.lines[max(0, index - 6)..<index]
                return !before.contains { $0.drop { $0 == " " }.hasPrefix("//") }
            }.map { "\(file.path):\($0 + 1)" }
        }
        #expect(found == [])
    }

    @Test func `words that only made sense while writing are gone`() {
        // Split, so that this file does not find itself.
        let words = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]
        let found = Self.findings(Self.everything) { line, _ in
            words.contains { word in
                line.contains(word + ":") || line.contains(word + " ") || line.hasSuffix(word)
            }
        }
        #expect(found == [])
    }

    @Test func `lines end without spaces and comments are not longer than 130 characters`() {
        #expect(Self.findings(Self.everything) { line, _ in line.hasSuffix(" ") || line.hasSuffix("\t") } == [])
        #expect(Self.findings(Self.sources) { line, _ in line.count > 130 && !line.contains("http") } == [])
    }
}
