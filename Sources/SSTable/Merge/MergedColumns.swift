import CQLProtocol

/// The columns of several SSTables as those of one table.
///
/// A column is known by its name and by whether it has several cells: who drops a column and adds it again with another
/// type has two columns in the old files, as Cassandra sees it.
struct MergedColumns {
    let columns: TableColumns
    /// Of each SSTable where its columns stand among all.
    let places: [ColumnPlaces]

    init(_ tables: [SSTable]) throws(SSTableError) {
        guard let first = tables.first else {
            self.columns = TableColumns(partitionKey: [], clustering: [], statics: [], regulars: [])
            self.places = []
            return
        }
        for table in tables.dropFirst() {
            guard Self.types(table.header.partitionKey) == Self.types(first.header.partitionKey),
                Self.types(table.header.clustering) == Self.types(first.header.clustering),
                table.statistics.partitioner == first.statistics.partitioner
            else {
                throw SSTableError(
                    .unsupported,
                    table.name.path(.data),
                    "has another primary key or partitioner than \(first.name.path(.data))",
                    advice: "read the SSTables of one table at a time"
                )
            }
        }
        // Of two types of one column the one that was written last is right.
        let newestFirst = tables.sorted { $0.statistics.timestampMax > $1.statistics.timestampMax }
        let statics = Self.union(newestFirst.map(\.header.statics))
        let regulars = Self.union(newestFirst.map(\.header.regulars))
        self.columns = TableColumns(
            partitionKey: first.header.partitionKey,
            clustering: first.header.clustering,
            statics: statics,
            regulars: regulars
        )
        self.places = tables.map { table in
            ColumnPlaces(
                statics: Self.places(table.header.statics, in: statics),
                regulars: Self.places(table.header.regulars, in: regulars)
            )
        }
        try self.checkOrders(of: first)
    }

    private static func types(_ types: [ColumnType]) -> [[String]] {
        types.map { ["\($0.dataType)", "\($0.isReversed)", "\($0.fixedLength ?? -1)"] }
    }

    private struct Key: Hashable {
        let name: String
        let isMultiCell: Bool

        init(_ column: SerializationHeader.Column) {
            self.name = column.name
            self.isMultiCell = column.type.isMultiCell
        }

        /// The order of cells: simple columns first, then by the bytes of the name.
        func isBefore(_ other: Self) -> Bool {
            if self.isMultiCell != other.isMultiCell { return other.isMultiCell }
            return self.name.utf8.lexicographicallyPrecedes(other.name.utf8)
        }
    }

    private static func union(_ headers: [[SerializationHeader.Column]]) -> [SerializationHeader.Column] {
        var known: [Key: SerializationHeader.Column] = [:]
        for column in headers.joined() where known[Key(column)] == nil { known[Key(column)] = column }
        return known.sorted { $0.key.isBefore($1.key) }.map(\.value)
    }

    private static func places(
        _ columns: [SerializationHeader.Column],
        in all: [SerializationHeader.Column]
    ) -> [Int32] {
        var places: [Key: Int32] = [:]
        for (place, column) in all.enumerated() { places[Key(column)] = Int32(place) }
        return columns.map { places[Key($0)] ?? 0 }
    }

    /// Rows can be merged only in an order that is known.
    private func checkOrders(of table: SSTable) throws(SSTableError) {
        let path = table.name.path(.statistics)
        let advice = "read its SSTables one by one"
        guard table.isOrdered else {
            let partitioner = table.statistics.partitioner
            throw SSTableError(
                .unsupported,
                path,
                "partitions ordered by \(partitioner) cannot be merged",
                advice: advice
            )
        }
        let paths = (self.columns.statics + self.columns.regulars).filter(\.type.isMultiCell)
        let types = self.columns.clustering + paths.map(\.type)
        if let type = types.first(where: { !($0.isMultiCell ? $0.pathOrder : $0.order).isKnown }) {
            throw SSTableError(
                .unsupported,
                path,
                "the order of \(type) is not known, so that rows cannot be merged",
                advice: advice
            )
        }
    }
}

extension ColumnType {
    /// How the cells of one column are ordered.
    var pathOrder: ValueOrder {
        switch self.dataType {
        case .list: .timeuuid
        case .set(let element): ValueOrder(element)
        case .map(let key, _): ValueOrder(key)
        case .udt: .signed
        default: .unknown
        }
    }
}
