/// What `GET /v1/dead-letters` answers.
public struct DeadLettersDocument: Codable, Sendable, Equatable {
    /// A write that a cluster has refused for good.
    public struct Letter: Codable, Sendable, Equatable {
        /// Its number, for retry and discard.
        public var id: UInt64
        /// Who has refused it.
        public var cluster: String
        /// When it was written, as an RFC 3339 timestamp in UTC.
        public var writtenAt: String
        /// The name of the cluster's error.
        public var error: String?
        /// The cluster's words.
        public var reason: String
        /// The keyspace of its statements, or of the client.
        public var keyspace: String?
        /// The user under whose name it was written.
        public var user: String?
        /// The first of its statements, without the values that stand in them.
        public var statements: [String]
        /// How many statements there are.
        public var statementCount: Int

        /// Creates a letter.
        public init(
            id: UInt64,
            cluster: String,
            writtenAt: String,
            error: String?,
            reason: String,
            keyspace: String?,
            user: String?,
            statements: [String],
            statementCount: Int
        ) {
            self.id = id
            self.cluster = cluster
            self.writtenAt = writtenAt
            self.error = error
            self.reason = reason
            self.keyspace = keyspace
            self.user = user
            self.statements = statements
            self.statementCount = statementCount
        }
    }

    /// How many there are.
    public var source: Int
    /// How many there are.
    public var target: Int
    /// The oldest of what was asked for.
    public var letters: [Letter]

    /// Creates a document.
    public init(source: Int, target: Int, letters: [Letter]) {
        self.source = source
        self.target = target
        self.letters = letters
    }
}

/// What somebody asks for with `POST /v1/dead-letters`.
public struct DeadLettersChange: Sendable, Equatable {
    /// What is to be done.
    public enum Action: String, Sendable, CaseIterable {
        /// Owe them to the cluster again.
        case retry
        /// Forget them; what they wrote is in doubt then.
        case discard
    }

    /// Numbers that one request can name.
    public static var idsMax: Int { 1_000 }

    /// What is to be done.
    public var action: Action
    /// `source` or `target`.
    public var cluster: String
    /// Which; nil: all of the cluster.
    public var ids: Set<UInt64>?
    /// Why; needed for `discard`.
    public var reason: String?
    /// Who asks: the interface and the peer's address.
    public var by: String

    static var keys: [String] { ["action", "cluster", "ids", "all", "reason"] }

    /// Creates a change.
    public init(_ action: Action, cluster: String, ids: Set<UInt64>?, reason: String? = nil, by: String) {
        self.action = action
        self.cluster = cluster
        self.ids = ids
        self.reason = reason
        self.by = by
    }

    /// Reads the document of `POST /v1/dead-letters`.
    init(_ object: [String: JSONValue], by: String) throws(AdminError) {
        var reader = DocumentReader(object, keys: Self.keys)
        let action = reader.choice("action", among: Action.allCases.map(\.rawValue)).flatMap(Action.init)
        let cluster = reader.choice("cluster", among: DocumentReader.clusters)
        let all = reader.flag("all")
        let ids = reader.numbers("ids", max: Self.idsMax)
        if all == true, object["ids"] != nil { reader.fault("give ids or all, not both") }
        if all != true, object["ids"] == nil { reader.fault("give ids, or \"all\": true") }
        let reason = reader.reason(isNeeded: action == .discard)
        try reader.finish()
        guard let action, let cluster else { preconditionFailure("what is missing was a fault") }
        self.init(action, cluster: cluster, ids: ids, reason: reason, by: by)
    }
}

/// What a successful `POST /v1/dead-letters` answers.
public struct DeadLettersChangeDocument: Codable, Sendable, Equatable {
    /// What was done.
    public var action: String
    /// `source` or `target`.
    public var cluster: String
    /// With how many of them.
    public var changed: Int
    /// Numbers that were named and that no dead letter of the cluster has.
    public var unknown: [UInt64]
    /// How many the journal had no room for; they are dead letters still.
    public var withoutRoom: Int
    /// Dead letters of the cluster that are left.
    public var left: Int

    /// Creates a document.
    public init(action: String, cluster: String, changed: Int, unknown: [UInt64], withoutRoom: Int, left: Int) {
        self.action = action
        self.cluster = cluster
        self.changed = changed
        self.unknown = unknown
        self.withoutRoom = withoutRoom
        self.left = left
    }
}
