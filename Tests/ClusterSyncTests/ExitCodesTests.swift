import ArgumentParser
import FoundationEssentials
import TestSupport
import Testing

@testable import ClusterSync

/// What scripts go by: exit codes in one place, and JSON of every command that answers something.
struct ExitCodesTests {
    /// A command without subcommands.
    struct Leaf: Sendable, CustomTestStringConvertible {
        let name: String
        let help: String
        var testDescription: String { self.name }
    }

    static let leaves = Self.leaves(of: ClusterSync.self, named: [])

    private static func leaves(of command: any ParsableCommand.Type, named path: [String]) -> [Leaf] {
        let subcommands = command.configuration.subcommands
        guard subcommands.isEmpty else {
            return subcommands.flatMap { sub in
                Self.leaves(of: sub, named: path + [sub.configuration.commandName ?? "\(sub)".lowercased()])
            }
        }
        return [
            Leaf(name: path.joined(separator: " "), help: command.helpMessage(includeHidden: false, columns: 10_000))
        ]
    }

    /// The codes of the table, by the document.
    private static let documented: Set<Int32> = {
        let text = (try? String(contentsOfFile: Repository.root + "/docs/exit-codes.md", encoding: .utf8)) ?? ""
        return Set(
            text.split(separator: "\n").compactMap {
                $0.firstMatch(of: #/^\| (\d+) \|/#).flatMap { Int32($0.output.1) }
            }
        )
    }()

    @Test func `the document has every code, and no other`() {
        #expect(Self.documented == Set(Exit.all.map(\.rawValue)).union([0]))
        #expect(Self.leaves.count > 30)
    }

    @Test(arguments: Self.leaves)
    func `a command says which codes it has, and all of them are documented`(leaf: Leaf) throws {
        let words = try #require(leaf.help.firstMatch(of: #/Exit codes: ([^\n]*)/#)?.output.1, "\(leaf.help)")
        let codes = words.matches(of: #/(?:^|[,;] |or |\. )(\d{1,2}):? /#).compactMap { Int32($0.output.1) }
        #expect(codes.first == 0 && codes.count > 1, "\(words)")
        #expect(Set(codes).subtracting(Self.documented) == [], "\(words)")
    }

    @Test(arguments: Self.leaves)
    func `a command that answers something does it as JSON, too`(leaf: Leaf) {
        let services = ["dual-writer", "sstable-loader run", "dual-reader serve", "dual-reader digests", "node"]
        #expect(leaf.help.contains("--json") != services.contains(leaf.name))
    }
}

/// The completions that shells get.
struct CompletionTests {
    private static func script(_ shell: String) async throws -> String {
        let result = try await ChildProcess.run(["--generate-completion-script", shell])
        #expect(result.code == 0)
        return result.output
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func `each shell gets every command, the write modes and files of YAML`(shell: String) async throws {
        let script = try await Self.script(shell)
        for word in ["watch", "drain", "config", "phase", "PrimaryOnly", "TargetOnly", "--endpoint"] {
            // fish has options without their dashes.
            #expect(script.contains(shell == "fish" ? String(word.trimmingPrefix("--")) : word), "\(word)")
        }
        #expect(script.contains("yaml"))
    }
}
