public import CQLClient
import CQLProtocol
import NIOCore

/// A table of a live source as its `system_schema` tells it.
public struct LiveTable: Sendable, Hashable {
    /// How the server keeps a column.
    public enum Storage: Sendable, Hashable {
        /// In one cell: plain types, tuples, and all that is frozen.
        case cell
        /// In a cell for each element, by a time UUID that no read shows.
        case list
        /// In a cell for each element, by the element.
        case set
        /// In a cell for each key.
        case map
        /// In a cell for each field; these are their names, without quotes.
        case userType([String])
        /// In shards that count; it has neither a timestamp of its own nor a life.
        case counter
    }

    /// A column that is no part of the key.
    public struct Column: Sendable, Hashable {
        /// Its name, without quotes.
        public var name: String
        /// How it is kept.
        public var storage: Storage
        /// Whether the partition has it once.
        public var isStatic: Bool

        /// A column.
        public init(_ name: String, _ storage: Storage = .cell, isStatic: Bool = false) {
            self.name = name
            self.storage = storage
            self.isStatic = isStatic
        }
    }

    /// The keyspace, without quotes.
    public var keyspace: String
    /// The table, without quotes.
    public var name: String
    /// The names of the partition key's parts, without quotes.
    public var partitionKey: [String]
    /// The clustering columns.
    public var clustering: [TargetTable.ClusteringColumn]
    /// The other columns: statics, then regular ones, each by name.
    public var columns: [Column]
    /// How long what was written without a TTL lives, in seconds; 0 is for ever.
    public var defaultTimeToLive: Int32

    /// A table of known columns.
    public init(
        keyspace: String,
        name: String,
        partitionKey: [String],
        clustering: [TargetTable.ClusteringColumn] = [],
        columns: [Column],
        defaultTimeToLive: Int32 = 0
    ) {
        self.keyspace = keyspace
        self.name = name
        self.partitionKey = partitionKey
        self.clustering = clustering
        self.columns = columns.sorted { ($0.isStatic ? 0 : 1, $0.name) < ($1.isStatic ? 0 : 1, $1.name) }
        self.defaultTimeToLive = defaultTimeToLive
    }

    /// Whether its columns count.
    public var isCounter: Bool { self.columns.contains { $0.storage == .counter } }

    /// The same table to be written to.
    public func target(hasListIndexes: Bool = false) -> TargetTable {
        TargetTable(
            keyspace: self.keyspace,
            name: self.name,
            partitionKey: self.partitionKey,
            clustering: self.clustering,
            columns: Set(self.columns.map(\.name)),
            hasListIndexes: hasListIndexes
        )
    }

    /// Reads what a cluster says of a table.
    ///
    /// - Throws: ``CQLSessionError``, and ``LiveReadError`` where there is no such table.
    public static func read(keyspace: String, name: String, from session: CQLSession) async throws -> LiveTable {
        func rows(_ text: String, _ names: String...) async throws -> Rows? {
            let values = names.map { BoundValue.value(ByteBuffer(string: $0)) }
            return try await session.query(text, values, consistency: .localOne, isIdempotent: true).rows
        }
        let tables = try await rows(
            "SELECT default_time_to_live, flags FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?",
            keyspace,
            name
        )
        let columns = try await rows(
            "SELECT column_name, kind, position, type, clustering_order FROM system_schema.columns "
                + "WHERE keyspace_name = ? AND table_name = ?",
            keyspace,
            name
        )
        let types = try await rows(
            "SELECT type_name, field_names FROM system_schema.types WHERE keyspace_name = ?",
            keyspace
        )
        guard let table = tables?.first, let columns, let types else {
            throw LiveReadError(.noTable, "the source has no table \(keyspace).\(name)")
        }
        var fields: [String: [String]] = [:]
        for row in types {
            guard case .text(let type) = try row.value("type_name"),
                case .list(let names) = try row.value("field_names")
            else { continue }
            fields[type] = names.compactMap { if case .text(let name) = $0 { name } else { nil } }
        }
        let life = if case .int(let seconds) = try table.value("default_time_to_live") { seconds } else { Int32(0) }
        var flags: Set<String>?
        if case .set(let all) = try table.value("flags") {
            flags = Set(all.compactMap { if case .text(let flag) = $0 { flag } else { nil } })
        }
        guard flags?.contains("super") != true else {
            throw LiveReadError(
                .refused,
                "\(keyspace).\(name) has super columns, which CQL does not show: load its SSTables"
            )
        }
        return try LiveTable(
            keyspace: keyspace,
            name: name,
            columns: columns,
            fields: fields,
            flags: flags,
            defaultTimeToLive: life
        )
    }

    /// - Parameters:
    ///   - columns: the table's rows of `system_schema.columns`.
    ///   - fields: the fields of the keyspace's types, by name.
    ///   - flags: those of `system_schema.tables`; nil where there are none to be told.
    init(
        keyspace: String,
        name: String,
        columns: Rows,
        fields: [String: [String]],
        flags: Set<String>?,
        defaultTimeToLive: Int32 = 0
    ) throws {
        // A compact table without clustering is kept by Cassandra 3 as statics of one partition, beside a clustering and a
        // regular column that CQL does not show.
        let isStaticCompact = flags.map { $0.isDisjoint(with: ["compound", "dense", "super"]) } ?? false
        var key: [(position: Int32, name: String)] = []
        var clustering: [(position: Int32, column: TargetTable.ClusteringColumn)] = []
        var others: [Column] = []
        for row in columns {
            guard case .text(let column) = try row.value("column_name"), case .text(let kind) = try row.value("kind"),
                case .text(let type) = try row.value("type"), case .int(let position) = try row.value("position")
            else { continue }
            if isStaticCompact {
                if kind == "partition_key" { key.append((position, column)) }
                if kind == "static" { others.append(Column(column, Storage(type, fields))) }
                continue
            }
            switch kind {
            case "partition_key": key.append((position, column))
            case "clustering":
                let isReversed = try row.value("clustering_order") == .text("desc")
                clustering.append((position, .init(name: column, isReversed: isReversed)))
            default:
                // Compact tables without other columns have one that holds nothing and has no name for CQL.
                guard type != "empty", !type.hasSuffix("EmptyType'") else { continue }
                others.append(Column(column, Storage(type, fields), isStatic: kind == "static"))
            }
        }
        self.init(
            keyspace: keyspace,
            name: name,
            partitionKey: key.sorted { $0.position < $1.position }.map(\.name),
            clustering: clustering.sorted { $0.position < $1.position }.map(\.column),
            columns: others,
            defaultTimeToLive: defaultTimeToLive
        )
    }
}

extension LiveTable.Storage {
    /// How a type is kept, by its name in `system_schema.columns`; `fields` are those of the keyspace's types.
    init(_ type: String, _ fields: [String: [String]]) {
        // A name in quotes is the one of a user-defined type, whatever it looks like.
        var name = type
        if type.count > 1, type.hasPrefix("\""), type.hasSuffix("\"") {
            let inner = type.dropFirst().dropLast()
            name = inner.split(separator: "\"\"", omittingEmptySubsequences: false).joined(separator: "\"")
        } else if type.hasPrefix("list<") {
            self = .list
            return
        } else if type.hasPrefix("set<") {
            self = .set
            return
        } else if type.hasPrefix("map<") {
            self = .map
            return
        } else if type == "counter" {
            self = .counter
            return
        }
        self = fields[name].map { .userType($0) } ?? .cell
    }
}
