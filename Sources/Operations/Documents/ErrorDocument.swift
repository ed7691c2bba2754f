/// What every failed request answers: `{"error": {"code": …, "message": …, "hint": …}}`.
public struct ErrorDocument: Codable, Sendable, Equatable {
    /// The fault.
    public struct Fault: Codable, Sendable, Equatable {
        /// A fixed word for programs.
        public var code: String
        /// A sentence for people.
        public var message: String
        /// What to do about it, where that can be said.
        public var hint: String?
        /// The gates that stand against a step, where that is the fault.
        public var gates: [GateDocument]?
    }

    /// The fault.
    public var error: Fault
}
