import DualReader
import Logging
import ServiceLifecycle

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Says how far a comparison is: a line that changes on a terminal, else a line of the log now and then.
struct CompareProgress: Service {
    private static var pauseOnTerminal: Duration { .seconds(1) }
    private static var pauseInLog: Duration { .seconds(30) }

    let comparison: CompareRun
    let logger: Logger
    /// Whether standard error is a terminal where a line can be written over.
    var isOnTerminal = isatty(STDERR_FILENO) == 1

    func run() async throws {
        let pause = self.isOnTerminal ? Self.pauseOnTerminal : Self.pauseInLog
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: pause)
                guard let report = await self.comparison.progress() else { continue }
                let text = Self.text(report)
                if self.isOnTerminal {
                    Output.errorText("\r\u{1B}[K" + text)
                } else {
                    self.logger.info("\(text)")
                }
            }
        }
        if self.isOnTerminal { Output.errorText("\r\u{1B}[K") }
    }

    /// `compare: 42.1 % of the tokens, 12,345 rows, 3 different, 1,002 rows/s, 3 min 20 s left`.
    static func text(_ report: CompareReport) -> String {
        var words = ["\(Human.percent(report.coverage)) of the tokens", Human.many(report.tally.rows, "row")]
        if report.tally.rowsDifferent > 0 { words.append("\(Human.count(report.tally.rowsDifferent)) different") }
        if let rate = report.rowsPerSecond { words.append("\(Human.count(Int(rate))) rows/s") }
        if let left = report.secondsLeft { words.append("\(Human.duration(seconds: left)) left") }
        return "\(report.job): " + words.joined(separator: ", ")
    }
}
