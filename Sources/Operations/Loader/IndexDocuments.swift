/// What `GET /indexes/status` answers: the indexes that were found on the target before a load touched them.
public struct IndexesDocument: Codable, Sendable, Equatable {
    /// One index.
    public struct Index: Codable, Sendable, Equatable {
        /// Where an index is.
        public enum State: String, Codable, Sendable, CaseIterable {
            /// It is there.
            case present
            /// It is there and the target still builds it.
            case building
            /// It was dropped and has to be made again.
            case dropped
            /// It could not be dropped or made again.
            case failed
        }

        /// The keyspace.
        public var keyspace: String
        /// The table.
        public var table: String
        /// Its name.
        public var name: String
        /// Where it is.
        public var state: State
        /// Why it failed.
        public var reason: String?
        /// The statement that makes it.
        public var statement: String

        /// Creates an index.
        public init(
            keyspace: String,
            table: String,
            name: String,
            state: State,
            reason: String? = nil,
            statement: String
        ) {
            self.keyspace = keyspace
            self.table = table
            self.name = name
            self.state = state
            self.reason = reason
            self.statement = statement
        }
    }

    /// Always `success`.
    public var status: String
    /// How many there are.
    public var indexCount: Int
    /// Of these the ones that are there and built.
    public var present: Int
    /// That are being built.
    public var building: Int
    /// That are dropped.
    public var dropped: Int
    /// That failed.
    public var failed: Int
    /// The indexes.
    public var indexes: [Index]

    /// Creates a document.
    public init(_ indexes: [Index]) {
        self.status = "success"
        self.indexCount = indexes.count
        self.present = indexes.count { $0.state == .present }
        self.building = indexes.count { $0.state == .building }
        self.dropped = indexes.count { $0.state == .dropped }
        self.failed = indexes.count { $0.state == .failed }
        self.indexes = indexes
    }
}

/// What `GET /indexes/verify` answers: whether every recorded index is there as it was.
public struct IndexesVerifiedDocument: Codable, Sendable, Equatable {
    /// One index.
    public struct Index: Codable, Sendable, Equatable {
        /// What was found.
        public enum Verdict: String, Codable, Sendable, CaseIterable {
            /// It is there as it was.
            case same
            /// It is not there.
            case missing
            /// Another one has its name.
            case different
        }

        /// The keyspace.
        public var keyspace: String
        /// The table.
        public var table: String
        /// Its name.
        public var name: String
        /// What was found.
        public var verdict: Verdict
        /// The statement that makes what was recorded.
        public var recorded: String
        /// The statement that makes what is there, where it is another one.
        public var found: String?

        /// Creates an index.
        public init(
            keyspace: String,
            table: String,
            name: String,
            verdict: Verdict,
            recorded: String,
            found: String? = nil
        ) {
            self.keyspace = keyspace
            self.table = table
            self.name = name
            self.verdict = verdict
            self.recorded = recorded
            self.found = found
        }
    }

    /// `success`, or `failed` where one is missing or different, or a record is damaged.
    public var status: String
    /// Whether all are there as they were.
    public var verified: Bool
    /// How many are recorded.
    public var indexCount: Int
    /// How many are not there.
    public var missing: Int
    /// How many are different.
    public var different: Int
    /// Records that cannot be read; an index may be missing for each.
    public var damaged: Int
    /// The indexes.
    public var indexes: [Index]

    /// Creates a document.
    public init(_ indexes: [Index], damaged: Int = 0) {
        self.damaged = damaged
        self.missing = indexes.count { $0.verdict == .missing }
        self.different = indexes.count { $0.verdict == .different }
        self.verified = self.missing == 0 && self.different == 0 && damaged == 0
        self.status = self.verified ? "success" : "failed"
        self.indexCount = indexes.count
        self.indexes = indexes
    }
}

/// What somebody asks for with `POST /indexes/drop` or `/indexes/rebuild`.
public struct IndexesChange: Sendable, Equatable {
    /// What.
    public enum Verb: String, Sendable, CaseIterable {
        /// Record them, then drop them.
        case drop
        /// Make again what was dropped.
        case rebuild
    }

    /// A table, named as in the schema.
    public struct Table: Sendable, Hashable {
        /// The keyspace.
        public var keyspace: String
        /// The table.
        public var name: String

        /// A table.
        public init(keyspace: String, name: String) {
            self.keyspace = keyspace
            self.name = name
        }

        /// `keyspace.table`; neither name can have a dot. Nil where it is none.
        init?(_ text: String) {
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) else { return nil }
            self.init(keyspace: String(parts[0]), name: String(parts[1]))
        }
    }

    /// Tables that one request names.
    static var tablesMax: Int { 1_000 }

    /// What.
    public var verb: Verb
    /// The keyspaces, named as in the schema. Where neither these nor tables are named: to drop, all tables of the job; to
    /// rebuild, whatever is recorded as dropped.
    public var keyspaces: [String]
    /// Tables, beside the keyspaces.
    public var tables: [Table]
    /// Why.
    public var reason: String?
    /// Who asks: the interface and the peer's address.
    public var by: String

    /// Creates a change.
    public init(_ verb: Verb, keyspaces: [String] = [], tables: [Table] = [], reason: String? = nil, by: String) {
        self.verb = verb
        self.keyspaces = keyspaces
        self.tables = tables
        self.reason = reason
        self.by = by
    }

    /// Reads the document of the request; an empty one names everything, as do empty lists.
    ///
    /// - Parameter keyspace: what the path names already; then the document names nothing.
    init(_ verb: Verb, keyspace: String?, _ object: [String: JSONValue], by: String) throws(AdminError) {
        let names = keyspace == nil ? ["keyspace_filter", "tables"] : []
        var reader = DocumentReader(object, keys: names + ["reason"])
        var keyspaces = keyspace.map { [$0] } ?? []
        var tables: [Table] = []
        if keyspace == nil {
            let bytesMax = LoaderRoutes.nameBytesMax
            keyspaces =
                reader.texts("keyspace_filter", max: LoaderStart.keyspacesMax, bytesMax: bytesMax) ?? []
            for text in reader.texts("tables", max: Self.tablesMax, bytesMax: 2 * bytesMax + 1) ?? [] {
                guard let table = Table(text) else {
                    reader.fault("tables: '\(text.prefix(80))' is no table; write keyspace.table, as in the schema")
                    continue
                }
                tables.append(table)
            }
        }
        let reason = reader.reason(isNeeded: false)
        try reader.finish()
        self.init(verb, keyspaces: keyspaces, tables: tables, reason: reason, by: by)
    }
}

/// What a `POST /indexes/drop` or `/indexes/rebuild` answers.
public struct IndexesChangedDocument: Codable, Sendable, Equatable {
    /// `success`, or `failed` where one could not be changed.
    public var status: String
    /// `drop` or `rebuild`.
    public var action: String
    /// The keyspace that was named, where it was one alone.
    public var keyspace: String?
    /// How many were changed.
    public var indexCount: Int
    /// The indexes, as they are afterwards; one that is made again may still be built.
    public var indexes: [IndexesDocument.Index]

    /// Creates a document.
    public init(_ change: IndexesChange, _ indexes: [IndexesDocument.Index]) {
        let failed = indexes.count { $0.state == .failed }
        self.status = failed == 0 ? "success" : "failed"
        self.action = change.verb.rawValue
        self.keyspace = change.tables.isEmpty && change.keyspaces.count == 1 ? change.keyspaces[0] : nil
        self.indexCount = indexes.count - failed
        self.indexes = indexes
    }
}
