import TestSupport
import Testing

/// `cluster-sync watch` on a terminal and without one.
struct WatchCommandTests {
    private static let enter = "\u{1B}[?1049h"
    private static let leave = "\u{1B}[?1049l"

    @Test func `the view fills the terminal, follows modes and size, and gives the terminal back`() async throws {
        let group = try await SidecarGroup(2)
        let words = ["watch"] + group.admins.flatMap { ["--endpoint", $0] }
        let terminal = try PseudoTerminal(words, width: 150, height: 30)
        try await eventually { terminal.screen().contains { $0.contains("2 of 2 replicas") } }
        #expect(terminal.text.hasPrefix(Self.enter) && !terminal.isCooked)
        try await eventually { terminal.screen().contains { $0.contains("[PrimaryOnly] → DualWriteAsync") } }
        // The verdict comes by itself, a moment later.
        try await eventually { terminal.screen().contains { $0.hasPrefix("next: DualWriteAsync allowed") } }

        #expect(try await group.command("phase", "set", "1").code == 0)
        try await eventually { terminal.screen().contains { $0.contains("→ [DualWriteAsync] →") } }

        terminal.resize(width: 44, height: 9)
        try await eventually {
            let lines = terminal.screen()
            return !lines.isEmpty && lines.count <= 9 && lines.allSatisfy { $0.count <= 44 }
        }
        group.sidecars[1].signal(9)
        _ = await group.sidecars[1].result()
        try await eventually { terminal.screen().contains { $0.contains("1 of 2 replicas") } }
        terminal.type("q")
        var code: Int32?
        try await eventually {
            code = terminal.ended()
            return code != nil
        }
        #expect(code == 0 && terminal.text.hasSuffix(Self.leave) && terminal.isCooked)
        await group.stop()
    }

    @Test(arguments: ["\u{3}", nil])
    func `ctrl-c and a signal leave it, too`(key: String?) async throws {
        // Nobody answers there; the view is there all the same.
        let terminal = try PseudoTerminal(
            ["watch", "--endpoint", "http://127.0.0.1:1"],
            width: 80,
            height: 24,
            environment: ["NO_COLOR": "1"]
        )
        try await eventually { terminal.screen().contains { $0.contains("no replica has answered yet") } }
        #expect(!terminal.text.contains("\u{1B}[31m"))
        if let key { terminal.type(key) } else { terminal.signal(15) }
        var code: Int32?
        try await eventually {
            code = terminal.ended()
            return code != nil
        }
        #expect(code == 0 && terminal.text.hasSuffix(Self.leave) && terminal.isCooked)
    }

    @Test func `without a terminal it writes lines, or documents, and ends after as many as were asked for`()
        async throws
    {
        let group = try await SidecarGroup(1)
        let lines = try await group.command("watch", "--count", "2")
        #expect(lines.code == 0, "\(lines.errors)")
        #expect(lines.output.ranges(of: "ready PrimaryOnly epoch 0").count == 2 && !lines.output.contains("\u{1B}"))
        let json = try await group.command("watch", "--count", "1", "--json")
        #expect(json.code == 0 && json.output.split(separator: "\n").count == 1)
        #expect(json.output.contains("\"endpoint\":\"\(group.admins[0])\",\"answer\":{"))
        group.sidecars[0].signal(15)
        _ = await group.sidecars[0].result()
        let gone = try await group.command("watch", "--count", "1")
        #expect(gone.code == 69 && gone.output.contains("no answer"))
        await group.stop()
    }
}
