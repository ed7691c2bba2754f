import ArgumentParser

/// `cluster-sync sstable`: files of a node, read without a server.
struct SSTableCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sstable",
        abstract: "Look into the SSTable files of a Cassandra node.",
        subcommands: [SSTableDumpCommand.self, SSTableVerifyCommand.self]
    )
}
