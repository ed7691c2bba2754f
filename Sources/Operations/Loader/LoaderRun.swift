/// Whether a load runs, and what it may be told in each state. A value without clock or lock: keep it in a `Mutex`, so that
/// looking and changing are one step and of two starts exactly one begins.
public struct LoaderRun: Sendable, Equatable {
    /// What is the case with the load.
    public enum State: String, Sendable, CaseIterable {
        /// None has been asked for since the start of the program.
        case idle
        /// It runs.
        case running
        /// It runs and takes up nothing new.
        case paused
        /// It was told to end and has not yet.
        case stopping
        /// It has ended with everything done.
        case done
        /// It has ended because it was told to.
        case stopped
        /// It has ended, and something of it is missing.
        case failed

        /// Whether somebody still works at it.
        public var isActive: Bool {
            switch self {
            case .running, .paused, .stopping: true
            case .idle, .done, .stopped, .failed: false
            }
        }
    }

    /// How a load ends.
    public enum End: Sendable, Equatable {
        /// Everything is done.
        case done
        /// It was told to end.
        case stopped
        /// Something is missing, and why.
        case failed(reason: String)
    }

    /// The state.
    public private(set) var state = State.idle
    /// Why the last load failed, without any secret.
    public private(set) var reason: String?
    /// What is or was loaded last; nil before the first start.
    public private(set) var subject: LoaderStart.Subject?

    /// Before the first start.
    public init() {}

    /// Begins a load.
    public mutating func start(_ subject: LoaderStart.Subject) throws(AdminError) {
        switch self.state {
        case .running: throw self.alreadyRunning("Stop it first, or wait until it has ended.")
        case .paused: throw self.alreadyRunning("Resume or stop it.")
        case .stopping: throw self.alreadyRunning("Wait until it has ended.")
        case .idle, .done, .stopped, .failed: break
        }
        self.state = .running
        self.reason = nil
        self.subject = subject
    }

    /// Carries out `verb`.
    ///
    /// - Returns: whether that changed anything; what is so already is no error.
    public mutating func perform(_ verb: LoaderAction.Verb) throws(AdminError) -> Bool {
        switch (verb, self.state) {
        case (.stop, .running), (.stop, .paused): self.state = .stopping
        case (.pause, .running): self.state = .paused
        case (.resume, .paused): self.state = .running
        case (.stop, .stopping), (.pause, .paused), (.resume, .running): return false
        case (.pause, .stopping), (.resume, .stopping):
            throw AdminError(
                .notRunning,
                "The load is being stopped.",
                hint: "A start after it has ended goes on there."
            )
        case (_, .idle), (_, .done), (_, .stopped), (_, .failed):
            throw AdminError(.notRunning, "No load runs.", hint: "POST /start begins one.")
        }
        return true
    }

    /// The load has ended.
    ///
    /// - Precondition: it was active.
    public mutating func ended(_ end: End) {
        precondition(self.state.isActive, "a load ends that does not run")
        switch end {
        case .done: self.state = .done
        case .stopped: self.state = .stopped
        case .failed(let reason):
            self.state = .failed
            self.reason = reason
        }
    }

    /// Throws where a load runs: the target's indexes are its business then.
    public func checkMayChangeIndexes() throws(AdminError) {
        guard self.state.isActive else { return }
        throw self.alreadyRunning("Indexes are dropped and made again by the load itself; stop it first.")
    }

    private func alreadyRunning(_ hint: String) -> AdminError {
        AdminError(
            .alreadyRunning,
            "A load of \(self.subject?.description ?? "everything") is \(self.state.rawValue).",
            hint: hint
        )
    }
}
