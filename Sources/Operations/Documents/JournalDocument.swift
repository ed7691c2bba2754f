/// What `GET /v1/journal` answers: what each cluster is owed.
public struct JournalDocument: Codable, Sendable, Equatable {
    /// One table's share.
    public struct Table: Codable, Sendable, Equatable {
        /// `keyspace.table`; `other` for all beyond the greatest, `unknown` for what nobody can tell.
        public var table: String
        /// Writes that are owed.
        public var records: Int
        /// The age of the oldest of them.
        public var oldestAgeMs: Int

        /// Creates a share.
        public init(table: String, records: Int, oldestAgeMs: Int) {
            self.table = table
            self.records = records
            self.oldestAgeMs = oldestAgeMs
        }
    }

    /// What one cluster is owed.
    public struct Cluster: Codable, Sendable, Equatable {
        /// `source` or `target`.
        public var cluster: String
        /// Writes that are owed.
        public var records = 0
        /// Their bytes.
        public var bytes = 0
        /// What the files of the journal take.
        public var diskBytes = 0
        /// The age of the oldest write.
        public var oldestAgeMs = 0
        /// Whether some of the writes are in the journal alone.
        public var behind = false
        /// Whether the cluster does not take what it is owed.
        public var heldBack = false
        /// Whether it gets nothing but a probe now and then.
        public var breakerOpen = false
        /// Users whose next login copies wait for, sorted; the first ``usersMax`` of them.
        public var waitsForLoginOf: [String] = []
        /// How many users there are.
        public var waitsForLogins = 0
        /// Writes that it has refused for good.
        public var deadLetters = 0
        /// Partitions in doubt.
        public var dirtyPartitions = 0
        /// Of these the ones that may lack an acknowledged write.
        public var dirtyWithLoss = 0
        /// By table, the greatest first, of the ``recordsLookedAt`` oldest writes. A write to several tables counts for each.
        public var tables: [Table] = []
        /// How many writes were looked at for ``tables``.
        public var recordsLookedAt = 0

        /// User names that are listed.
        public static var usersMax: Int { 20 }

        /// A cluster that is owed nothing.
        public init(cluster: String) { self.cluster = cluster }
    }

    /// Whether there is a journal; without one what a cluster is owed is in memory alone.
    public var enabled: Bool
    /// The clusters that are configured, source before target.
    public var clusters: [Cluster]

    /// Creates a document.
    public init(enabled: Bool, clusters: [Cluster]) {
        self.enabled = enabled
        self.clusters = clusters
    }
}
