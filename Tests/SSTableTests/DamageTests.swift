import FoundationEssentials
import NIOCore
import SSTable
import TestSupport
import Testing

/// Truncated files and flipped bits: an error that names the file, or what was there; never a crash, never something else.
@Suite(.enabled(if: RecordedTables.areThere, "the recorded fixtures are not here"))
struct DamageTests {
    /// A copy of an SSTable whose files can be damaged.
    private struct Copy {
        let folder: TemporaryFolder
        let data: String
        let contents: [(name: String, bytes: Data)]

        init(_ recorded: RecordedTables.Recorded) throws {
            self.folder = try TemporaryFolder()
            let file = String(recorded.data.split(separator: "/").last ?? "")
            let prefix = file.dropLast("Data.db".count)
            var contents: [(name: String, bytes: Data)] = []
            for name in try FileManager.default.contentsOfDirectory(atPath: recorded.folder).sorted()
            where name.hasPrefix(prefix) && !name.hasSuffix("Filter.db") {
                let bytes = try Data(contentsOf: URL(filePath: "\(recorded.folder)/\(name)"))
                try bytes.write(to: URL(filePath: "\(self.folder.path)/\(name)"))
                contents.append((name, bytes))
            }
            self.contents = contents
            self.data = "\(self.folder.path)/\(file)"
        }

        func put(_ name: String, _ bytes: Data) throws {
            try bytes.write(to: URL(filePath: "\(self.folder.path)/\(name)"))
        }
    }

    /// Everything that can be read in every way, as text.
    private static func everything(_ path: String) throws(SSTableError) -> [String] {
        // So that a lie in a length is found by its limit and not by waiting.
        var limits = SSTableLimits()
        limits.rowBytesMax = 8 << 20
        limits.chunkBytesMax = 4 << 20
        let table = try SSTable(dataFile: path, limits: limits)
        var results = ["\(table.header.columns)"]
        var options = SSTableDump.Options(now: 0)
        options.rawTimes = true
        func read(_ source: some PartitionSource) throws(SSTableError) {
            do {
                results.append(try RecordedTables.dump(source, options))
            } catch let error as SSTableError {
                throw error
            } catch {
                Issue.record(error)
            }
        }
        try read(table.scanner())
        if table.statistics.partitioner == .murmur3 {
            for tokens in [Int64.min ... -1, 0 ... .max, 5_000_000_000_000_000_000 ... .max] {
                try read(try table.scanner(tokens: tokens))
            }
        }
        _ = try table.digestMatches()
        return results
    }

    private static func check(_ copy: Copy, _ name: String, _ intact: [String], _ what: String) {
        do throws(SSTableError) {
            let results = try Self.everything(copy.data)
            // Before 4.0 statistics have no checksums, so that a wrong type in them is a type.
            guard !(name.hasPrefix("m") && name.hasSuffix("Statistics.db")) else { return }
            let isEqual = results == intact
            #expect(isEqual, "\(name), \(what): something else was read")
        } catch {
            #expect(error.path.hasPrefix(copy.folder.path), "\(name), \(what): \(error)")
            #expect(error.description.contains(error.path))
        }
    }

    private static let victims = [
        "4.1/deletions", "4.1/every_type", "4.1/hits", "4.1/MixedCase", "4.1/simple_none", "4.1/simple_deflate",
        "5.0-big/simple_zstd", "5.0-bti/simple_lz4", "5.0-bti/wide", "mc/legacy_tables/legacy_mc_inaccurate_min_max",
    ]

