import ArgumentParser
import FoundationEssentials
import Logging

/// `cluster-sync demo`: a whole walk through the write modes on this machine, with nothing else needed.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract:
            "Walk through the write modes between two embedded nodes, under traffic, and compare them at each step.",
        discussion: """
            Starts two in-memory nodes and the sidecar, and drives an application's traffic through a real socket while the \
            mode goes from PrimaryOnly to TargetOnly and one step back.

            --migration shows a whole migration instead: old data, dual writes, a bulk load under traffic, comparisons, drift \
            that is found and repaired, the modes to the end, a rollback on the way. Each step says what was done and is checked.

            Exit codes: 0 everything was as it must be, 1 something was not, 69 an address cannot be listened on.
            """
    )

    @Option(help: "Where applications connect: host:port, or a port of 127.0.0.1. Port 0 takes a free one.")
    var listen = "127.0.0.1:9042"

    @Option(help: "Where the admin port listens: host:port, or a port of 127.0.0.1. Port 0 takes a free one.")
    var admin = "127.0.0.1:8080"

    @Flag(help: "Show a whole migration: load, comparisons, repair, rollback.")
    var migration = false

    @Flag(help: "Print the steps of --migration as one JSON document, with each figure and claim.")
    var json = false

    @Flag(help: "Leave everything up afterwards, for cqlsh, until Ctrl-C.")
    var stay = false

    func validate() throws {
        if self.json, !self.migration { throw ValidationError("--json prints the steps of --migration.") }
        if self.json, self.stay {
            throw ValidationError("--json prints one document and ends: --stay does not go with it.")
        }
    }

    func run() async throws {
        SinkLogHandler.bootstrap(.error, .text)
        let folder = "\(FileManager.default.temporaryDirectory.path)/cluster-sync-demo-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let stage: DemoStage
        do {
            try FileManager.default.createDirectory(atPath: "\(folder)/jobs", withIntermediateDirectories: true)
            stage = try await DemoStage(listen: self.listen, admin: self.admin, stateDirectory: folder)
        } catch {
            throw fail(Exit.unavailable, "\(error)")
        }
        let stays = self.stay
        let style = Style.standardOutput()
        let story = MigrationStory(stage: stage, style: style, folder: "\(folder)/jobs", isDocument: self.json)
        let tellsStory = self.migration
        let isFine = try await stage.withSidecar(stays: stays) {
            let isFine = tellsStory ? try await story.run() : try await DemoWalk(stage: stage, style: style).run()
            if stays { DemoWalk.explainStay(stage) }
            return isFine
        }
        if !isFine { throw Exit.negative }
    }
}
