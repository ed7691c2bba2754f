import ArgumentParser
import FoundationEssentials
import SSTable

/// What is in an SSTable, as JSON.
struct SSTableDumpCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dump",
        abstract: "Print what is in an SSTable, as sstabledump does.",
        discussion: """
            FILE is a Data.db file of Cassandra 3.0 to 5.0, beside its other components. The output is that of sstabledump, but \
            for times before 1970 and after 2262, and for timestamps in keys, which that prints wrongly or cut short.

            FILE can be the folder of a table or of a snapshot, too: its SSTables are printed as one table, of each cell the one \
            that wins, without positions. What a deletion covers is left out, the deletion is not.

            Files are read, never changed; a server may be at work on them. Every checksum is verified on the way.

            Exit codes: 0 printed, 64 wrong command line, 65 a file is damaged or of a format that is not read, 66 a file is \
            missing or cannot be read, 74 the output cannot be written.
            """
    )

    @Argument(help: "A Data.db file, or the folder of a table.", completion: .file())
    var file: String

    @Option(
        name: .shortAndLong,
        help: "Print only the partition with this key; several components with ':' between them."
    )
    var key: [String] = []

    @Option(name: [.customShort("x"), .long], help: "Leave out the partition with this key.")
    var excludeKey: [String] = []

    @Flag(name: [.customShort("e"), .long], help: "Print only the keys of partitions.")
    var keysOnly = false

    @Flag(name: [.customShort("t"), .long], help: "Print times as numbers.")
    var rawTimestamps = false

    @Flag(name: [.customShort("l"), .long], help: "Print each partition as one line.")
    var jsonLines = false

    @Flag(help: "Print what counters have counted, where sstabledump prints the head of their context.")
    var counterTotals = false

    /// The output cannot be written.
    private struct OutputFailed: Error {}

    func run() throws {
        do {
            if try SSTableName.isFolder(self.file) {
                try self.write(try TableMerge(try self.tables()), tableKind: nil)
            } else {
                let table = try SSTable(dataFile: self.file)
                try self.write(table.scanner(), tableKind: table.tableKind)
            }
        } catch let error as SSTableError {
            let isMissing = [.missing, .denied, .system].contains(error.code)
            throw fail(error.code == .name ? Exit.usage : isMissing ? Exit.input : Exit.data, error.description)
        } catch is OutputFailed {
            throw fail(Exit.undelivered, "the output cannot be written; what came before is not all")
        }
    }

    private func tables() throws -> [SSTable] {
        let names = try SSTableName.all(in: self.file)
        guard !names.isEmpty else {
            throw fail(
                Exit.input,
                "there is no SSTable in '\(self.file)'; name the folder in which a table's -Data.db files lie"
            )
        }
        return try names.map { try SSTable($0) }
    }

    private func write(_ source: some PartitionSource, tableKind: String?) throws {
        var options = SSTableDump.Options(now: Int64(Date().timeIntervalSince1970))
        options.rawTimes = self.rawTimestamps
        options.lines = self.jsonLines
        options.keysOnly = self.keysOnly
        options.keys = Set(self.key)
        options.excludedKeys = Set(self.excludeKey)
        options.counterTotals = self.counterTotals
        options.tableKind = tableKind
        try SSTableDump.write(source, options) { bytes in
            guard Output.bytes(bytes) else { throw OutputFailed() }
        }
        // The document ends without one.
        if !self.jsonLines { Output.line() }
    }
}
