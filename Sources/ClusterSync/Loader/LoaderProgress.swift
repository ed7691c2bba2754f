import Logging
import Operations
import ServiceLifecycle

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Says how far a load is: a line that changes on a terminal, else a line of the log now and then.
struct LoaderProgress: Service {
    private static var pauseOnTerminal: Duration { .seconds(1) }
    private static var pauseInLog: Duration { .seconds(30) }

    let engine: LoaderEngine
    let logger: Logger
    /// Whether standard error is a terminal where a line can be written over.
    var isOnTerminal = isatty(STDERR_FILENO) == 1

    func run() async throws {
        let pause = self.isOnTerminal ? Self.pauseOnTerminal : Self.pauseInLog
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: pause)
                let status = await self.engine.status()
                guard status.run.state.isActive else { continue }
                let text = Self.text(status)
                if self.isOnTerminal {
                    Output.errorText("\r\u{1B}[K" + text)
                } else {
                    self.logger.info("\(text)")
                }
            }
        }
        if self.isOnTerminal { Output.errorText("\r\u{1B}[K") }
    }

    /// `load: 42.1 % of the tokens, 12,345 rows, 1,002 rows/s, 3 min 20 s left`.
    static func text(_ status: LoaderStatus) -> String {
        var words: [String] = []
        if let covered = status.progress.tokensCovered {
            words.append("\((covered * 1_000).rounded(.down) / 10) % of the tokens")
        }
        words.append("\(Human.many(status.progress.rows, "row")), \(Human.bytes(Int(clamping: status.progress.bytes)))")
        if let rate = status.rowsPerSecond { words.append("\(Human.count(Int(rate))) rows/s") }
        if status.progress.ranges.failed > 0 {
            words.append("\(Human.many(status.progress.ranges.failed, "range")) given up")
        }
        if status.deadLetters > 0 { words.append(Human.many(status.deadLetters, "dead letter")) }
        if let left = status.secondsLeft { words.append("\(Human.duration(seconds: left)) left") }
        let state = status.run.state == .running ? "" : " (\(status.run.state.rawValue))"
        return "\(status.job)\(state): " + words.joined(separator: ", ")
    }
}
