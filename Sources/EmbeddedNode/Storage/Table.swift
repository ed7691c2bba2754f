import CQLSyntax

/// A column of a table.
struct Column: Hashable, Sendable {
    enum Kind: String, Sendable {
        case partitionKey = "partition_key"
        case clustering
        case `static`
        case regular
    }

    var name: String
    var type: ValueType
    var kind: Kind
    /// Place in the key; -1 for other columns.
    var position = -1
    var isDescending = false
}

/// A secondary index. Reads by one that is not custom are answered by a scan; custom ones are not read by.
struct Index: Hashable, Sendable {
    var name: String
    /// `COMPOSITES` or `CUSTOM`.
    var kind: String
    /// As `system_schema.indexes` has them.
    var options: [String: String]
    var columns: [String]

    /// Whether a read may restrict this column without ALLOW FILTERING.
    func serves(_ column: Column) -> Bool { self.kind != "CUSTOM" && self.columns.contains(column.name) }
}

/// A table: its columns and its partitions. Not thread-safe: its owner guards it.
final class Table {
    let keyspace: String
    let name: String
    let id: Bytes
    /// Partition key, clustering columns, then statics and regular columns by name, as Cassandra orders a result.
    private(set) var columns: [Column]
    var options: [String: PropertyValue]
    var indexes: [Index] = []
    private(set) var partitions: [Bytes: Partition] = [:]
    private var sorted: [Partition]?
    private var byName: [String: Column] = [:]
    private(set) var partitionKey: [Column] = []
    private(set) var clustering: [Column] = []

    init(keyspace: String, name: String, id: Bytes, columns: [Column], options: [String: PropertyValue]) {
        self.keyspace = keyspace
        self.name = name
        self.id = id
        self.columns = []
        self.options = options
        self.replaceColumns(columns)
    }

    var isCounter: Bool { self.columns.contains { $0.type.isCounter } }
    var defaultTimeToLive: Int32 {
        if case .text(let text) = self.options["default_time_to_live"] { return Int32(text) ?? 0 }
        return 0
    }

    func column(_ name: String) -> Column? { self.byName[name] }

    func replaceColumns(_ columns: [Column]) {
        func rank(_ column: Column) -> (Int, Int, String) {
            switch column.kind {
            case .partitionKey: (0, column.position, "")
            case .clustering: (1, column.position, "")
            case .static: (2, 0, column.name)
            case .regular: (3, 0, column.name)
            }
        }
        self.columns = columns.sorted { rank($0) < rank($1) }
        self.byName = Dictionary(uniqueKeysWithValues: columns.map { ($0.name, $0) })
        self.partitionKey = self.columns.filter { $0.kind == .partitionKey }
        self.clustering = self.columns.filter { $0.kind == .clustering }
    }

    /// The partition of a key, made where there is none.
    func partition(_ key: [Bytes]) -> Partition {
        let serialized = Self.serialize(key)
        if let partition = self.partitions[serialized] { return partition }
        let partition = Partition(key: key, serializedKey: serialized)
        self.partitions[serialized] = partition
        self.sorted = nil
        return partition
    }

    func existingPartition(_ key: [Bytes]) -> Partition? { self.partitions[Self.serialize(key)] }

    /// All partitions in token order.
    var inTokenOrder: [Partition] {
        if let sorted { return sorted }
        let sorted = self.partitions.values.sorted {
            $0.token != $1.token
                ? $0.token < $1.token : ValueType.unsigned($0.serializedKey, $1.serializedKey) < 0
        }
        self.sorted = sorted
        return sorted
    }

    func truncate() {
        self.partitions = [:]
        self.sorted = nil
    }

    /// The bytes that are hashed: the value itself, or each with its length and a zero.
    static func serialize(_ key: [Bytes]) -> Bytes {
        if key.count == 1 { return key[0] }
        return key.flatMap { UInt16(truncatingIfNeeded: $0.count).bytes + $0 + [0] }
    }

    /// Clustering order, a shorter prefix being equal to what it begins.
    func compare(_ left: [Bytes], _ right: [Bytes]) -> Int {
        let clustering = self.clustering
        for index in 0..<min(left.count, right.count, clustering.count) {
            let order = clustering[index].type.compare(left[index], right[index])
            if order != 0 { return clustering[index].isDescending ? -order : order }
        }
        return 0
    }

    func contains(_ range: RangeTombstone, _ clustering: [Bytes]) -> Bool {
        let low = self.compare(clustering, range.lower.prefix)
        let high = self.compare(clustering, range.upper.prefix)
        return (low > 0 || (low == 0 && range.lower.isInclusive))
            && (high < 0 || (high == 0 && range.upper.isInclusive))
    }
}

/// A keyspace. Not thread-safe: its owner guards it.
final class Keyspace {
    let name: String
    var replication: [String: String]
    var durableWrites: Bool
    var tables: [String: Table] = [:]
    var types: [String: [ValueType.Field]] = [:]

    init(name: String, replication: [String: String], durableWrites: Bool) {
        self.name = name
        self.replication = replication
        self.durableWrites = durableWrites
    }
}
