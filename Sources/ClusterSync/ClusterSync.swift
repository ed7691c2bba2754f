import ArgumentParser

@main
struct ClusterSync: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster-sync",
        abstract: "Moves data between Cassandra and ScyllaDB clusters while applications go on.",
        discussion: """
            Exit codes: 0 done, 1 done and the answer is no, 64 wrong command line, 65 or 66 a file is damaged or missing, 69 \
            something cannot be reached, 70 a fault of this program, 73 or 75 the state folder is unusable or taken, 74 ended \
            before everything was done, 77 token, 78 wrong configuration.
            """,
        version: Version.current,
        subcommands: [
            DualWriterCommand.self, PhaseCommand.self, ReplicasCommand.self, AuditCommand.self, StatusCommand.self,
            WatchCommand.self, TablesCommand.self, JournalCommand.self, FiltersCommand.self, LogsCommand.self,
            DrainCommand.self, ConfigCommand.self, PreflightCommand.self, SSTableLoaderCommand.self,
            DualReaderCommand.self, SSTableCommand.self, NodeCommand.self, DemoCommand.self,
        ]
    )
}
