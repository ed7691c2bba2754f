import FoundationEssentials
import TestSupport
import Testing

/// `cluster-sync sstable dump` and `verify`, the built binary from outside.
struct SSTableCommandTests {
    /// The folder of recorded SSTables: `CLUSTER_SYNC_FIXTURES`, else `../shared/fixtures` beside the package.
    private static let folder =
        (ProcessInfo.processInfo.environment["CLUSTER_SYNC_FIXTURES"] ?? "\(Repository.root)/../shared/fixtures")
        + "/sstables/cassandra-4.1"

    static let areThere = FileManager.default.fileExists(atPath: Self.folder)

    private func dump(_ arguments: [String]) async throws -> ChildProcess.Result {
        try await ChildProcess.run(["sstable", "dump"] + arguments)
    }

    @Test(.enabled(if: Self.areThere, "the recorded fixtures are not here"))
    func `a file is printed as sstabledump prints it`() async throws {
        let result = try await self.dump(["\(Self.folder)/every_type/nb-1-big-Data.db"])
        #expect(result.code == 0, "\(result.errors)")
        let expected = try String(contentsOfFile: "\(Self.folder)/every_type/sstabledump.json", encoding: .utf8)
        #expect(result.output == expected + "\n")
    }

    @Test(.enabled(if: Self.areThere, "the recorded fixtures are not here"))
    func `options have the letters of sstabledump`() async throws {
        let file = "\(Self.folder)/MixedCase/nb-1-big-Data.db"
        let keys = try await self.dump(["-e", file, "-x", "000102"])
        #expect(keys.output.hasPrefix("[ [ \"00010203040506\" ]"))
        let lines = try await self.dump(["-l", "-t", "-k", "000102", file])
        #expect(lines.output.hasPrefix(#"{"partition":{"key":["000102"],"position":0}"#))
        #expect(lines.output.contains(#""tstamp":"1700000000000000""#))
        #expect(lines.output.split(separator: "\n").count == 1)
    }

    @Test(.enabled(if: Self.areThere, "the recorded fixtures are not here"))
    func `a folder is printed as one table, without positions`() async throws {
        let result = try await self.dump(["\(Self.folder)/deletions"])
        #expect(result.code == 0, "\(result.errors)")
        #expect(!result.output.contains("position"))
        #expect(result.output.contains(#""clustering" : [ 3, "*" ]"#))
    }

    @Test func `what is not there or no SSTable ends with its code and says what to do`() async throws {
        let folder = try TemporaryFolder()
        try folder.put("nb-1-big-Data.db", Data("x".utf8))
        try folder.put("x.txt", Data())
        let cases: [(String, Int32, String)] = [
            ("\(folder.path)/nb-2-big-Data.db", 66, "there is no such file or folder"),
            ("\(folder.path)/x.txt", 64, "name a file such as nb-1-big-Data.db"),
            ("\(folder.path)/nb-1-big-Data.db", 66, "nb-1-big-Statistics.db': there is no such file"),
        ]
        for (path, code, words) in cases {
            let result = try await self.dump([path])
            #expect(result.code == code)
            #expect(result.errors.contains(words), "\(result.errors)")
            #expect(result.output.isEmpty)
        }
        try FileManager.default.removeItem(atPath: "\(folder.path)/nb-1-big-Data.db")
        let empty = try await self.dump([folder.path])
        #expect(empty.code == 66 && empty.errors.contains("there is no SSTable in"))
        try folder.put("nb_txn_compaction_1.log", Data())
        let busy = try await self.dump([folder.path])
        #expect(busy.code == 65 && busy.errors.contains("nodetool snapshot"))
    }

