/// What `GET /v1/logs` and a successful `PUT /v1/logs` answer: what is logged.
public struct LogsDocument: Codable, Sendable, Equatable {
    /// Which requests are logged one by one.
    public struct Requests: Codable, Sendable, Equatable {
        /// One of so many, 0 for none.
        public var oneIn: Int
        /// Those that take at least so many milliseconds, 0 for none.
        public var slowerThanMs: Int
        /// Those whose custom payload says that their trace is recorded.
        public var traced: Bool
        /// Lines in a second; what comes above that is counted.
        public var linesPerSecond: Int

        /// Creates settings.
        public init(oneIn: Int = 0, slowerThanMs: Int = 0, traced: Bool = false, linesPerSecond: Int = 100) {
            self.oneIn = oneIn
            self.slowerThanMs = slowerThanMs
            self.traced = traced
            self.linesPerSecond = linesPerSecond
        }
    }

    /// The least severe level that is written.
    public var level: String
    /// The requests that are logged.
    public var requests: Requests
    /// Until when, as an RFC 3339 timestamp in UTC; nil where it is so until the next start.
    public var until: String?
    /// The level of the configuration, which holds again then.
    public var configuredLevel: String
    /// The requests of the configuration.
    public var configuredRequests: Requests
    /// Lines since the start that nobody took.
    public var linesDropped: UInt64
    /// Lines since the start that were held back because others said the same.
    public var linesHeldBack: UInt64

    /// Creates a document.
    public init(
        level: String,
        requests: Requests,
        until: String?,
        configuredLevel: String,
        configuredRequests: Requests,
        linesDropped: UInt64,
        linesHeldBack: UInt64
    ) {
        self.level = level
        self.requests = requests
        self.until = until
        self.configuredLevel = configuredLevel
        self.configuredRequests = configuredRequests
        self.linesDropped = linesDropped
        self.linesHeldBack = linesHeldBack
    }
}

/// What somebody asks for with `PUT /v1/logs`. What is nil stays as it is.
public struct LogsChange: Sendable, Equatable {
    /// Whether all is as in the configuration again, before the rest is changed.
    public var reset = false
    /// The least severe level that is written.
    public var level: String?
    /// One of so many requests is logged.
    public var oneIn: Int?
    /// Requests that take at least so many milliseconds are.
    public var slowerThanMs: Int?
    /// Those of recorded traces are.
    public var traced: Bool?
    /// Lines of requests in a second.
    public var linesPerSecond: Int?
    /// For how long, in seconds; 0 until the next start.
    public var seconds = secondsByDefault
    /// Who asks: the interface and the peer's address.
    public var by: String

    /// The levels, the least severe first.
    public static var levels: [String] { ["debug", "info", "notice", "warning", "error", "critical"] }
    /// A quarter of an hour: nobody has to think of it at the end of a night.
    public static var secondsByDefault: Int { 900 }
    static var secondsRange: ClosedRange<Int> { 0...604_800 }

    /// Creates a change.
    public init(by: String) { self.by = by }

    /// Reads the document of `PUT /v1/logs`.
    init(_ object: [String: JSONValue], by: String) throws(AdminError) {
        self.init(by: by)
        var reader = DocumentReader(object, keys: ["reset", "level", "requests", "seconds"])
        self.reset = reader.flag("reset") ?? false
        if reader.has("level") { self.level = reader.choice("level", among: Self.levels) }
        self.seconds = reader.number("seconds", in: Self.secondsRange) ?? Self.secondsByDefault
        switch reader.value("requests") {
        case nil, .null: break
        case .object(let object):
            var inner = DocumentReader(object, keys: ["one_in", "slower_than_ms", "traced", "lines_per_second"])
            self.oneIn = inner.number("one_in", in: 0...1_000_000_000)
            self.slowerThanMs = inner.number("slower_than_ms", in: 0...600_000)
            self.traced = inner.flag("traced")
            self.linesPerSecond = inner.number("lines_per_second", in: 1...10_000)
            reader.take(inner, of: "requests")
        default: reader.fault("requests: must be an object")
        }
        if object.isEmpty { reader.fault("nothing is asked for: give level, requests or reset") }
        try reader.finish()
    }
}
