import ArgumentParser
import FoundationEssentials
import Operations
import SSTable
import SSTableLoader

/// Whether SSTables are whole, and what they hold.
struct SSTableVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read SSTables from end to end: what they hold, and whether anything of it is damaged.",
        discussion: """
            PATH is a Data.db file of Cassandra 3.0 to 5.0 beside its other components, the folder of a table or of a \
            snapshot, a data directory, or what is above it; with --snapshot, of each table the snapshot of that name. Folders \
            are searched as the loader searches them, and what it would not load is named with the reason.

            Everything that a load reads is read in the same way: the components that TOC.txt names, the checksums of the \
            data file, of each chunk and of the statistics, every partition, row and cell. Indexes are not looked at: a load \
            that meets a damaged one ends that part with an error, and misses nothing silently.

            Files are read, never changed. A server that is at work deletes files while they are read: verify a snapshot.

            Exit codes: 0 everything is whole, 1 something is damaged, missing or cannot be read (each file with the place), \
            64 wrong command line, 66 a path names nothing or no SSTable.
            """
    )

    @Argument(help: "Data.db files, or folders.", completion: .file())
    var path: [String]

    @Option(help: "Of the folder of each table, verify this snapshot.")
    var snapshot: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let folder = try self.folder()
        let names = folder.tables.flatMap(\.tables)
        guard !names.isEmpty || !folder.problems.isEmpty else {
            for notice in folder.leftOut { Output.error("left out: \(notice)") }
            throw fail(Exit.input, "there is no SSTable under '\(self.path.joined(separator: "', '"))'")
        }
        let style = Style.standardOutput()
        var files: [Document.File] = []
        var total = SSTableCheck.Contents()
        for name in names {
            let check = SSTableCheck(name)
            total.add(check.contents)
            let file = Document.File(name, check)
            if !self.json { Output.line(file.line(style)) }
            files.append(file)
        }
        let document = Document(files, total, folder)
        if self.json {
            Output.text(String(decoding: try DocumentCoding.encode(document), as: UTF8.self))
        } else {
            for line in document.lines(style) { Output.line(line) }
        }
        if !document.isWhole { throw Exit.negative }
    }

    private func folder() throws -> SSTableFolder {
        do throws(SSTableError) {
            return try SSTableFolder(self.path, places: [self.snapshot.map { .snapshot($0) } ?? .live])
        } catch {
            throw fail(error.code == .name ? Exit.usage : Exit.input, error.description)
        }
    }
}

extension SSTableVerifyCommand {
    /// The answer as JSON.
    struct Document: Encodable {
        /// What an SSTable holds, or several.
        struct Contents: Encodable {
            let partitions: Int64
            let rows: Int64
            let staticRows: Int64
            let cells: Int64
            let expiringCells: Int64
            let tombstones: Tombstones
            /// In the unit of the clients that wrote, usually microseconds since 1970.
            let timestampMin: Int64?
            let timestampMax: Int64?
            /// The same as times, in UTC, if they are microseconds.
            let firstWrite: String?
            let lastWrite: String?
            let plainBytes: Int64
        }

        struct Tombstones: Encodable {
            let cells: Int64
            let collections: Int64
            let rows: Int64
            let ranges: Int64
            let partitions: Int64
            let total: Int64
        }

        struct Damage: Encodable {
            /// The kind in one word.
            let kind: String
            /// The file, which may be another one than `Data.db`.
            let file: String
            /// The byte; in `Data.db` one of the plain data, as in a dump.
            let offset: Int64?
            /// What is wrong and what to do.
            let message: String
        }

        struct File: Encodable {
            let path: String
            let format: String
            let fileBytes: Int64?
            let isWhole: Bool
            /// Everything, or what comes before the damage.
            let contents: Contents
            let damage: Damage?
        }

        struct Notice: Encodable {
            let path: String
            let reason: String
        }

        let isWhole: Bool
        let files: [File]
        /// Of all files.
        let contents: Contents
        /// What ought to be loaded and cannot be.
        let problems: [Notice]
        /// What a load leaves out on purpose.
        let leftOut: [Notice]
    }
}

extension SSTableVerifyCommand.Document {
    init(_ files: [File], _ total: SSTableCheck.Contents, _ folder: SSTableFolder) {
        self.files = files
        self.problems = folder.problems.map { Notice(path: $0.path, reason: $0.reason) }
        self.leftOut = folder.leftOut.map { Notice(path: $0.path, reason: $0.reason) }
        self.isWhole = files.allSatisfy(\.isWhole) && folder.problems.isEmpty
        self.contents = Contents(total)
    }

    /// What comes behind the lines of the files.
    func lines(_ style: Style) -> [String] {
        var lines = self.leftOut.map { style.dim("  left out  \(Human.line($0.path)): \(Human.line($0.reason))") }
        lines += self.problems.map { "  \(style.red("problem"))  \(Human.line($0.path)): \(Human.line($0.reason))" }
        let bad = self.files.count { !$0.isWhole }
        let whole = "\(Human.many(self.files.count - bad, "SSTable")) whole"
        let damaged = bad > 0 ? ", \(Human.many(bad, "SSTable")) damaged" : ""
        let problems = self.problems.isEmpty ? "" : ", \(Human.many(self.problems.count, "problem"))"
        lines.append("\(whole)\(damaged)\(problems): \(self.contents.words)")
        return lines
    }
}

extension SSTableVerifyCommand.Document.File {
    init(_ name: SSTableName, _ check: SSTableCheck) {
        self.path = name.description
        self.format = name.version.description
        self.fileBytes = SystemCalls.fileSize(name.description)
        self.isWhole = check.damage == nil
        self.contents = .init(check.contents)
        self.damage = check.damage.map {
            .init(kind: $0.code.description, file: $0.path, offset: $0.offset, message: $0.description)
        }
    }

    func line(_ style: Style) -> String {
        let size = self.fileBytes.map { ", \(Human.bytes(Int($0)))" } ?? ""
        let head = "\(style.bold(Human.line(self.path))) (\(self.format)\(size)): \(self.contents.words)"
        guard let damage else { return "  \(style.green("whole  "))  \(head)" }
        return
            "  \(style.red("damaged"))  \(head) before the damage\n             \(style.red(Human.line(damage.message)))"
    }
}

extension SSTableVerifyCommand.Document.Contents {
    init(_ contents: SSTableCheck.Contents) {
        self.partitions = contents.partitions
        self.rows = contents.rows
        self.staticRows = contents.staticRows
        self.cells = contents.cells
        self.expiringCells = contents.expiringCells
        self.tombstones = .init(
            cells: contents.cellTombstones,
            collections: contents.collectionTombstones,
            rows: contents.rowTombstones,
            ranges: contents.rangeTombstones,
            partitions: contents.partitionTombstones,
            total: contents.tombstones
        )
        self.timestampMin = contents.timestamps?.lowerBound
        self.timestampMax = contents.timestamps?.upperBound
        self.firstWrite = contents.times?.first
        self.lastWrite = contents.times?.last
        self.plainBytes = contents.plainBytes
    }

    var words: String {
        let parts = [
            Human.many(self.partitions, "partition"), Human.many(self.rows, "row"), Human.many(self.cells, "cell"),
            Human.many(self.tombstones.total, "tombstone"), "\(Human.bytes(Int(self.plainBytes))) of plain data",
        ]
        let times = self.firstWrite.flatMap { first in
            self.lastWrite.map { ", written from \(first) to \($0)" }
        }
        return parts.joined(separator: ", ") + (times ?? "")
    }
}
