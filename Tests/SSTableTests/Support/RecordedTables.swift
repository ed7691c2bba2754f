import Testing
import FoundationEssentials
import SSTable

/// The SSTables recorded from real servers, and what their `sstabledump` printed.
enum RecordedTables {
    struct Recorded: Sendable, CustomTestStringConvertible {
        let data: String
        /// Nil where nothing was recorded beside it.
        let json: String?

        var testDescription: String { String(self.data.dropFirst(RecordedTables.folder.count + 1)) }

        var folder: String {
            self.data.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        }
    }

    /// The folder: `CLUSTER_SYNC_FIXTURES`, else `../shared/fixtures` beside the package.
    static let folder: String = {
        if let value = ProcessInfo.processInfo.environment["CLUSTER_SYNC_FIXTURES"] { return "\(value)/sstables" }
        let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(4)
        return root.joined(separator: "/") + "/../shared/fixtures/sstables"
    }()

    static let all: [Recorded] = {
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: Self.folder)) ?? []
        return names.filter { $0.hasSuffix("-Data.db") }.sorted().map { name in
            let data = "\(Self.folder)/\(name)"
            let folder = data.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
            let candidates = ["\(folder)/sstabledump.json", "\(data.dropLast("-Data.db".count)).sstabledump.json"]
            return Recorded(data: data, json: candidates.first { FileManager.default.fileExists(atPath: $0) })
        }
    }()

    static let areThere = !all.isEmpty

    /// A second of the day on which they were recorded: what they hold had not expired.
    static let recordedAt: Int64 = 1_795_424_832

    /// One of them by a part of its path.
    static func named(_ part: String) throws -> Recorded {
        struct Missing: Error { let part: String }
        guard let found = Self.all.first(where: { $0.data.contains(part) }) else { throw Missing(part: part) }
        return found
    }

    /// What a dump writes of an SSTable, in the way of the server that wrote it.
    static func dump(_ table: SSTable, _ change: (inout SSTableDump.Options) -> Void = { _ in }) throws -> String {
        var options = SSTableDump.Options(now: Self.recordedAt)
        options.tableKind = table.tableKind
        change(&options)
        return try Self.dump(table.scanner(), options)
    }

    static func dump(_ source: some PartitionSource, _ options: SSTableDump.Options) throws -> String {
        var bytes: [UInt8] = []
        try SSTableDump.write(source, options) { bytes.append(contentsOf: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
