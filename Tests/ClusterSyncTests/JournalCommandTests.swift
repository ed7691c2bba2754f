import DualWriteCore
import FoundationEssentials
import ShadowJournal
import SystemPackage
import TestSupport
import Testing

@testable import DualWriter

/// `cluster-sync journal` on a folder, the built binary from outside.
struct JournalCommandTests {
    private static let secret = "s3cret"

    /// A QUERY as a journal keeps it, without user and keyspace.
    private static func entry(_ text: String) -> [UInt8] {
        let header: [UInt8] = [1, 7, 0, RequestKind.plainWrite.rawValue, 1, 4] + [UInt8](repeating: 0, count: 26)
        let length = withUnsafeBytes(of: Int32(text.utf8.count).bigEndian) { Array($0) }
        return header + length + Array(text.utf8) + [0, 1, 0]
    }

    /// Runs `body` with a folder that is a state folder with a journal: two writes owed to the target, a finished one, a
    /// partition in doubt and a dead letter.
    private func withJournal(closed: Bool = true, _ body: (String) async throws -> Void) async throws {
        let path = FileManager.default.temporaryDirectory.path + "/cluster-sync-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let store = try ShadowStore(FilePath("\(path)/journal"))
        let log = try store.openLog(of: .target, loop: 0)
        for (number, state) in [JournalState(.owed), .finished, JournalState(.held)].enumerated() {
            guard case .success = log.reserve(1_000, now: 0) else { throw JournalRefusal.closed }
            Self.entry("INSERT INTO shop.orders (id, v) VALUES (\(number), '\(Self.secret)')").withUnsafeBytes {
                bytes in
                _ = log.append(kind: 0, state: state, time: 1_764_078_000_000 + Int64(number), bytes)
            }
        }
        store.dirty.mark(.init(keyspace: "shop", table: "orders", key: [0xca, 0xfe]), on: .target, .journalFull, at: 1)
        if closed {
            log.close()
            store.close()
            try await body(path)
        } else {
            try await body(path)
            log.close()
            store.close()
        }
    }

    @Test(arguments: [true, false])
    func `list shows each log, beside a running owner too`(closed: Bool) async throws {
        try await self.withJournal(closed: closed) { path in
            let before = try Self.content(path)
            let list = try await ChildProcess.run(["journal", "list", "--state-dir", path])
            #expect(list.code == 0, "\(list.errors)")
            #expect(list.output.contains(closed ? "\(path)/journal, closed" : "\(path)/journal, in use by process"))
            let lines = list.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
            #expect(lines.contains { $0.starts(with: ["LOG", "OPEN", "FINISHED", "BYTES"]) })
            let target = try #require(lines.first { $0.first == "target-0" })
            #expect(target[1...2] == ["2", "1"] && target.last == "none")
            let dirty = try #require(lines.first { $0.first == "dirty" })
            #expect(dirty[1...2] == ["1", "0"])
            #expect(try Self.content(path) == before)
        }
    }

    @Test func `show leaves values out unless they are asked for`() async throws {
        try await self.withJournal { path in
            let folder = ["--journal-dir", "\(path)/journal"]
            let shown = try await ChildProcess.run(["journal", "show", "target-0"] + folder)
            #expect(shown.code == 0, "\(shown.errors)")
            #expect(shown.output.contains("target-0, closed: 2 open records"))
            #expect(shown.output.contains("2025-11-25T13:40:00.000Z  owed   write"))
            #expect(shown.output.contains("INSERT INTO shop.orders (id, v) VALUES (…, …)"))
            #expect(!shown.output.contains(Self.secret) && !shown.output.contains("finished"))
            let json = try await ChildProcess.run(["journal", "show", "target-0", "--json"] + folder)
            #expect(json.code == 0 && !json.output.contains(Self.secret))
            let all = try await ChildProcess.run(["journal", "show", "target-0", "--all", "--values"] + folder)
            #expect(all.output.contains("INSERT INTO shop.orders (id, v) VALUES (1, '\(Self.secret)')"))
            #expect(all.output.contains("finished"))
            let first = try await ChildProcess.run(["journal", "show", "target-0", "--limit", "1"] + folder)
            #expect(first.output.contains("1 more; --limit shows them"))
            let dirty = try await ChildProcess.run(["journal", "show", "dirty"] + folder)
            #expect(dirty.output.contains("target shop.orders, a key of 2 bytes: journal_full"))
            let key = try await ChildProcess.run(["journal", "show", "dirty", "--values"] + folder)
            #expect(key.output.contains("target shop.orders, key 0xcafe: journal_full"))
        }
    }

