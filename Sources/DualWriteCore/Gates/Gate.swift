/// One named check before a step of the write mode (DESIGN §8).
public struct Gate: Sendable, Hashable {
    /// The checks, by the names that configuration, admin port, metrics and audit use.
    public enum Name: String, Sendable, Hashable, CaseIterable {
        /// The cluster that the step needs can be reached.
        case connected
        /// It has what it is owed, or is close behind.
        case backlog
        /// Few of the writes to it fail.
        case errorRate = "error_rate"
        /// It has refused no write for good.
        case deadLetters = "dead_letters"
        /// No partition on it may lack an acknowledged write.
        case losses
        /// Compared live reads had the same rows.
        case mismatches
        /// Enough live reads were compared to say so.
        case comparedReads = "compared_reads"
        /// What was there before dual writing has been loaded.
        case bulkLoad = "bulk_load"
        /// A comparison of whole tables has found both clusters in sync.
        case comparison
        /// The clocks of sidecar and clusters are close together.
        case clockSkew = "clock_skew"
        /// No table needs the source by a mode of its own.
        case overrides

        /// Whether the gate rests on what other services report, and not on what the sidecar sees itself.
        public var needsReport: Bool { self == .bulkLoad || self == .comparison }
    }

    /// What a gate that does not hold does to the step.
    public enum Action: String, Sendable, Hashable, CaseIterable {
        /// The step is refused, unless it is forced with a reason.
        case veto
        /// The step is taken, and the gate is named.
        case warn
        /// Nothing.
        case off
    }

    /// Which check it is.
    public let name: Name
    /// Whether what it asks for is the case.
    public let holds: Bool
    /// What it does where it does not hold.
    public let action: Action
    /// What was found, with its unit.
    public let figure: String
    /// What is asked for, with its unit.
    public let threshold: String
    /// A sentence that says what is the case, and what to do where the gate does not hold.
    public let words: String

    /// Whether it stands against the step.
    public var vetoes: Bool { !self.holds && self.action == .veto }

    /// Creates a gate.
    public init(_ name: Name, holds: Bool, action: Action, figure: String, threshold: String, words: String) {
        self.name = name
        self.holds = holds
        self.action = action
        self.figure = figure
        self.threshold = threshold
        self.words = words
    }
}
