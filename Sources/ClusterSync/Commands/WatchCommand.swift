import ArgumentParser
import FoundationEssentials
import Operations
import UnixSignals

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// `cluster-sync watch`: what happens, as it happens.
struct WatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract:
            "Show what sidecars are doing, as it changes: the way through the modes, both clusters, what is owed.",
        discussion: """
            On a terminal it is a view that fills it and is drawn again each second and at each change; q or Ctrl-C leaves. \
            Several sidecars are added up, with a line for each; latencies are the slowest one's. Elsewhere, and with --json, \
            each sidecar is a line each second. NO_COLOR takes the colours away.

            Exit codes: 0 left, or all lines of --count are written; 64 wrong command line, 69 with --count: something did \
            not answer in the end.
            """
    )

    @Option(help: "Seconds between two drawings or lines where nothing changes, 1 to 3600.")
    var interval = 1

    @Option(help: "End after so many rounds of lines; none of them fills the terminal.")
    var count: Int?

    @OptionGroup var admin: AdminOptions

    /// How long the first round waits for all to answer.
    private static var patience: Duration { .seconds(5) }
    /// Between two looks for a key, a change or another size.
    private static var look: Duration { .milliseconds(50) }

    func validate() throws {
        guard (1...3_600).contains(self.interval) else { throw ValidationError("--interval takes seconds, 1 to 3600.") }
        if let count, count < 1 { throw ValidationError("--count takes a number from 1 on.") }
    }

    func run() async throws {
        let feed = WatchFeed(try await self.admin.replicas().clients)
        let fillsTerminal =
            !self.admin.json && self.count == nil && isatty(STDOUT_FILENO) == 1
            && ProcessInfo.processInfo.environment["TERM"] != "dumb"
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                await feed.run()
                return false
            }
            if fillsTerminal {
                let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
                group.addTask {
                    for await _ in signals { return true }
                    return false
                }
            }
            group.addTask {
                if fillsTerminal { await self.fill(feed) } else { try await self.write(feed) }
                return true
            }
            defer { group.cancelAll() }
            while let isEnd = try await group.next() {
                if isEnd { return }
            }
        }
    }

    private func fill(_ feed: WatchFeed) async {
        let screen = TerminalScreen()
        defer { screen.leave() }
        let style = Style.standardOutput()
        var drawn: (version: Int, size: (height: Int, width: Int), at: ContinuousClock.Instant)?
        while !Task.isCancelled, !screen.wantsToLeave() {
            let now = ContinuousClock.now
            let (version, size) = (feed.version, screen.size)
            let isSame = drawn.map { $0.version == version && $0.size == size } ?? false
            if !isSame || drawn.map({ now - $0.at >= .seconds(self.interval) }) ?? true {
                let model = feed.model(at: Timestamp.now())
                screen.draw(WatchView(model: model, width: size.width, height: size.height, style: style).lines())
                drawn = (version, size, now)
            }
            try? await Task.sleep(for: Self.look)
        }
    }

    private func write(_ feed: WatchFeed) async throws {
        let began = ContinuousClock.now
        while !feed.isComplete, ContinuousClock.now - began < Self.patience { try await Task.sleep(for: Self.look) }
        var rounds = 0
        while true {
            let (at, model) = (Timestamp.now(), feed.model(at: Timestamp.now()))
            if self.admin.json {
                Output.line(feed.json(at: at))
            } else {
                for replica in model.replicas { Output.line(WatchLines.line(replica, at: at)) }
            }
            rounds += 1
            if let count, rounds >= count {
                if model.replicas.contains(where: { $0.trouble != nil }) { throw Exit.unavailable }
                return
            }
            try await Task.sleep(for: .seconds(self.interval))
        }
    }
}
