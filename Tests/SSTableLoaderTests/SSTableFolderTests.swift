import FoundationEssentials
import SSTable
import TestSupport
import Testing

@testable import SSTableLoader

/// Which tables and SSTables are found under a path; only names and sizes are looked at.
struct SSTableFolderTests {
    private static let id = String(repeating: "0123456789abcdef", count: 2)
    private static let otherID = String(repeating: "fedcba9876543210", count: 2)
    private static let components = ["Data.db", "Statistics.db", "Index.db", "TOC.txt"]

    private static func put(_ folder: TemporaryFolder, _ path: String, _ names: [String]) throws {
        let target = "\(folder.path)/\(path)"
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        for name in names { try Data([1, 2, 3]).write(to: URL(filePath: "\(target)/\(name)")) }
    }

    private static func sstable(_ generation: Int, leavingOut: String = "") -> [String] {
        Self.components.filter { $0 != leavingOut }.map { "nb-\(generation)-big-\($0)" }
    }

    @Test func `a data directory has its tables, without those of the server`() throws {
        let folder = try TemporaryFolder()
        try Self.put(folder, "data/ks/users-\(Self.id)", Self.sstable(1) + Self.sstable(2))
        try Self.put(folder, "data/ks/users-\(Self.id)/.users_by_name", Self.sstable(1))
        try Self.put(folder, "data/ks/users-\(Self.id)/snapshots/s1", Self.sstable(1))
        try Self.put(folder, "data/ks/empty-\(Self.otherID)", [])
        try Self.put(folder, "data/system_schema/tables-\(Self.id)", Self.sstable(1))
        for path in ["", "/data", "/data/ks", "/data/ks/users-\(Self.id)"] {
            let found = try SSTableFolder(folder.path + path)
            #expect(found.tables.map { "\($0.keyspace).\($0.name)" } == ["ks.users"], "\(path)")
            #expect(found.tables.first?.tables.map(\.generation) == ["1", "2"])
            #expect(found.tables.first?.bytes == 24 && found.tables.first?.dataBytes == 6)
            #expect(found.problems.isEmpty)
        }
        #expect(try SSTableFolder(folder.path).leftOut.contains { $0.path.contains("system_schema") })
    }

    @Test func `snapshots and backups are chosen by name`() throws {
        let folder = try TemporaryFolder()
        let table = "ks/users-\(Self.id)"
        try Self.put(folder, table, Self.sstable(9))
        try Self.put(folder, "\(table)/snapshots/monday", Self.sstable(1))
        try Self.put(folder, "\(table)/backups", Self.sstable(2))
        func generations(_ path: String, _ places: [SSTableFolder.Place]) throws -> [String] {
            try SSTableFolder("\(folder.path)\(path)", places: places).tables.flatMap { $0.tables.map(\.generation) }
        }
        #expect(try generations("", [.live]) == ["9"])
        #expect(try generations("", [.snapshot("monday")]) == ["1"])
        #expect(try generations("", [.snapshot("monday"), .backups]) == ["1", "2"])
        #expect(try generations("", [.snapshot("tuesday")]) == [])
        let direct = try SSTableFolder("\(folder.path)/\(table)/snapshots/monday")
        #expect(direct.tables.map { "\($0.keyspace).\($0.name)" } == ["ks.users"])
    }

    /// As Cassandra 4.1 was seen to leave them: hard links to one SSTable in both, indexes in folders, and files of its own.
    @Test func `a snapshot and backups as a server leaves them have their SSTables, and nothing of indexes`() throws {
        let folder = try TemporaryFolder()
        let (users, empty) = ("data/ks/users-\(Self.id)", "data/ks/empty-\(Self.otherID)")
        for (place, generations) in [("snapshots/mig", [1, 2]), ("backups", [2])] {
            try Self.put(folder, "\(users)/\(place)", generations.flatMap { Self.sstable($0) })
            try Self.put(folder, "\(users)/\(place)/.users_name", [1, 2, 3].flatMap { Self.sstable($0) })
        }
        for table in [users, empty] { try Self.put(folder, "\(table)/snapshots/mig", ["manifest.json", "schema.cql"]) }
        try Self.put(folder, "\(empty)/backups", [])
        try Self.put(folder, "\(users)/snapshots/dropped-1700000000000-users", Self.sstable(7))
        let found = try SSTableFolder(folder.path, places: [.snapshot("mig"), .backups])
        #expect(found.tables.map { "\($0.keyspace).\($0.name)" } == ["ks.users"])
        #expect(found.tables.first?.tables.map(\.generation).sorted() == ["1", "2", "2"])
        #expect(found.problems.isEmpty && found.leftOut.isEmpty)
    }

    @Test func `what is not whole is told by name and reason`() throws {
        let folder = try TemporaryFolder()
        let names =
            Self.sstable(1, leavingOut: "Statistics.db") + Self.sstable(2, leavingOut: "Data.db") + Self.sstable(3)
            + ["tmp-nb-4-big-Data.db", "jb-5-big-Data.db"]
        try Self.put(folder, "ks/t-\(Self.id)", names)
        let found = try SSTableFolder(folder.path)
        #expect(found.tables.first?.tables.map(\.generation) == ["3"])
        let problems = found.problems.map(\.description)
        #expect(problems.count == 3)
        #expect(problems.contains { $0.contains("nb-1-big") && $0.contains("Statistics.db missing") })
        #expect(problems.contains { $0.contains("nb-2-big") && $0.contains("Data.db missing") })
        #expect(problems.contains { $0.contains("jb-5-big") })
        #expect(found.leftOut.contains { $0.path.hasSuffix("tmp-nb-4-big-Data.db") })
    }

    @Test func `a folder in which a server compacts is refused`() throws {
        let folder = try TemporaryFolder()
        try Self.put(folder, "ks/t-\(Self.id)", Self.sstable(1) + ["nb_txn_compaction_1.log"])
        let found = try SSTableFolder(folder.path)
        #expect(found.tables.isEmpty)
        #expect(found.problems.first?.reason.contains("nodetool snapshot") == true)
    }

    @Test func `a table that was dropped and made again is not loaded with what was dropped`() throws {
        let folder = try TemporaryFolder()
        try Self.put(folder, "ks/t-\(Self.id)", Self.sstable(1))
        try Self.put(folder, "ks/t-\(Self.otherID)", Self.sstable(1))
        let found = try SSTableFolder(folder.path)
        #expect(found.tables.isEmpty && found.problems.count == 1)
        #expect(found.problems.first?.reason.contains("several ids") == true)
    }

    @Test func `a path that names nothing is an error`() {
        #expect(throws: SSTableError.self) { try SSTableFolder("/nowhere/at/all") }
    }
}
