/// What `GET /v1/dirty` answers: the partitions in doubt.
public struct DirtyDocument: Codable, Sendable, Equatable {
    /// How many partitions of one table are in doubt for one reason.
    public struct Group: Codable, Sendable, Equatable {
        /// The cluster that may lack something, or have too much.
        public var cluster: String
        /// `keyspace.table` as CQL writes it, `keyspace.*` for an unknown table of a keyspace; nil for anything at all.
        public var table: String?
        /// Why.
        public var reason: String
        /// `loss` (it may lack an acknowledged write), `surplus` (it may have what the other lacks) or `precaution`.
        public var severity: String
        /// How many.
        public var partitions: Int

        /// Creates a group.
        public init(cluster: String, table: String?, reason: String, severity: String, partitions: Int) {
            self.cluster = cluster
            self.table = table
            self.reason = reason
            self.severity = severity
            self.partitions = partitions
        }
    }

    /// One partition.
    public struct Partition: Codable, Sendable, Equatable {
        /// The cluster that may lack something, or have too much.
        public var cluster: String
        /// As in ``Group/table``.
        public var table: String?
        /// The first ``keyBytesMax`` bytes of the partition key in hexadecimal digits; nil for the whole table.
        public var key: String?
        /// The length of the whole key.
        public var keyBytes: Int?
        /// Why.
        public var reason: String
        /// Since when, as an RFC 3339 timestamp in UTC.
        public var since: String
        /// What names this entry as it is now: put into doubt again, a partition gets another one, as all do with the start of a
        /// sidecar. A sidecar of an older version tells none.
        public var id: String?

        /// Bytes of a key that are shown.
        public static var keyBytesMax: Int { 1_024 }

        /// Creates a partition.
        public init(
            cluster: String,
            table: String?,
            key: String?,
            keyBytes: Int?,
            reason: String,
            since: String,
            id: String? = nil
        ) {
            self.cluster = cluster
            self.table = table
            self.key = key
            self.keyBytes = keyBytes
            self.reason = reason
            self.since = since
            self.id = id
        }
    }

    /// By cluster, table and reason, what is worst first; the first ``groupsMax``.
    public var summary: [Group]
    /// Groups that are left out.
    public var groupsLeftOut: Int
    /// The oldest partitions.
    public var partitions: [Partition]
    /// How many there are in all.
    public var total: Int

    /// Groups that are told.
    public static var groupsMax: Int { 1_000 }

    /// Creates a document.
    public init(summary: [Group], groupsLeftOut: Int, partitions: [Partition], total: Int) {
        self.summary = summary
        self.groupsLeftOut = groupsLeftOut
        self.partitions = partitions
        self.total = total
    }
}
