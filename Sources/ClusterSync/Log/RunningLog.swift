import DualWriter
import Logging
import Operations

/// What a service logs.
struct LogSettings: Sendable, Equatable {
    var level = Logger.Level.info
    var requests = RequestLogSettings()
}

/// The log of a running service: what it is configured to say, and what somebody has asked it to say for a while.
actor RunningLog: LogControl {
    private let configured: LogSettings
    private let sink: LogSink
    private let setRequests: (@Sendable (RequestLogSettings) async -> Void)?
    private let logger: Logger
    private var current: LogSettings
    private var until: String?
    /// How often somebody has asked for something.
    private var changes = 0
    private var end: Task<Void, Never>?

    /// - Parameters:
    ///   - configured: what holds when nobody has asked for anything else.
    ///   - setRequests: passes on which requests are logged; nil where there are none.
    init(
        _ configured: LogSettings,
        sink: LogSink = .standardError,
        logger: Logger,
        setRequests: (@Sendable (RequestLogSettings) async -> Void)? = nil
    ) {
        self.configured = configured
        self.current = configured
        self.sink = sink
        self.logger = logger
        self.setRequests = setRequests
    }

    deinit { self.end?.cancel() }

    func logs() -> LogsDocument {
        LogsDocument(
            level: self.current.level.rawValue,
            requests: LogsDocument.Requests(self.current.requests),
            until: self.until,
            configuredLevel: self.configured.level.rawValue,
            configuredRequests: LogsDocument.Requests(self.configured.requests),
            linesDropped: self.sink.dropped,
            linesHeldBack: self.sink.heldBack
        )
    }

    /// Changes what is logged, until the time that was asked for is over.
    func change(_ change: LogsChange) async throws(AdminError) -> LogsDocument {
        var wanted = change.reset ? self.configured : self.current
        if let level = change.level.flatMap({ Logger.Level(rawValue: $0) }) { wanted.level = level }
        if let oneIn = change.oneIn { wanted.requests.oneIn = oneIn }
        if let milliseconds = change.slowerThanMs { wanted.requests.slowerThanMilliseconds = milliseconds }
        if let traced = change.traced { wanted.requests.traced = traced }
        if let lines = change.linesPerSecond { wanted.requests.linesPerSecond = lines }
        guard self.setRequests != nil || wanted.requests == self.configured.requests else {
            throw AdminError(
                .invalidDocument,
                "requests: only a sidecar has requests of applications to log",
                hint: "Ask for a level. Nothing was changed."
            )
        }
        guard !wanted.requests.isOn || wanted.level <= .info else {
            throw AdminError(
                .invalidDocument,
                "level: requests are logged at info, and \(wanted.level) leaves them out",
                hint: "Ask for level info or debug, too. Nothing was changed."
            )
        }
        self.changes += 1
        self.end?.cancel()
        (self.end, self.until) = (nil, nil)
        if change.seconds > 0, wanted != self.configured {
            self.until = Timestamp.text(milliseconds: Timestamp.milliseconds() + Int64(change.seconds) * 1_000)
            self.end = Task { [weak self, changes] in
                try? await Task.sleep(for: .seconds(change.seconds))
                await self?.backToConfiguration(from: changes)
            }
        }
        await self.take(wanted)
        self.logger.notice(
            "what is logged was changed",
            metadata: [
                "by": "\(change.by)", "level": "\(wanted.level)", "one-in": "\(wanted.requests.oneIn)",
                "slower-than-ms": "\(wanted.requests.slowerThanMilliseconds)", "traced": "\(wanted.requests.traced)",
                "seconds": "\(change.seconds)",
            ]
        )
        return self.logs()
    }

    /// Waits until the time of the last change is over.
    func timeIsOver() async { await self.end?.value }

    /// The time of a change is over, unless another one has come since.
    private func backToConfiguration(from change: Int) async {
        guard change == self.changes else { return }
        self.until = nil
        await self.take(self.configured)
        self.logger.notice("what is logged is as configured again")
    }

    private func take(_ settings: LogSettings) async {
        self.current = settings
        self.sink.level = settings.level
        await self.setRequests?(settings.requests)
    }
}

extension LogsDocument.Requests {
    fileprivate init(_ settings: RequestLogSettings) {
        self.init(
            oneIn: settings.oneIn,
            slowerThanMs: settings.slowerThanMilliseconds,
            traced: settings.traced,
            linesPerSecond: settings.linesPerSecond
        )
    }
}
