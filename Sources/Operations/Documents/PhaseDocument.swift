/// One change of the write mode, as the audit trail keeps it.
public struct PhaseRecord: Codable, Sendable, Equatable {
    /// When, as an RFC 3339 timestamp in UTC.
    public var at: String
    /// The mode before.
    public var from: String
    /// The mode after.
    public var to: String
    /// The epoch that the change began.
    public var epoch: Int
    /// Who asked, as far as it is known: the interface and the peer's address.
    public var by: String
    /// The reason that was given.
    public var reason: String?
    /// Whether the rules were overruled.
    public var forced: Bool
    /// The gates that did not hold and were overruled; nil for none.
    public var overruled: [String]?

    /// Creates a record.
    public init(
        at: String,
        from: String,
        to: String,
        epoch: Int,
        by: String,
        reason: String?,
        forced: Bool,
        overruled: [String]? = nil
    ) {
        self.at = at
        self.from = from
        self.to = to
        self.epoch = epoch
        self.by = by
        self.reason = reason
        self.forced = forced
        self.overruled = overruled
    }
}

/// What `GET /v1/phase` and a successful `PUT /v1/phase` answer.
public struct PhaseDocument: Codable, Sendable, Equatable {
    /// The write mode in force.
    public var mode: String
    /// Its number, 0 to 4.
    public var number: Int
    /// How often the mode has been changed since the state folder was made.
    public var epoch: Int
    /// The cluster whose answers the clients get: `source` or `target`.
    public var primary: String
    /// The cluster that gets copies, where the mode has one.
    public var shadow: String?
    /// Tables with a mode of their own, the first ``overridesMax`` of them; nil where all tables have this one.
    public var overrides: [TableOverride]?
    /// Overrides that are left out.
    public var overridesLeftOut: Int?
    /// When tables with a mode of their own, now or earlier, began to be written to both clusters; of several the latest moment.
    public var tablesCopiedSince: String?
    /// The modes that can be reached from here without force.
    public var next: [String]
    /// The latest changes, newest first.
    public var history: [PhaseRecord]
    /// `ReadsFirst` while reads are answered by the target already and writes still wait for both clusters; else nil.
    public var stage: String?
    /// The replicas that change the write mode together; nil where this one has a mode of its own.
    public var replicas: [ReplicasDocument.Replica]?

    /// Overrides that are told here; `GET /v1/overrides` tells all.
    public static var overridesMax: Int { 20 }

    /// Creates a document.
    public init(
        mode: String,
        number: Int,
        epoch: Int,
        primary: String,
        shadow: String?,
        next: [String],
        history: [PhaseRecord]
    ) {
        self.mode = mode
        self.number = number
        self.epoch = epoch
        self.primary = primary
        self.shadow = shadow
        self.next = next
        self.history = history
    }
}

/// What somebody asks for with `PUT /v1/phase`.
public struct PhaseChange: Sendable, Equatable {
    /// The mode's name, alias or number, as it was written.
    public var mode: String
    /// Why; needed where `force` is set.
    public var reason: String?
    /// Whether to overrule the rules of transition.
    public var force: Bool
    /// Who asks: the interface and the peer's address.
    public var by: String

    /// Creates a change.
    public init(mode: String, reason: String? = nil, force: Bool = false, by: String) {
        self.mode = mode
        self.reason = reason
        self.force = force
        self.by = by
    }
}
