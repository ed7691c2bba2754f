/// How the rows of one SSTable are written: types, columns and the bases of its times (Cassandra's
/// `SerializationHeader`).
public struct SerializationHeader: Hashable, Sendable {
    /// A column as it was when the SSTable was written; the schema may have dropped it since.
    public struct Column: Hashable, Sendable {
        /// Its name, without quotes.
        public let name: String
        /// Its type.
        public let type: ColumnType
    }

    /// The lowest times of the SSTable. Times in rows are differences to them.
    struct Bases: Hashable, Sendable {
        let timestamp: Int64
        let localDeletionTime: Int64
        let timeToLive: Int64
    }

    let bases: Bases
    /// The types of the parts of the partition key.
    public let partitionKey: [ColumnType]
    /// The types of the clustering columns.
    public let clustering: [ColumnType]
    /// Static columns in the order of cells: simple ones by name, then those of many cells by name.
    public let statics: [Column]
    /// The other columns in that order.
    public let regulars: [Column]

    /// The moment from which times are counted: 2015-09-22, in seconds (Cassandra's `EncodingStats`).
    static var epoch: Int64 { 1_442_880_000 }

    init(_ cursor: inout ByteCursor, _ limits: SSTableLimits) throws(Fault) {
        let timestamp = Int64(bitPattern: try cursor.vint("the lowest timestamp"))
        let deletion = Int64(bitPattern: try cursor.vint("the lowest time of deletion"))
        let timeToLive = Int64(bitPattern: try cursor.vint("the lowest time to live"))
        self.bases = Bases(
            timestamp: timestamp &+ Self.epoch * 1_000_000,
            localDeletionTime: deletion &+ Self.epoch,
            timeToLive: timeToLive
        )
        let key = try cursor.typeName()
        guard let types = ColumnType.keyComponents(key) else {
            throw cursor.fault(.malformed, "the type of the partition key", detail: key)
        }
        self.partitionKey = types
        var clustering: [ColumnType] = []
        for _ in 0..<(try cursor.count("clustering columns", limit: limits.columnsMax)) {
            clustering.append(try cursor.type())
        }
        self.clustering = clustering
        self.statics = try Self.columns(&cursor, limits)
        self.regulars = try Self.columns(&cursor, limits)
    }

    private static func columns(_ cursor: inout ByteCursor, _ limits: SSTableLimits) throws(Fault) -> [Column] {
        var columns: [Column] = []
        for _ in 0..<(try cursor.count("columns", limit: limits.columnsMax)) {
            let name = try cursor.text(try cursor.vintBytes("a column's name"), "a column's name")
            columns.append(Column(name: name, type: try cursor.type()))
        }
        return Self.withFrozenTypes(columns)
    }

    /// Cassandra 3.0 wrote user-defined types, which were always frozen then, as if they were not (CASSANDRA-15035). Such
    /// a column stands among the simple ones: what comes before a simple column is simple.
    private static func withFrozenTypes(_ columns: [Column]) -> [Column] {
        guard let last = columns.lastIndex(where: { !$0.type.isMultiCell }) else { return columns }
        return columns.enumerated().map { place, column in
            place < last && column.type.isMultiCell ? Column(name: column.name, type: column.type.frozen) : column
        }
    }
}

extension ByteCursor {
    fileprivate mutating func count(_ what: StaticString, limit: Int) throws(Fault) -> Int {
        let count = try self.count(what)
        guard count <= limit else { throw self.fault(.oversized, what, detail: "\(count), and \(limit) are the limit") }
        return count
    }

    /// The class of a type, with its length before it.
    mutating func typeName() throws(Fault) -> String {
        try self.text(try self.vintBytes("a type's name"), "a type's name")
    }

    mutating func type() throws(Fault) -> ColumnType {
        let name = try self.typeName()
        guard let type = ColumnType(className: name) else {
            throw self.fault(.malformed, "a type's name", detail: "'\(name)'")
        }
        return type
    }
}
