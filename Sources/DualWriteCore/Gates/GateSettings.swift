/// What the gates ask for, and what each of them does where it does not hold.
public struct GateSettings: Sendable, Hashable {
    /// What counts, in the units of the names.
    public struct Limits: Sendable, Hashable {
        /// What is owed no longer than this is on its way, and a step to another primary waits for it.
        public static var momentMilliseconds: Int { 1_000 }

        /// How long a node may take to answer when a step is judged.
        public var answerMilliseconds = 2_000
        /// Nodes that may hold a connection and not answer.
        public var silentNodes = 0
        /// How far back failed writes and compared reads are looked at.
        public var windowSeconds = 300
        /// The age of the oldest write that the target may be owed before clients begin to wait for it.
        public var lagSeconds = 5
        /// How many writes it may be owed then.
        public var lagRecords = 1_000
        /// The share of the writes in the window that may have failed, 0 to 100.
        public var errorPercentage = 1.0
        /// Mismatches in the window.
        public var mismatches = 0
        /// Compared reads in the window, at least.
        public var comparedReads = 1_000
        /// How old a comparison of whole tables may be.
        public var comparisonHours = 24
        /// How far clocks may be apart.
        public var clockSkewMilliseconds = 1_000

        /// The defaults.
        public init() {}
    }

    /// What counts.
    public var limits = Limits()
    private var actions: [Gate.Name: Gate.Action] = [:]

    /// Limits and actions that let nothing pass which the sidecar knows to be unsafe.
    public init() {}

    /// What a gate does where it does not hold.
    public subscript(name: Gate.Name) -> Gate.Action {
        get { self.actions[name] ?? Self.fallback(name) }
        set { self.actions[name] = newValue }
    }

    /// All gates veto by themselves but one: comparing live reads is off by default, and `comparison` asks for more.
    public static func fallback(_ name: Gate.Name) -> Gate.Action { name == .comparedReads ? .warn : .veto }
}
