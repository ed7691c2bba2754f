package import Logging
import Synchronization

/// A log that keeps what was logged, on every level.
package final class RecordedLog: LogHandler {
    package struct Line: Sendable {
        package let level: Logger.Level
        package let message: String
        package let metadata: [String: String]
    }

    private let kept = Mutex<[Line]>([])

    package init() {}

    package var lines: [Line] { self.kept.withLock { $0 } }

    /// Lines with a message.
    package func lines(_ message: String) -> [Line] { self.lines.filter { $0.message == message } }

    package var logger: Logger { Logger(label: "recorded") { _ in self } }

    package var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    package var logLevel: Logger.Level {
        get { .debug }
        set {}
    }

    package subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    package func log(event: LogEvent) {
        let metadata = (event.metadata ?? [:]).mapValues(\.description)
        self.kept.withLock {
            $0.append(Line(level: event.level, message: event.message.description, metadata: metadata))
        }
    }
}
