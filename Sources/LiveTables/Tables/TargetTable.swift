/// The table that is written to: its names, which an SSTable does not have.
public struct TargetTable: Sendable, Hashable {
    /// A clustering column.
    public struct ClusteringColumn: Sendable, Hashable {
        /// Its name, without quotes.
        public var name: String
        /// Whether larger values come first.
        public var isReversed: Bool

        /// A clustering column.
        public init(name: String, isReversed: Bool = false) {
            self.name = name
            self.isReversed = isReversed
        }
    }

    /// The keyspace, without quotes.
    public var keyspace: String
    /// The table, without quotes.
    public var name: String
    /// The names of the partition key's parts, without quotes.
    public var partitionKey: [String]
    /// The clustering columns.
    public var clustering: [ClusteringColumn]
    /// The other columns, static ones included. What the SSTable has besides was dropped and is left out.
    public var columns: Set<String>
    /// Whether single elements of lists can be written with their own places, by ScyllaDB's
    /// `SCYLLA_TIMEUUID_LIST_INDEX`. Without it a list is written as a whole.
    public var hasListIndexes: Bool

    /// A table of known names.
    public init(
        keyspace: String,
        name: String,
        partitionKey: [String],
        clustering: [ClusteringColumn] = [],
        columns: Set<String>,
        hasListIndexes: Bool = false
    ) {
        self.keyspace = keyspace
        self.name = name
        self.partitionKey = partitionKey
        self.clustering = clustering
        self.columns = columns
        self.hasListIndexes = hasListIndexes
    }
}
