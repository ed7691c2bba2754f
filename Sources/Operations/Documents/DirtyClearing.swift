/// What somebody asks for with `POST /v1/dirty`: partitions are in doubt no more, because they were compared and repaired.
public struct DirtyClearing: Sendable, Equatable {
    /// `source` or `target`.
    public var cluster: String
    /// `keyspace.table` or `keyspace.*` as CQL writes it; nil: everything of the cluster, or what ``ids`` names.
    public var table: String?
    /// The entries, by what ``DirtyDocument/Partition/id`` called them; those that were put into doubt again since stay. Nil: all
    /// of the table.
    public var ids: Set<UInt64>?
    /// Why.
    public var reason: String
    /// Who asks: the interface and the peer's address.
    public var by: String

    static var keys: [String] { ["action", "cluster", "table", "ids", "reason"] }
    static var tableBytesMax: Int { 256 }
    /// Entries that one request names.
    public static var idsMax: Int { 1_000 }
    private static var idBytesMax: Int { 20 }

    /// Creates a clearing.
    public init(cluster: String, table: String?, ids: Set<UInt64>? = nil, reason: String, by: String) {
        self.cluster = cluster
        self.table = table
        self.ids = ids
        self.reason = reason
        self.by = by
    }

    /// Reads the document of `POST /v1/dirty`.
    init(_ object: [String: JSONValue], by: String) throws(AdminError) {
        var reader = DocumentReader(object, keys: Self.keys)
        _ = reader.choice("action", among: ["clear"])
        let cluster = reader.choice("cluster", among: DocumentReader.clusters)
        let table = reader.text("table", bytesMax: Self.tableBytesMax)
        let texts = reader.texts("ids", max: Self.idsMax, bytesMax: Self.idBytesMax)
        let ids = texts.map { $0.compactMap { UInt64($0) } }
        if texts?.count != ids?.count { reader.fault("ids: must be ids as GET /v1/dirty tells them") }
        if ids != nil, table != nil { reader.fault("ids: name the entries already; leave out table") }
        let reason = reader.reason(isNeeded: true)
        try reader.finish()
        guard let cluster, let reason else { preconditionFailure("what is missing was a fault") }
        self.init(cluster: cluster, table: table, ids: ids.map { Set($0) }, reason: reason, by: by)
    }
}

/// What a successful `POST /v1/dirty` answers.
public struct DirtyClearingDocument: Codable, Sendable, Equatable {
    /// `source` or `target`.
    public var cluster: String
    /// What was named.
    public var table: String?
    /// How many partitions are in doubt no more.
    public var cleared: Int
    /// Partitions of the cluster that still are.
    public var left: Int

    /// Creates a document.
    public init(cluster: String, table: String?, cleared: Int, left: Int) {
        self.cluster = cluster
        self.table = table
        self.cleared = cleared
        self.left = left
    }
}

/// Which partitions in doubt somebody wants to see.
public struct DirtyQuestion: Sendable, Equatable {
    /// `source` or `target`; nil for both.
    public var cluster: String?
    /// `keyspace.table` as CQL writes it: entries of this table alone, in the order in which they were put into doubt last.
    public var table: String?
    /// With ``table``: only entries behind the one with this id.
    public var after: UInt64
    /// Partitions at most.
    public var limit: Int

    /// A question.
    public init(cluster: String? = nil, table: String? = nil, after: UInt64 = 0, limit: Int) {
        self.cluster = cluster
        self.table = table
        self.after = after
        self.limit = limit
    }
}