    @Test(.enabled(if: Self.areThere, "the recorded fixtures are not here"))
    func `a damaged file ends with 65 and names the place`() async throws {
        let folder = try TemporaryFolder()
        for name in try FileManager.default.contentsOfDirectory(atPath: "\(Self.folder)/hits") {
            try folder.put(name, try Data(contentsOf: URL(filePath: "\(Self.folder)/hits/\(name)")))
        }
        try folder.overwrite("nb-1-big-Data.db", with: [0, 0, 0, 0])
        let result = try await self.dump(["\(folder.path)/nb-1-big-Data.db"])
        #expect(result.code == 65)
        #expect(result.errors.contains("nb-1-big-Data.db' at byte 0: the checksum of chunk 0"))
        #expect(result.errors.contains("from a snapshot of another replica"))
    }

    private func verify(_ arguments: [String]) async throws -> ChildProcess.Result {
        try await ChildProcess.run(["sstable", "verify"] + arguments)
    }

    /// A copy of a recorded table, in a folder as a server has it.
    private func copy(_ table: String, to folder: TemporaryFolder) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: "\(Self.folder)/\(table)") {
            try folder.put(name, try Data(contentsOf: URL(filePath: "\(Self.folder)/\(table)/\(name)")))
        }
    }

    @Test(.enabled(if: Self.areThere, "the recorded fixtures are not here"))
    func `verify says what whole files hold`() async throws {
        let result = try await self.verify(["\(Self.folder)/hits", "\(Self.folder)/MixedCase/nb-1-big-Data.db"])
        #expect(result.code == 0, "\(result.output) \(result.errors)")
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines.dropLast().allSatisfy { $0.hasPrefix("  whole    ") && $0.contains("-Data.db (nb") })
        #expect(lines.last?.hasPrefix("2 SSTables whole: ") ?? false)
    }

    @Test(.enabled(if: Self.areThere, "the recorded fixtures are not here"))
    func `verify names the damaged file and the byte, and goes on with the others`() async throws {
        let folder = try TemporaryFolder()
        try self.copy("hits", to: folder)
        try folder.overwrite("nb-1-big-Data.db", with: [0, 0, 0, 0])
        let paths = [folder.path, "\(Self.folder)/MixedCase"]
        let result = try await self.verify(paths)
        #expect(result.code == 1)
        #expect(result.output.contains("nb-1-big-Data.db' at byte 0: the checksum of chunk 0"))
        #expect(result.output.contains("\n1 SSTable whole, 1 SSTable damaged: "))

        struct Document: Decodable {
            struct File: Decodable {
                struct Damage: Decodable {
                    let kind: String
                    let file: String
                    let offset: Int?
                }
                let path: String
                let is_whole: Bool
                let damage: Damage?
            }
            let is_whole: Bool
            let files: [File]
        }
        let json = try await self.verify(["--json"] + paths)
        #expect(json.code == 1)
        let document = try JSONDecoder().decode(Document.self, from: Data(json.output.utf8))
        #expect(!document.is_whole && document.files.map(\.is_whole).sorted { !$0 && $1 } == [false, true])
        let damage = try #require(document.files.compactMap(\.damage).first)
        #expect(damage.kind == "checksum" && damage.offset == 0)
        #expect(damage.file == "\(folder.path)/nb-1-big-Data.db")
    }

    @Test(.enabled(if: Self.areThere, "the recorded fixtures are not here"))
    func `what a load would miss is no whole folder`() async throws {
        let folder = try TemporaryFolder()
        try self.copy("hits", to: folder)
        try FileManager.default.removeItem(atPath: "\(folder.path)/nb-1-big-Statistics.db")
        let result = try await self.verify([folder.path])
        #expect(result.code == 1)
        #expect(result.output.contains("nb-1-big-Data.db: Statistics.db missing"), "\(result.output)")
    }

    @Test func `verify of nothing says so`() async throws {
        let folder = try TemporaryFolder()
        let empty = try await self.verify([folder.path])
        #expect(empty.code == 66 && empty.errors.contains("there is no SSTable under"))
        let missing = try await self.verify(["\(folder.path)/nowhere"])
        #expect(missing.code == 66 && missing.errors.contains("there is no such file or folder"))
        try folder.put("x.txt", Data())
        let other = try await self.verify(["\(folder.path)/x.txt"])
        #expect(other.code == 64)
    }
}