    @Test func `verify finds one damaged byte and ends with 1`() async throws {
        try await self.withJournal { path in
            let whole = try await ChildProcess.run(["journal", "verify", "--state-dir", path])
            #expect(whole.code == 0)
            #expect(whole.output.contains("everything that was written can be read"))
            let folder = "\(path)/journal/target-0"
            let name = try #require(try FileManager.default.contentsOfDirectory(atPath: folder).min())
            var bytes = try #require(FileManager.default.contents(atPath: "\(folder)/\(name)"))
            let place = try #require(bytes.firstRange(of: Data(Self.secret.utf8))?.lowerBound)
            bytes[place] ^= 1
            try bytes.write(to: URL(filePath: "\(folder)/\(name)"))
            for arguments in [["--state-dir", path], ["--state-dir", path, "--json"]] {
                let damaged = try await ChildProcess.run(["journal", "verify"] + arguments)
                #expect(damaged.code == 1)
                #expect(damaged.output.contains("target-0"))
                #expect(damaged.output.contains("from byte"))
            }
            let list = try await ChildProcess.run(["journal", "list", "--state-dir", path])
            #expect(list.code == 0 && list.output.contains("1 damaged range"))
        }
    }

    @Test func `a state file that cannot be read is damage`() async throws {
        try await self.withJournal { path in
            try FileManager.default.removeItem(atPath: "\(path)/journal/JOURNAL")
            let verified = try await ChildProcess.run(["journal", "verify", "--state-dir", path])
            #expect(verified.code == 1)
            #expect(verified.output.contains("the file that says how the last owner ended cannot be read"))
        }
    }

    @Test func `a folder without a journal ends with 73, a wrong command line with 64`() async throws {
        let nowhere = "/tmp/cluster-sync-\(UUID().uuidString)"
        for command in [["list"], ["verify"], ["show", "target-0"]] {
            let result = try await ChildProcess.run(["journal"] + command + ["--state-dir", nowhere])
            #expect(result.code == 73 && result.errors.contains("\(nowhere)/journal"), "\(result.errors)")
        }
        for command in [
            ["list"], ["list", "--state-dir", "a", "--journal-dir", "b"], ["show"],
            ["show", "x", "--limit", "0", "--state-dir", "a"], ["dead-letters", "retry", "--cluster", "target"],
            ["dead-letters", "retry", "--cluster", "both", "--all"], ["dead-letters", "retry", "--all"],
            ["dead-letters", "retry", "--cluster", "target", "--all", "1"],
            ["dead-letters", "retry", "--cluster", "target", "x"],
            ["dead-letters", "discard", "--cluster", "target", "1"], ["dirty", "clear", "--cluster", "target"],
            ["dirty", "clear", "--reason", "r"], ["dirty", "list", "--cluster", "x"],
        ] {
            let result = try await ChildProcess.run(["journal"] + command)
            #expect(result.code == 64, "\(command): \(result.errors)")
            #expect(!result.errors.isEmpty && result.output.isEmpty)
        }
        try await self.withJournal { path in
            let result = try await ChildProcess.run(["journal", "show", "target-9", "--state-dir", path])
            #expect(result.code == 64 && result.errors.contains("dead-letters, dirty, dirty-tables, target-0"))
            let found = try await ChildProcess.run(["journal", "list"], environment: ["CLUSTER_SYNC_STATE_DIR": path])
            #expect(found.code == 0)
        }
    }

    @Test(arguments: [
        ["dead-letters"], ["dirty"], ["dead-letters", "retry", "--cluster", "target", "--all"],
        ["dirty", "clear", "--cluster", "target", "--reason", "r"],
    ])
    func `without a sidecar the commands that ask it end with 69`(arguments: [String]) async throws {
        let result = try await ChildProcess.run(["journal"] + arguments + ["--endpoint", "127.0.0.1:1"])
        #expect(result.code == 69)
        #expect(result.errors.contains("no admin port answers at http://127.0.0.1:1"))
    }

    /// All files below a folder with their bytes.
    private static func content(_ path: String) throws -> [String: Data] {
        var content: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: path) {
            content[name] = FileManager.default.contents(atPath: "\(path)/\(name)")
        }
        return content
    }
}
