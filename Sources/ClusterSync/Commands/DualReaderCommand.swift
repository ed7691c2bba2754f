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
        abstract: "Read both clusters, and say whether they agree.",
        subcommands: [Compare.self, DigestsCommand.self]
    )

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

        @Option(help: "A YAML file; config/dual-reader.yaml explains every key.")
        var config: String?

        @Option(name: .customLong("set"), help: "Any key of the file, as key=value. Can be repeated.")
        var settings: [String] = []

        @Option(help: "The folder of its files; short for --set state_dir=….")
        var stateDir: String?

        @Option(help: "A keyspace, named as in the schema; can be repeated. Without it everything that is configured.")
        var keyspace: [String] = []

        @Option(help: "A table, KEYSPACE.TABLE, named as in the schema; can be repeated.")
        var table: [String] = []

        @Flag(help: "Forget what a comparison has found that was interrupted, and begin anew.")
        var anew = false

        @Flag(help: "Print the report as JSON.")
        var json = false

        func run() async throws {
            let only = try self.only()
            let (configuration, logger) = try self.load()
            // Held until the end: nobody else may go on with the same files.
            let folder: StateFolder
            do throws(StateError) {
                folder = try StateFolder(path: configuration.stateDirectory)
            } catch {
                throw fail(error.code == .locked ? Exit.locked : Exit.state, error.description)
            }
            let secrets = SecretReloader(interval: .milliseconds(configuration.reloadMilliseconds), logger: logger)
            var settings: CompareSettings
            var peer: PeerConnection?
            do {
                settings = try await configuration.settings(only: only, secrets: secrets)
                if let place = configuration.peer { peer = try await PeerConnection(place, secrets: secrets) }
                settings.peering = peer?.peering
            } catch {
                throw fail(Exit.configuration, "\(error)")
            }
            let run = CompareRun(
                settings,
                worker: configuration.worker,
                beginsAnew: self.anew,
                on: MultiThreadedEventLoopGroup.singleton,
                logger: logger
            )
            let beganAt = try Self.begin(in: folder, anew: self.anew)
            try await Self.serve(run, secrets, peer, logger)
            if case .report(let report) = run.end {
                try? folder.replace(Self.beganName, with: [])
                // Parts say nothing about the whole.
                if only == nil {
                    let percentage = settings.sampling.percentage
                    let told = ComparisonReport(report, beganAt: beganAt, sampledPercentage: percentage)
                    await ReportSender(targets: configuration.reports, logger: logger).send(told, attempts: 4)
                }
            }
            try withExtendedLifetime(folder) { try self.tell(run) }
        }

        private static let beganName = "compare-began"

        /// When the comparison began that goes on now, kept for the next start in case that this one is interrupted.
        private static func begin(in folder: StateFolder, anew: Bool) throws -> String {
            do throws(StateError) {
                let kept = try folder.content(of: self.beganName).map { String(decoding: $0, as: UTF8.self) }
                if !anew, let kept, Moment.milliseconds(kept) != nil { return kept }
                let now = Timestamp.now()
                try folder.replace(self.beganName, with: Array(now.utf8))
                return now
            } catch {
                throw fail(Exit.state, error.description)
            }
        }

        private func load() throws -> (ReaderConfiguration, Logger) {
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

        /// What the options name; nil for everything.
        private func only() throws -> Set<TableSelection.Name>? {
            var names = Set(self.keyspace.map { TableSelection.Name.keyspace($0) })
            for text in self.table {
                let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
                    throw ValidationError("--table takes KEYSPACE.TABLE, not '\(text)'")
                }
                names.insert(.table(TableName(keyspace: parts[0], table: parts[1])))
            }
            return names.isEmpty ? nil : names
        }

        private static func serve(
            _ run: CompareRun,
            _ secrets: SecretReloader,
            _ peer: PeerConnection?,
            _ logger: Logger
        ) async throws {
            let group = ServiceGroup(
                configuration: .init(
                    services: (peer.map { [.init(service: $0)] } ?? []) + [
                        .init(service: secrets),
                        .init(
                            service: ProgressLine(logger: logger) { await run.progress()?.progressText },
                            successTerminationBehavior: .ignore
                        ),
                        .init(service: run, successTerminationBehavior: .gracefullyShutdownGroup),
                    ],
                    gracefulShutdownSignals: [.sigterm, .sigint],
                    logger: logger
                )
            )
            do {
                try await group.run()
            } catch {
                throw fail(Exit.software, "\(error)")
            }
        }

        /// Prints the report and ends with its verdict.
        private func tell(_ run: CompareRun) throws {
            let report: CompareReport
            switch run.end {
            case .report(let ended): report = ended
            case .interrupted:
                throw fail(Exit.undelivered, "ended before everything was compared; the next start goes on there")
            case .failed(let error): throw fail(Self.code(of: error), "\(error)")
            }
            let percentage = run.settings.sampling.percentage
            if self.json {
                let document = CompareDocument(report, sampledPercentage: percentage)
                Output.text(String(decoding: try DocumentCoding.encode(document), as: UTF8.self))
            } else {
                Output.line(CompareText.text(report, sampledPercentage: percentage))
            }
            switch report.verdict {
            case .inSync: return
            case .differs: throw Exit.negative
            case .incomplete: throw Exit.undelivered
            }
        }

        private static func code(of error: any Error) -> ExitCode {
            switch error {
            case is CompareRun.NothingOfThatName: Exit.usage
            case is CQLSessionError: Exit.unavailable
            case is TokenRangesError: Exit.state
            case let error as DigestError: error.isTransient ? Exit.unavailable : Exit.configuration
            case let error as CompareError where error.code == .folder || error.code == .otherJob: Exit.state
            case let error as CompareError where error.code == .malformed: Exit.software
            case is CompareError: Exit.configuration
            default: Exit.software
            }
        }
    }
}
