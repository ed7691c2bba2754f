public import CQLSyntax

/// A read whose rows must be the same on both clusters: what of its answer can be compared, and how.
///
/// Not every read is one. Left out are texts that are not understood, `SELECT JSON` (servers write documents differently),
/// WRITETIME and TTL (they differ for good reasons), functions that may differ from call to call or are the user's own, what an
/// index ranks, and the sidecar's own tables. Pure; made from the text and the primary's schema.
public struct ComparedRead: Sendable {
    /// What the places of rows mean.
    public enum RowOrder: Sendable, Hashable {
        /// One partition: rows come in its clustering order, the same on every cluster.
        case clustering
        /// A scan: rows come by token, then in clustering order; the same where the partitioner is.
        case tokens
        /// Nothing: which row comes first is the cluster's to choose.
        case none
    }

    /// The keyspace whose tables are the sidecars' own.
    private static var ownKeyspace: String { "cluster_sync" }

    /// The keyspace.
    public let keyspace: String
    /// The table or view.
    public let table: String
    /// What the places of rows mean.
    public let order: RowOrder

    /// The columns of the projection, nil for what is none; nil as a whole for `*`.
    let items: [String?]?
    /// The columns that tell a row from all others, the partition key first; empty where they are not known.
    let primaryKey: [String]
    /// Of these the ones of the partition key.
    let partitionKeyCount: Int
    /// LIMIT, where it is written in the text.
    let limit: Int?
    /// Whether there is a LIMIT at all.
    let hasLimit: Bool

    /// Judges a read; nil where its rows are not to be compared.
    ///
    /// - Parameters:
    ///   - keyspace: for a name without one.
    ///   - schema: the primary's; nil where nobody knows it.
    ///   - isSamePartitioner: whether both clusters order tokens the same way.
    public init?(_ analysis: StatementAnalysis, keyspace: String?, schema: SchemaShapes?, isSamePartitioner: Bool) {
        guard analysis.kind == .select, let selection = analysis.selection, let table = analysis.table,
            let keyspace = analysis.keyspace ?? keyspace, keyspace != Self.ownKeyspace,
            !selection.isJSON, !selection.isRanked, !selection.tellsCellMetadata,
            !analysis.functions.contains(where: \.isNonDeterministic)
        else { return nil }
        self.keyspace = keyspace
        self.table = table
        let shape = schema?.table(keyspace, table)
        let partitionKey = shape?.partitionKey.map(\.name) ?? []
        let equal = Set(selection.equalities.map(\.column))
        if !partitionKey.isEmpty, equal.isSuperset(of: partitionKey) {
            self.order = .clustering
        } else {
            self.order = selection.isTokenScan && isSamePartitioner ? .tokens : .none
        }
        self.items = selection.items?.map(\.column)
        // A distinct row stands for its partition.
        self.primaryKey = partitionKey + (selection.isDistinct ? [] : shape?.clusteringKey ?? [])
        self.partitionKeyCount = partitionKey.count
        self.limit = selection.limit
        self.hasLimit = selection.hasLimit
    }
}
