import Logging

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Gives log lines to a sink, whose level is in force unless a logger has one of its own.
struct SinkLogHandler: LogHandler {
    let label: String
    let format: LogFormat
    let sink: LogSink
    private var ownLevel: Logger.Level?
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    init(label: String, format: LogFormat, sink: LogSink) {
        self.label = label
        self.format = format
        self.sink = sink
    }

    var logLevel: Logger.Level {
        get { self.ownLevel ?? self.sink.level }
        set { self.ownLevel = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = self.metadata
        if let provided = self.metadataProvider?.get() { all.merge(provided) { $1 } }
        if let given = event.metadata { all.merge(given) { $1 } }
        let line = LogLine(
            at: Timestamp.now(),
            level: event.level,
            label: self.label,
            message: event.message.description,
            metadata: all
        )
        self.sink.log(line, as: self.format)
    }

    /// Sends the log of this process to its standard error. Once in a process.
    static func bootstrap(_ level: Logger.Level, _ format: LogFormat) {
        // Who read the log may go: that ends no process.
        signal(SIGPIPE, SIG_IGN)
        LogSink.standardError.level = level
        LoggingSystem.bootstrap { SinkLogHandler(label: $0, format: format, sink: .standardError) }
    }
}
