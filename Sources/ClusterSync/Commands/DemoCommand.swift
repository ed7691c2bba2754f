import ArgumentParser
import EmbeddedNode
import FoundationEssentials
import Logging
import NIOPosix
import ServiceLifecycle
import UnixSignals

/// `cluster-sync demo`: a whole walk through the write modes on this machine, with nothing else needed.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract:
            "Walk through the write modes between two embedded nodes, under traffic, and compare them at each step.",
        discussion: """
            Starts two in-memory nodes and the sidecar, and drives an application's traffic through a real socket while the \
            mode goes from PrimaryOnly to TargetOnly and one step back.

            Exit codes: 0 everything was as it must be, 1 something was not, 69 an address cannot be listened on.
            """
    )

    @Option(help: "Where applications connect: host:port, or a port of 127.0.0.1. Port 0 takes a free one.")
    var listen = "127.0.0.1:9042"

    @Option(help: "Where the admin port listens: host:port, or a port of 127.0.0.1. Port 0 takes a free one.")
    var admin = "127.0.0.1:8080"

    @Flag(help: "Leave everything up afterwards, for cqlsh, until Ctrl-C.")
    var stay = false

    func run() async throws {
        LoggingSystem.bootstrap { StandardErrorLogHandler(label: $0, format: .text, logLevel: .error) }
        let folder = "\(FileManager.default.temporaryDirectory.path)/cluster-sync-demo-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let stage: DemoStage
        do {
            stage = try await DemoStage(listen: self.listen, admin: self.admin, stateDirectory: folder)
        } catch {
            throw fail(Exit.unavailable, "\(error)")
        }
        let group = ServiceGroup(
            configuration: .init(
                services: stage.sidecar.services,
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: Logger(label: "cluster-sync")
            )
        )
        let stays = self.stay
        let isFine = try await withThrowingTaskGroup(of: Bool?.self) { tasks in
            tasks.addTask {
                do {
                    try await group.run()
                } catch {
                    throw fail(
                        Exit.unavailable,
                        "the sidecar cannot run: \(error)\n--listen and --admin name other addresses"
                    )
                }
                return nil
            }
            tasks.addTask {
                let isFine = try await DemoWalk(stage: stage, style: .standardOutput()).run()
                if stays { DemoWalk.explainStay(stage) } else { await group.triggerGracefulShutdown() }
                return isFine
            }
            var isFine = false
            do {
                for try await result in tasks { isFine = result ?? isFine }
            } catch {
                await group.triggerGracefulShutdown()
                await stage.stopNodes()
                throw error
            }
            return isFine
        }
        await stage.stopNodes()
        if !isFine { throw Exit.negative }
    }
}
