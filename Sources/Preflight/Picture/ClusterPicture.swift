public import CQLClient

/// Which of the two clusters.
public enum ClusterRole: String, Sendable, Hashable, Codable, CaseIterable {
    /// The cluster that data comes from.
    case source
    /// The cluster that it goes to.
    case target
}

/// What was seen of a cluster at one moment: all that the rules look at.
public struct ClusterPicture: Sendable, Hashable {
    /// Which one it is.
    public var role: ClusterRole
    /// The name that it gives itself.
    public var name = ""
    /// Whether it is ScyllaDB.
    public var isScylla = false
    /// The release that its first node tells; of ScyllaDB the one of the Cassandra that it says to be like.
    public var release = ""
    /// The class of its partitioner.
    public var partitioner = ""
    /// The data center of the node that answered.
    public var localDatacenter = ""
    /// Nodes by data center.
    public var nodes: [String: Int] = [:]
    /// The identities of its nodes.
    public var hosts: Set<String> = []
    /// The releases of all nodes.
    public var releases: Set<String> = []
    /// The versions of the schema that its nodes have; one where they agree.
    public var schemaVersions: Set<String> = []
    /// The keyspaces but those of the servers, by name.
    public var keyspaces: [String: KeyspacePicture] = [:]
    /// What the configured role may do.
    public var access = AccessPicture()
    /// How far its clock is from this machine's; nil where it does not tell its time.
    public var clock: ClockReading?

    /// A cluster of which nothing is known.
    public init(role: ClusterRole) { self.role = role }

    /// The number before the first point of the release.
    var major: Int { self.release.split(separator: ".").first.flatMap { Int($0) } ?? 0 }
}

/// A keyspace.
public struct KeyspacePicture: Sendable, Hashable {
    /// A type that users have made.
    public struct UserType: Sendable, Hashable {
        /// The fields in their order.
        public var fields: [String]
        /// Their types in the words of the schema.
        public var types: [String]

        /// A type.
        public init(fields: [String], types: [String]) { (self.fields, self.types) = (fields, types) }
    }

    /// The replication, `class` among it.
    public var replication: [String: String]
    /// Whether writes go to the commit log.
    public var hasDurableWrites = true
    /// Whether ScyllaDB keeps its tables in tablets.
    public var hasTablets = false
    /// The tables by name.
    public var tables: [String: TablePicture] = [:]
    /// The types by name.
    public var types: [String: UserType] = [:]
    /// The materialized views and their tables.
    public var views: [String: String] = [:]
    /// Functions and aggregates with the types of their arguments.
    public var functions: Set<String> = []

    /// A keyspace without anything in it.
    public init(replication: [String: String]) { self.replication = replication }

    /// The last part of the class.
    var strategy: String {
        self.replication["class"]?.split(separator: ".").last.map { String($0) } ?? ""
    }

    /// Replicas by data center, where the keyspace names data centers.
    var replicas: [String: Int] {
        guard self.strategy == "NetworkTopologyStrategy" else { return [:] }
        // A transient replica is written behind a slash.
        return self.replication.filter { $0.key != "class" }
            .compactMapValues { Int($0.split(separator: "/").first ?? "") }
    }

    /// Replicas in a data center; 0 where it has none.
    func replicas(in datacenter: String) -> Int {
        self.strategy == "NetworkTopologyStrategy"
            ? self.replicas[datacenter] ?? 0 : Int(self.replication["replication_factor"] ?? "") ?? 0
    }
}

/// A table.
public struct TablePicture: Sendable, Hashable {
    /// A column.
    public struct Column: Sendable, Hashable {
        /// What it is for, in the words of the schema.
        public enum Kind: String, Sendable, Hashable {
            case partitionKey = "partition_key"
            case clustering
            case regular
            case `static`
        }

        /// What it is for.
        public var kind: Kind
        /// The place in its part of the key, from 0; -1 for others.
        public var position: Int
        /// The type in the words of the schema.
        public var type: String
        /// Whether a clustering column is in descending order.
        public var isReversed: Bool

        /// A column.
        public init(_ kind: Kind, _ type: String, position: Int = -1, isReversed: Bool = false) {
            self.kind = kind
            self.type = type
            self.position = position
            self.isReversed = isReversed
        }
    }

    /// An index.
    public struct Index: Sendable, Hashable {
        /// `COMPOSITES`, `KEYS` or `CUSTOM`.
        public var kind: String
        /// The options, `target` among them.
        public var options: [String: String]

        /// An index.
        public init(kind: String, options: [String: String]) { (self.kind, self.options) = (kind, options) }
    }

    /// The columns by name.
    public var columns: [String: Column]
    /// How long what was written without a TTL lives, in seconds; 0 is for ever.
    public var defaultTimeToLive = 0
    /// Seconds until what was deleted may be forgotten.
    public var graceSeconds = 864_000
    /// The class of its compaction, without the package.
    public var compaction = ""
    /// What somebody has written about it.
    public var comment = ""
    /// `compound`, `dense`, `super`, `counter`; nil where the cluster has no flags.
    public var flags: Set<String>?
    /// Whether changes are logged for others.
    public var logsChanges = false
    /// The indexes by name.
    public var indexes: [String: Index] = [:]
    /// The triggers.
    public var triggers: Set<String> = []

    /// A table.
    public init(columns: [String: Column]) { self.columns = columns }

    /// Whether its columns count.
    var isCounter: Bool { self.columns.values.contains { $0.type == "counter" } }
    /// Whether it has super columns, which CQL does not show.
    var isSuper: Bool { self.flags?.contains("super") ?? false }
    /// Whether it was made with `COMPACT STORAGE`.
    var isCompact: Bool {
        guard let flags, !flags.isEmpty else { return false }
        return !flags.contains("compound") || flags.contains("dense") || self.isSuper
    }

    /// Names of the columns of one kind, keys in their order.
    func names(_ kind: Column.Kind) -> [String] {
        self.columns.filter { $0.value.kind == kind }
            .sorted { ($0.value.position, $0.key) < ($1.value.position, $1.key) }.map(\.key)
    }
}

/// What a role may do, as far as the cluster tells it.
public struct AccessPicture: Sendable, Hashable {
    /// The role; nil where nobody logs in.
    public var role: String?
    /// Whether it may do everything; nil where that is not told.
    public var isSuperuser: Bool?
    /// What it may do, by resource: `data`, `data/ks`, `data/ks/table`. Nil where that is not told.
    public var permissions: [String: Set<String>]?
    /// Whether everybody may do everything.
    public var isOpen = false
    /// Whether keyspace `cluster_sync` is there already.
    public var hasOwnKeyspace = false

    /// Nothing is known.
    public init() {}

    /// Whether it may do something with a table, or with a keyspace; nil where that is not told.
    func may(_ permission: String, keyspace: String, table: String? = nil) -> Bool? {
        if self.isOpen || self.isSuperuser == true { return true }
        guard let permissions else { return nil }
        let resources = ["data", "data/\(keyspace)"] + (table.map { ["data/\(keyspace)/\($0)"] } ?? [])
        return resources.contains { permissions[$0]?.contains(permission) ?? false }
    }
}
