/// A row as a read sees it: the keys, the partition's statics and its own cells at one moment.
struct ReadRow {
    let partition: Partition
    /// `nil` where the partition has nothing but statics.
    let row: StoredRow?
    /// Seconds since 1970.
    let seconds: Int64

    /// The value of a column; `nil` is null.
    func value(_ column: Column) -> Bytes? {
        switch column.kind {
        case .partitionKey: self.partition.key[column.position]
        case .clustering: self.row?.clustering[column.position]
        case .static: self.partition.staticRow.columns[column.name]?.value(of: column.type, at: self.seconds)
        case .regular: self.row?.columns[column.name]?.value(of: column.type, at: self.seconds)
        }
    }

    /// The live cell of a column that is stored in one.
    func cell(_ column: Column) -> Cell? {
        guard let cell = self.state(column)?.cells[[]], cell.isLive(at: self.seconds) else { return nil }
        return cell
    }

    /// The cells of a column that is no key.
    func state(_ column: Column) -> ColumnState? {
        switch column.kind {
        case .partitionKey, .clustering: nil
        case .static: self.partition.staticRow.columns[column.name]
        case .regular: self.row?.columns[column.name]
        }
    }
}