    @Test(arguments: victims)
    func `a flipped bit is found, wherever it is`(victim: String) throws {
        let copy = try Copy(RecordedTables.named(victim))
        let intact = try Self.everything(copy.data)
        var random = SeededRandom(seed: 1)
        for (name, bytes) in copy.contents where !bytes.isEmpty {
            // Reading a large table takes its time; CLUSTER_SYNC_DAMAGE asks for more than a look.
            let count = min(bytes.count, Self.effort / (1 + intact[1].utf8.count / 20_000))
            for _ in 0..<count {
                let (place, bit) = (
                    Int.random(in: 0..<bytes.count, using: &random), Int.random(in: 0..<8, using: &random)
                )
                var damaged = bytes
                damaged[place] ^= 1 << UInt8(bit)
                try copy.put(name, damaged)
                Self.check(copy, name, intact, "bit \(bit) of byte \(place)")
            }
            try copy.put(name, bytes)
        }
        let isEqual = try Self.everything(copy.data) == intact
        #expect(isEqual)
    }

    @Test(arguments: victims)
    func `a truncated file is found, wherever it ends`(victim: String) throws {
        let copy = try Copy(RecordedTables.named(victim))
        let intact = try Self.everything(copy.data)
        var random = SeededRandom(seed: 2)
        for (name, bytes) in copy.contents where !bytes.isEmpty {
            let count = min(bytes.count, Self.effort / (1 + intact[1].utf8.count / 20_000))
            for length in [0, 1, bytes.count - 1]
                + (0..<count).map({ _ in .random(in: 0..<bytes.count, using: &random) })
            {
                try copy.put(name, bytes.prefix(length))
                Self.check(copy, name, intact, "\(length) bytes")
            }
            try copy.put(name, bytes)
        }
    }

    @Test(arguments: victims)
    func `a missing file that TOC names is an error`(victim: String) throws {
        let copy = try Copy(RecordedTables.named(victim))
        for (name, bytes) in copy.contents where !name.hasSuffix("TOC.txt") {
            try FileManager.default.removeItem(atPath: "\(copy.folder.path)/\(name)")
            let error = #expect(throws: SSTableError.self) { try SSTable(dataFile: copy.data) }
            #expect(error?.code == .missing && (error?.path.hasSuffix(name) ?? false), "\(name)")
            try copy.put(name, bytes)
        }
    }

    private static var effort: Int {
        ProcessInfo.processInfo.environment["CLUSTER_SYNC_DAMAGE"].flatMap { Int($0) } ?? 25
    }

    @Test func `an error says what, where and what to do`() throws {
        let copy = try Copy(RecordedTables.named("4.1/simple_deflate"))
        for (name, bytes) in copy.contents where name.hasSuffix("Data.db") {
            var damaged = bytes
            damaged[5_000] ^= 1
            try copy.put(name, damaged)
        }
        let error = #expect(throws: SSTableError.self) { try Self.everything(copy.data) }
        #expect(
            error?.description
                == "'\(copy.data)' at byte 32768: the checksum of chunk 2 (2242 bytes at byte 4502 of the file) does not match; "
                + "copy the file again from its node, or from a snapshot of another replica"
        )
    }

    @Test func `names that are none, and formats that are not read, are errors`() throws {
        for (path, part) in [
            ("/nowhere/nb-1-big-Data.db", "there is no such file"), ("/nowhere/ka-1-big-Data.db", "the format ka-big"),
            ("/nowhere/nb-1-big-Index.db", "is not the data file"), ("x", "is not the data file"),
            ("/nowhere/ks-t-ka-1-Data.db", "is not the data file"),
        ] {
            let error = #expect(throws: SSTableError.self) { try SSTable(dataFile: path) }
            #expect(error?.description.contains(part) ?? false, "\(path): \(error?.description ?? "")")
        }
        let name = try SSTableName(dataFile: "/a/b/nb-3g7k_0s2o_2yzq82l7yrkn9nn0gd-big-Data.db")
        #expect(name.generation == "3g7k_0s2o_2yzq82l7yrkn9nn0gd" && name.folder == "/a/b")
        #expect(name.path(.summary) == "/a/b/nb-3g7k_0s2o_2yzq82l7yrkn9nn0gd-big-Summary.db")
    }
}
