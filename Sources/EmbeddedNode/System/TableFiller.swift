/// A value of a system table.
enum FillerValue {
    case bytes(Bytes)
    case text(String)
    case integer(Int32)
    /// A list or set, in this order.
    case texts([String])
    case textMap([(key: String, value: String)])

    var bytes: Bytes {
        switch self {
        case .bytes(let bytes): bytes
        case .text(let text): Bytes(text.utf8)
        case .integer(let number): number.bytes
        case .texts(let texts): .collection(count: texts.count, texts.map { Bytes($0.utf8) })
        case .textMap(let entries):
            .collection(count: entries.count, entries.flatMap { [Bytes($0.key.utf8), Bytes($0.value.utf8)] })
        }
    }
}

/// Fills a copy of a system table.
struct TableFiller {
    let table: Table

    init(_ definition: Table) {
        self.table = Table(
            keyspace: definition.keyspace,
            name: definition.name,
            id: definition.id,
            columns: definition.columns,
            options: definition.options
        )
    }

    /// Adds a row of the columns that the table has; others are left out.
    mutating func row(_ values: [String: FillerValue]) {
        func key(_ columns: [Column]) -> [Bytes] { columns.map { values[$0.name]?.bytes ?? [] } }
        let row = key(self.table.clustering)
        var mutation = Mutation(table: self.table, key: key(self.table.partitionKey))
        let writer = CellWriter(timestamp: 1, timeToLive: 0, seconds: 0, now: 1)
        mutation.changes.append(.mark(row, writer.cell([])))
        for column in self.table.columns where column.kind == .regular {
            guard let value = values[column.name] else { continue }
            writer.set(column, value.bytes, row: row, &mutation)
        }
        mutation.apply(at: 0)
    }
}
