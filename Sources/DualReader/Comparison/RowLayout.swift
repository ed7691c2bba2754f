import LiveTables

/// Where in the rows of a ``LiveSelect`` what stands, and what of them must be equal byte for byte.
struct RowLayout: Sendable, Hashable {
    /// How two cells of one place in two rows are compared before anybody looks at their types.
    enum Cell: Sendable, Hashable {
        /// By their bytes.
        case exact
        /// Seconds that were left when the row was read.
        case life
        /// Not at all.
        case ignored
    }

    let select: LiveSelect
    let keyCount: Int
    let clusteringEnd: Int
    /// By the places of the selected columns.
    let cells: [Cell]

    init(_ select: LiveSelect, _ rules: ComparisonRules) {
        self.select = select
        self.keyCount = select.table.partitionKey.count
        self.clusteringEnd = self.keyCount + select.table.clustering.count
        var cells = [Cell](repeating: .exact, count: self.clusteringEnd)
        for (column, times) in zip(select.table.columns, select.times) {
            cells.append(.exact)
            let isCompared = column.storage != .list || rules.comparesListTimes
            let writetime: Cell = isCompared && rules.comparesWritetimes ? .exact : .ignored
            // Lives of elements come as one list: where that differs by a second, somebody has to look into it.
            let life: Cell =
                !isCompared || !rules.comparesTimeToLive ? .ignored : column.storage == .cell ? .life : .exact
            for _ in 0..<(LiveSelect.width(times) / 2) { cells += [writetime, life] }
        }
        self.cells = cells
    }

    /// The place of a column among the cells; nil where there is no such column.
    func place(of column: String) -> Int? {
        let table = self.select.table
        if let place = table.partitionKey.firstIndex(of: column) { return place }
        if let place = table.clustering.firstIndex(where: { $0.name == column }) { return self.keyCount + place }
        var place = self.clusteringEnd
        for (other, times) in zip(table.columns, self.select.times) {
            if other.name == column { return place }
            place += 1 + LiveSelect.width(times)
        }
        return nil
    }
}
