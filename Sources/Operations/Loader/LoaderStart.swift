/// What somebody asks for with `POST /start` or `POST /migrate/{keyspace}/{table}`.
public struct LoaderStart: Sendable, Equatable {
    /// What to load, of what the configuration names.
    public enum Subject: Sendable, Equatable, CustomStringConvertible {
        /// All of it.
        case everything
        /// What is in these keyspaces, named as in the schema.
        case keyspaces([String])
        /// One table, named as in the schema.
        case table(keyspace: String, table: String)

        /// For people.
        public var description: String {
            switch self {
            case .everything: "everything"
            case .keyspaces(let names): names.joined(separator: ", ")
            case .table(let keyspace, let table): "\(keyspace).\(table)"
            }
        }
    }

    /// What to load.
    public var subject: Subject
    /// Whether to drop the target's indexes first; nil: as configured.
    public var dropsIndexesFirst: Bool?
    /// Whether to make them again afterwards; nil: as configured.
    public var rebuildsIndexesAfter: Bool?
    /// Why.
    public var reason: String?
    /// Who asks: the interface and the peer's address.
    public var by: String

    /// Keyspaces that one request names.
    static var keyspacesMax: Int { 1_000 }

    /// Creates a request.
    public init(
        _ subject: Subject,
        dropsIndexesFirst: Bool? = nil,
        rebuildsIndexesAfter: Bool? = nil,
        reason: String? = nil,
        by: String
    ) {
        self.subject = subject
        self.dropsIndexesFirst = dropsIndexesFirst
        self.rebuildsIndexesAfter = rebuildsIndexesAfter
        self.reason = reason
        self.by = by
    }

    /// Reads the document of `POST /start`; an empty one asks for everything that is configured, as does an empty list.
    ///
    /// - Parameter table: what the path names already; then the document names no keyspaces.
    init(
        _ object: [String: JSONValue],
        table: (keyspace: String, table: String)? = nil,
        by: String
    ) throws(AdminError) {
        let options = ["drop_indexes_first", "rebuild_indexes_after", "reason"]
        var reader = DocumentReader(object, keys: table == nil ? ["keyspace_filter"] + options : options)
        var subject = Subject.everything
        if let table {
            subject = .table(keyspace: table.keyspace, table: table.table)
        } else if let names = reader.texts(
            "keyspace_filter",
            max: Self.keyspacesMax,
            bytesMax: LoaderRoutes.nameBytesMax
        ), !names.isEmpty {
            subject = .keyspaces(names)
        }
        let drops = reader.flag("drop_indexes_first")
        let rebuilds = reader.flag("rebuild_indexes_after")
        let reason = reader.reason(isNeeded: false)
        try reader.finish()
        self.init(subject, dropsIndexesFirst: drops, rebuildsIndexesAfter: rebuilds, reason: reason, by: by)
    }
}
