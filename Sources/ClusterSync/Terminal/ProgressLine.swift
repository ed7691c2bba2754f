import Logging
import ServiceLifecycle

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Says how far a job is: a line that changes on a terminal, else a line of the log now and then.
struct ProgressLine: Service {
    private static var pauseOnTerminal: Duration { .seconds(1) }
    private static var pauseInLog: Duration { .seconds(30) }

    let logger: Logger
    /// Whether standard error is a terminal where a line can be written over.
    var isOnTerminal = isatty(STDERR_FILENO) == 1
    /// How far it is, in words; nil while there is nothing to say.
    let text: @Sendable () async -> String?

    func run() async throws {
        let pause = self.isOnTerminal ? Self.pauseOnTerminal : Self.pauseInLog
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: pause)
                guard let text = await self.text() else { continue }
                if self.isOnTerminal {
                    Output.errorText("\r\u{1B}[K" + text)
                } else {
                    self.logger.info("\(text)")
                }
            }
        }
        if self.isOnTerminal { Output.errorText("\r\u{1B}[K") }
    }
}
