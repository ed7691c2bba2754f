import ArgumentParser
import CQLClient
import DualReader
import Logging
import NIOPosix
import Operations
import ServiceLifecycle
import TokenRanges
import UnixSignals

/// What `dual-reader compare` and `dual-reader repair` have in common: one run, from its beginning to its exit code.
struct ReaderRunCommand {
    let selection: DualReaderCommand.Selection
    let configuration: ReaderConfiguration
    let logger: Logger

    /// Runs until the report is printed.
    ///
    /// - Parameter change: what is to be otherwise than configured.
    /// - Throws: the exit code.
    func run(only: Set<TableSelection.Name>?, _ change: (inout CompareSettings) -> Void) async throws {
        // Held until the end: nobody else may go on with the same files.
        let folder = try DualReaderCommand.Options.folder(self.configuration.stateDirectory)
        let secrets = SecretReloader(
            interval: .milliseconds(self.configuration.reloadMilliseconds),
            logger: self.logger
        )
        var settings: CompareSettings
        let dualWriter: DualWriterView
        var peer: PeerConnection?
        do {
            settings = try await self.configuration.settings(only: only, secrets: secrets)
            if let place = self.configuration.peer { peer = try await PeerConnection(place, secrets: secrets) }
            settings.peering = peer?.peering
            dualWriter = try await DualWriterView(self.configuration.sidecars, secrets: secrets)
        } catch {
            throw fail(Exit.configuration, "\(error)")
        }
        change(&settings)
        let run = CompareRun(
            settings,
            worker: self.configuration.worker,
            beginsAnew: self.selection.anew,
            dualWriter: dualWriter,
            patience: .milliseconds(self.configuration.connectWaitMilliseconds),
            on: MultiThreadedEventLoopGroup.singleton,
            logger: self.logger
        )
        let beganAt = try Self.begin(in: folder, anew: self.selection.anew)
        try await self.serve(run, secrets, peer)
        if case .report(let report) = run.end {
            try? folder.replace(Self.beganName, with: [])
            // Parts say nothing about the whole.
            if only == nil {
                let percentage = settings.sampling.percentage
                let told = ComparisonReport(report, beganAt: beganAt, sampledPercentage: percentage)
                await ReportSender(targets: self.configuration.reports, logger: self.logger).send(told, attempts: 4)
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

    private func serve(_ run: CompareRun, _ secrets: SecretReloader, _ peer: PeerConnection?) async throws {
        let group = ServiceGroup(
            configuration: .init(
                services: (peer.map { [.init(service: $0)] } ?? []) + [
                    .init(service: secrets),
                    .init(
                        service: ProgressLine(logger: self.logger) { await run.progress()?.progressText },
                        successTerminationBehavior: .ignore
                    ),
                    .init(service: run, successTerminationBehavior: .gracefullyShutdownGroup),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: self.logger
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
        if self.selection.json {
            let document = CompareDocument(report, of: run.settings)
            Output.text(String(decoding: try DocumentCoding.encode(document), as: UTF8.self))
        } else {
            Output.line(CompareText.text(report, of: run.settings))
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
