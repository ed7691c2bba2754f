/// What somebody asks for with `POST /validate`, `/validate/{table}` or `/validate/{table}/domain/{id}`.
public struct ReaderStart: Sendable, Equatable {
    /// What to compare, of what the configuration names.
    public enum Subject: Sendable, Hashable, CustomStringConvertible {
        /// All of it.
        case everything
        /// One table, named as in the schema.
        case table(keyspace: String, table: String)
        /// The rows of one tenant in a table.
        case tenant(keyspace: String, table: String, value: String)

        /// For people.
        public var description: String {
            switch self {
            case .everything: "everything"
            case .table(let keyspace, let table): "\(keyspace).\(table)"
            case .tenant(let keyspace, let table, let value): "\(keyspace).\(table), tenant \(value)"
            }
        }
    }

    /// What to compare.
    public var subject: Subject
    /// Why.
    public var reason: String?
    /// Who asks: the interface and the peer's address.
    public var by: String

    /// Creates a request.
    public init(_ subject: Subject, reason: String? = nil, by: String) {
        self.subject = subject
        self.reason = reason
        self.by = by
    }

    /// Reads the document of such a request; an empty one is enough.
    init(_ subject: Subject, _ object: [String: JSONValue], by: String) throws(AdminError) {
        var reader = DocumentReader(object, keys: ["reason"])
        let reason = reader.reason(isNeeded: false)
        try reader.finish()
        self.init(subject, reason: reason, by: by)
    }
}

/// What somebody asks for with `POST /reconcile/{id}`: to repair the row of one difference.
public struct ReaderReconciliation: Sendable, Equatable {
    /// The id of the difference.
    public var id: String
    /// Whether it writes; without it, it says what it would write.
    public var applies: Bool
    /// `source_wins` or `newest_wins`; nil: as configured.
    public var policy: String?
    /// Whether what the target alone has is deleted there; nil: as configured.
    public var deletesExtras: Bool?
    /// Why.
    public var reason: String?
    /// Who asks: the interface and the peer's address.
    public var by: String

    static var policies: [String] { ["source_wins", "newest_wins"] }

    /// Creates a request.
    public init(
        id: String,
        applies: Bool,
        policy: String? = nil,
        deletesExtras: Bool? = nil,
        reason: String? = nil,
        by: String
    ) {
        self.id = id
        self.applies = applies
        self.policy = policy
        self.deletesExtras = deletesExtras
        self.reason = reason
        self.by = by
    }

    /// Reads the document of `POST /reconcile/{id}`; an empty one asks for a dry run.
    init(id: String, _ object: [String: JSONValue], by: String) throws(AdminError) {
        var reader = DocumentReader(object, keys: ["apply", "policy", "delete_extras", "reason"])
        let applies = reader.flag("apply") ?? false
        let policy = object["policy"] == nil ? nil : reader.choice("policy", among: Self.policies)
        let deletesExtras = reader.flag("delete_extras")
        let reason = reader.reason(isNeeded: false)
        try reader.finish()
        self.init(
            id: id,
            applies: applies,
            policy: policy,
            deletesExtras: deletesExtras,
            reason: reason,
            by: by
        )
    }
}

/// What somebody asks for with `POST /discrepancies/clear`: that differences are forgotten, whether or not they are still there.
public struct DiscrepancyClearing: Sendable, Equatable {
    /// `keyspace.table`, as in the schema; nil for all.
    public var table: String?
    /// Why.
    public var reason: String?
    /// Who asks: the interface and the peer's address.
    public var by: String

    /// Creates a request.
    public init(table: String?, reason: String? = nil, by: String) {
        self.table = table
        self.reason = reason
        self.by = by
    }

    /// Reads the document of `POST /discrepancies/clear`; an empty one is of all tables.
    init(_ object: [String: JSONValue], by: String) throws(AdminError) {
        var reader = DocumentReader(object, keys: ["table", "reason"])
        let table = reader.text("table", bytesMax: 2 * ReaderRoutes.nameBytesMax + 1)
        let reason = reader.reason(isNeeded: false)
        try reader.finish()
        self.init(table: table, reason: reason, by: by)
    }
}
