import DualWriter
import Logging

/// What is logged.
extension ConfigurationKey {
    static var log: [Self] {
        [
            Self(
                path: "log.level",
                kind: .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"]),
                fallback: "info",
                help: "The least severe level that is written."
            ),
            Self(
                path: "log.format",
                kind: .choice(["text", "json"]),
                fallback: "text",
                help: "The form of a log line."
            ),
        ]
    }

    /// Which requests of applications are logged one by one.
    static var logRequests: [Self] {
        [
            Self(
                path: "log.requests.one_in",
                kind: .integer(RequestLogSettings.oneInRange),
                fallback: "0",
                help: "One of so many requests is logged, with an id; 0 for none."
            ),
            Self(
                path: "log.requests.slower_than_ms",
                kind: .integer(RequestLogSettings.slowerThanRange),
                fallback: "0",
                help: "Requests that take at least so long are logged; 0 for none."
            ),
            Self.flag(
                "log.requests.traced",
                false,
                "Whether requests are logged whose custom payload says that their trace is recorded."
            ),
            Self(
                path: "log.requests.lines_per_second",
                kind: .integer(RequestLogSettings.linesRange),
                fallback: "100",
                help: "Lines of requests in a second; what comes above that is counted."
            ),
        ]
    }
}

extension LogSettings {
    init(_ values: inout ConfigurationValues) {
        self.level = Logger.Level(rawValue: values.choice("log.level")) ?? .info
        self.requests = RequestLogSettings(
            oneIn: values.integer("log.requests.one_in"),
            slowerThanMilliseconds: values.integer("log.requests.slower_than_ms"),
            traced: values.choice("log.requests.traced") == "true",
            linesPerSecond: values.integer("log.requests.lines_per_second")
        )
    }
}
