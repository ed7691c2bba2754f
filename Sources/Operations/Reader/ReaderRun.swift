/// Whether a comparison runs, and what it may be told in each state. A value without clock or lock: keep it in a `Mutex`, so that
/// looking and changing are one step and of two starts exactly one begins.
public struct ReaderRun: Sendable, Equatable {
    /// What is the case with the comparison.
    public enum State: String, Sendable, CaseIterable {
        /// None has been asked for since the start of the program.
        case idle
        /// It waits for a cluster that is away.
        case waiting
        /// It runs.
        case running
        /// It was told to end and has not yet.
        case stopping
        /// It has ended with a report.
        case done
        /// It has ended because it was told to; a later one of the same goes on there.
        case stopped
        /// It could not be made.
        case failed

        /// Whether somebody still works at it.
        public var isActive: Bool {
            switch self {
            case .waiting, .running, .stopping: true
            case .idle, .done, .stopped, .failed: false
            }
        }
    }

    /// How a comparison ends.
    public enum End: Sendable, Equatable {
        /// There is a report.
        case done
        /// It was told to end.
        case stopped
        /// It could not be made, and why.
        case failed(reason: String)
    }

    /// The state.
    public private(set) var state = State.idle
    /// Why it waits, or why the last one failed, without any secret.
    public private(set) var reason: String?
    /// What is or was compared last; nil before the first one.
    public private(set) var subject: ReaderStart.Subject?

    /// Before the first one.
    public init() {}

    /// Begins a comparison.
    public mutating func start(_ subject: ReaderStart.Subject) throws(AdminError) {
        guard !self.state.isActive else {
            throw AdminError(
                .alreadyRunning,
                "A comparison of \(self.subject?.description ?? "everything") is \(self.state.rawValue).",
                hint: self.state == .stopping
                    ? "Wait until it has ended." : "Stop it first, or wait until it has ended."
            )
        }
        (self.state, self.reason, self.subject) = (.running, nil, subject)
    }

    /// A cluster is away, and why; nil: both are there.
    public mutating func meets(obstacle: String?) {
        switch self.state {
        case .running, .waiting:
            self.state = obstacle == nil ? .running : .waiting
            self.reason = obstacle
        case .idle, .stopping, .done, .stopped, .failed: break
        }
    }

    /// Lets it end.
    ///
    /// - Returns: whether that changed anything; what is so already is no error.
    public mutating func stop() throws(AdminError) -> Bool {
        switch self.state {
        case .running, .waiting:
            self.state = .stopping
            return true
        case .stopping: return false
        case .idle, .done, .stopped, .failed:
            throw AdminError(.notRunning, "No comparison runs.", hint: "POST /validate begins one.")
        }
    }

    /// The comparison has ended.
    ///
    /// - Precondition: it was active.
    public mutating func ended(_ end: End) {
        precondition(self.state.isActive, "a comparison ends that does not run")
        self.reason = nil
        switch end {
        case .done: self.state = .done
        case .stopped: self.state = .stopped
        case .failed(let reason):
            self.state = .failed
            self.reason = reason
        }
    }
}
