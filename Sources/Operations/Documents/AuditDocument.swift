/// One change that somebody has made, as the state folder keeps it.
public struct AuditRecord: Codable, Sendable, Equatable {
    /// What was changed.
    public enum Action: String, Codable, Sendable, CaseIterable {
        /// The write mode, by a step forward or back.
        case phase
        /// The write mode, by one command back.
        case rollback
        /// The six-field document.
        case configuration
        /// What the shadow gets copies of.
        case filters
        /// Modes of single tables.
        case overrides
        /// Partitions were taken out of doubt.
        case dirtyClear = "dirty_clear"
        /// Dead letters are owed again.
        case deadLettersRetry = "dead_letters_retry"
        /// Dead letters were forgotten.
        case deadLettersDiscard = "dead_letters_discard"
        /// What a job has reported was forgotten.
        case reportForget = "report_forget"
        /// The sidecar was told to end.
        case drain
    }

    /// When, as an RFC 3339 timestamp in UTC.
    public var at: String
    /// What was changed.
    public var action: Action
    /// Who asked, as far as it is known: the interface and the peer's address.
    public var by: String
    /// The reason that was given.
    public var reason: String?
    /// Whether rules or gates were overruled.
    public var forced = false
    /// The gates that did not hold and were overruled.
    public var overruled: [String] = []
    /// The gates that were not asked, because the interface cannot know of them.
    public var notAsked: [String] = []
    /// What exactly, in words that hold no secret.
    public var what: String

    /// Creates a record.
    public init(at: String, action: Action, by: String, reason: String?, what: String) {
        self.at = at
        self.action = action
        self.by = by
        self.reason = reason
        self.what = what
    }
}

/// What `GET /v1/audit` answers.
public struct AuditDocument: Codable, Sendable, Equatable {
    /// The newest changes, newest first.
    public var records: [AuditRecord]
    /// How many are kept.
    public var total: Int

    /// Records that are kept; older ones are in the log alone.
    public static var recordsMax: Int { 1_000 }

    /// Creates a document.
    public init(records: [AuditRecord], total: Int) {
        self.records = records
        self.total = total
    }
}
