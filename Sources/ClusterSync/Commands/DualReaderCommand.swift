import ArgumentParser
import CQLClient
import DualReader
import Logging
import NIOPosix
import Operations
import ServiceLifecycle
import TokenRanges
import UnixSignals

/// `cluster-sync dual-reader`: what both clusters have, side by side.
struct DualReaderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dual-reader",
        abstract: "Read both clusters, say whether they agree, and repair what differs.",
        subcommands: [
            Serve.self, Compare.self, Repair.self, DigestsCommand.self, ReaderStatusCommand.self,
            ReaderValidateCommand.self,
            ReaderStopCommand.self, ReaderDiscrepanciesCommand.self, ReaderReconcileCommand.self,
        ],
        defaultSubcommand: Serve.self
    )

    /// What names the configuration.
    struct Options: ParsableArguments {
        @Option(
            help: "A YAML file; config/dual-reader.yaml explains every key.",
            completion: .file(extensions: ["yaml", "yml"])
        )
        var config: String?

        @Option(name: .customLong("set"), help: "Any key of the file, as key=value. Can be repeated.")
        var settings: [String] = []

        @Option(help: "The folder of its files; short for --set state_dir=….")
        var stateDir: String?

        /// Reads the configuration, and sets up the log by it.
        func load() throws -> (ReaderConfiguration, Logger) {
            let settings = (self.stateDir.map { ["state_dir=\($0)"] } ?? []) + self.settings
            let layers = try ConfigurationOptions.layers(.reader, file: self.config, settings: settings)
            do {
                let configuration = try ReaderConfiguration(layers, readFile: ConfigurationOptions.secret)
                return (
                    configuration,
                    ConfigurationOptions.startLog(configuration.logLevel, configuration.logFormat, layers)
                )
            } catch {
                throw fail(Exit.configuration, "\(error)")
            }
        }

        /// The state folder, held until it is let go of: nobody else may go on with the same files.
        static func folder(_ path: String) throws -> StateFolder {
            do throws(StateError) {
                return try StateFolder(path: path)
            } catch {
                throw fail(error.code == .locked ? Exit.locked : Exit.state, error.description)
            }
        }
    }

    /// What of the configured tables one run is about, and how it tells of it.
    struct Selection: ParsableArguments {
        @Option(help: "A keyspace, named as in the schema; can be repeated. Without it everything that is configured.")
        var keyspace: [String] = []

        @Option(help: "A table, KEYSPACE.TABLE, named as in the schema; can be repeated.")
        var table: [String] = []

        @Flag(help: "Forget what a run has found that was interrupted, and begin anew.")
        var anew = false

        @Flag(help: "Print the report as JSON.")
        var json = false

        /// What the options name; nil for everything.
        func only() throws -> Set<TableSelection.Name>? {
            var names = Set(self.keyspace.map { TableSelection.Name.keyspace($0) })
            for text in self.table {
                guard let name = TableName(path: text) else {
                    throw ValidationError("--table takes KEYSPACE.TABLE, not '\(text)'")
                }
                names.insert(.table(name))
            }
            return names.isEmpty ? nil : names
        }
    }

    struct Compare: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Compare both clusters once, cell by cell, say what differs, and change nothing.",
            discussion: """
                What differs is read again before it counts. Ended before it was done, and started again, it goes on where it \
                was; once done, the next start begins anew.

                Exit codes: 0 in sync, 1 they differ, 64 wrong command line or neither cluster has such a table, 69 a cluster \
                does not answer, 73 or 75 the state folder is unusable or taken, 74 incomplete (no difference was found so \
                far, and not everything is known: it says what), 78 wrong configuration.
                """
        )

        @OptionGroup var options: Options
        @OptionGroup var selection: Selection

        func run() async throws {
            let only = try self.selection.only()
            let (configuration, logger) = try self.options.load()
            try await ReaderRunCommand(selection: self.selection, configuration: configuration, logger: logger)
                .run(only: only) { _ in }
        }
    }

    struct Repair: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Compare both clusters once, and repair what differs; without --apply say what that would write.",
            discussion: """
                Cells are written with their own timestamps and lives. Each statement stands in the report file before it is \
                sent. What was repaired is read again before it counts as repaired.

                Exit codes: 0 nothing is left to be repaired, 1 something is (a dry run: something would be written), 64 wrong \
                command line or neither cluster has such a table, 69 a cluster does not answer, 73 or 75 the state folder is \
                unusable or taken, 74 incomplete (it says what), 78 wrong configuration.
                """
        )

        /// The words of ``RepairPolicy``.
        enum Policy: String, ExpressibleByArgument, CaseIterable {
            case sourceWins = "source_wins"
            case newestWins = "newest_wins"
            case manual
        }

        @Flag(help: "Write. Without it nothing is written anywhere, and statements are only listed.")
        var apply = false

        @Option(
            help: "Who is right: source_wins, newest_wins, or manual, which repairs nothing; short for repair.policy."
        )
        var policy: Policy?

        @Flag(
            help:
                "Delete what the target alone has, with the timestamp of its newest cell; short for repair.delete_extras."
        )
        var deleteExtras = false

        @Flag(help: "Write a timestamp that had to be raised on the source, too; short for repair.align_source.")
        var alignSource = false

        @Flag(help: "Repair counters: right only while nothing writes them on either side; short for repair.counters.")
        var counters = false

        @Option(
            help:
                "The timestamp of rows and elements of collections of which no cluster tells one, in microseconds since 1970."
        )
        var untoldTimestamp: Int64?

        @OptionGroup var options: Options
        @OptionGroup var selection: Selection

        func run() async throws {
            let only = try self.selection.only()
            let (configuration, logger) = try self.options.load()
            var repair = configuration.repair.settings(isDryRun: !self.apply)
            repair.policy = self.policy.flatMap { RepairPolicy(rawValue: $0.rawValue) } ?? repair.policy
            repair.deletesExtras = repair.deletesExtras || self.deleteExtras
            repair.alignsSource = repair.alignsSource || self.alignSource
            repair.repairsCounters = repair.repairsCounters || self.counters
            repair.untoldTimestamp = self.untoldTimestamp
            guard self.policy != nil || repair.policy != .manual else {
                throw fail(Exit.usage, "who is right where the clusters differ? Say --policy, or set repair.policy")
            }
            try await ReaderRunCommand(selection: self.selection, configuration: configuration, logger: logger)
                .run(only: only) { settings in
                    settings.repair = repair
                    settings.job += self.apply ? ".repair" : ".repair-dry-run"
                }
        }
    }
}

extension TableName {
    /// Nil where `text` is not `keyspace.table`, each as in the schema and without quotes.
    init?(path text: String) {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        self.init(keyspace: parts[0], table: parts[1])
    }
}
