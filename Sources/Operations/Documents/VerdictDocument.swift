/// One named check before a step of the write mode.
public struct GateDocument: Codable, Sendable, Equatable {
    /// The check's name, such as `backlog`.
    public var gate: String
    /// Whether what it asks for is the case.
    public var holds: Bool
    /// What it does where it does not hold: `veto` or `warn`.
    public var action: String
    /// What was found.
    public var figure: String
    /// What is asked for.
    public var threshold: String
    /// A sentence for people.
    public var words: String

    /// Creates a check.
    public init(gate: String, holds: Bool, action: String, figure: String, threshold: String, words: String) {
        self.gate = gate
        self.holds = holds
        self.action = action
        self.figure = figure
        self.threshold = threshold
        self.words = words
    }
}

/// What `GET /v1/phase/verdict` answers: whether a step is safe.
public struct VerdictDocument: Codable, Sendable, Equatable {
    /// The mode in force.
    public var from: String
    /// The mode that is asked about.
    public var to: String
    /// Whether the step is taken without force.
    public var allowed: Bool
    /// Every gate that counts, those that are off left out.
    public var gates: [GateDocument]
    /// What the step costs that nothing gives back; nil where it costs nothing.
    public var cost: String?
    /// Tables that the step does not touch because they have a mode of their own, the first ones; nil for none.
    public var overrides: [TableOverride]?
    /// The mode to which one would go back from there; nil where there is no way back.
    public var wayBack: String?
    /// What that would cost; nil where it costs nothing.
    public var wayBackCost: String?

    /// Creates a verdict.
    public init(
        from: String,
        to: String,
        allowed: Bool,
        gates: [GateDocument],
        cost: String?,
        wayBack: String?,
        wayBackCost: String?
    ) {
        self.from = from
        self.to = to
        self.allowed = allowed
        self.gates = gates
        self.cost = cost
        self.wayBack = wayBack
        self.wayBackCost = wayBackCost
    }
}

/// What somebody asks for with `POST /v1/rollback`.
public struct Rollback: Sendable, Equatable {
    /// Why; needed but for a dry run.
    public var reason: String?
    /// Whether to overrule the gates.
    public var force: Bool
    /// Whether to say only what would be done.
    public var isDryRun: Bool
    /// Who asks: the interface and the peer's address.
    public var by: String

    static var keys: [String] { ["reason", "force", "dry_run"] }

    /// Creates a rollback.
    public init(reason: String?, force: Bool = false, isDryRun: Bool = false, by: String) {
        self.reason = reason
        self.force = force
        self.isDryRun = isDryRun
        self.by = by
    }

    /// Reads the document of `POST /v1/rollback`.
    init(_ object: [String: JSONValue], by: String) throws(AdminError) {
        var reader = DocumentReader(object, keys: Self.keys)
        let isDryRun = reader.flag("dry_run") ?? false
        let force = reader.flag("force") ?? false
        let reason = reader.reason(isNeeded: !isDryRun)
        try reader.finish()
        self.init(reason: reason, force: force, isDryRun: isDryRun, by: by)
    }
}

/// What a successful `POST /v1/rollback` answers.
public struct RollbackDocument: Codable, Sendable, Equatable {
    /// The mode before.
    public var from: String
    /// The mode after.
    public var to: String
    /// Whether nothing was done.
    public var dryRun: Bool
    /// What the step costs; nil where it costs nothing.
    public var cost: String?
    /// The gates by which it was judged.
    public var gates: [GateDocument]
    /// Whether the step is taken without force.
    public var allowed: Bool
    /// The epoch in force now.
    public var epoch: Int

    /// Creates a document.
    public init(_ verdict: VerdictDocument, dryRun: Bool, epoch: Int) {
        self.from = verdict.from
        self.to = verdict.to
        self.cost = verdict.cost
        self.gates = verdict.gates
        self.allowed = verdict.allowed
        self.dryRun = dryRun
        self.epoch = epoch
    }
}
