import CQLProtocol
import LiveTables
import NIOCore
import SSTable

extension StatementBuilder {
    /// Sorts the cells of a row into groups.
    func collect(_ row: TableRow, _ groups: inout RowGroups, _ result: inout Translation) {
        var index = 0
        var deletions = row.complexDeletions[...]
        while index < row.cells.count || !deletions.isEmpty {
            let cellPlace: Int32 = index < row.cells.count ? row.cells[index].column : .max
            let place = min(cellPlace, deletions.first?.column ?? .max)
            var end = index
            while end < row.cells.count, row.cells[end].column == place { end += 1 }
            let deletion = deletions.first?.column == place ? deletions.removeFirst().time : nil
            let column = self.columns.column(place, isStatic: row.isStatic)
            self.collect(row, row.cells[index..<end], column, deletion, &groups, &result)
            index = end
        }
    }

    private func collect(
        _ row: TableRow,
        _ cells: ArraySlice<Cell>,
        _ column: SerializationHeader.Column,
        _ deletion: DeletionTime?,
        _ groups: inout RowGroups,
        _ result: inout Translation
    ) {
        guard self.table.columns.contains(column.name) else { return }
        if column.type.dataType == .counter {
            result.unloadable.append(.init(reason: .counter, column: column.name))
            return
        }
        let wanted = cells.filter { self.isWanted($0.timestamp, &result) }
        let wantedDeletion = deletion.flatMap { self.isWanted($0.timestamp, &result) ? $0 : nil }
        guard column.type.isMultiCell else {
            for cell in wanted { self.simple(row, cell, column.name, &groups) }
            return
        }
        if case .list(let element) = column.type.dataType, !self.table.hasListIndexes {
            self.wholeList(row, wanted, column.name, element, wantedDeletion, &groups, &result)
            return
        }
        if let wantedDeletion { groups.delete(.column(column.name), [], timestamp: wantedDeletion.timestamp) }
        switch column.type.dataType {
        case .list: for cell in wanted { self.listElement(row, cell, column.name, &groups) }
        case .udt(_, _, let fields): for cell in wanted { self.field(row, cell, column.name, fields, &groups) }
        default: self.elements(row, wanted, column, &groups)
        }
    }

    /// The life that a cell has left; 0 for ever.
    private func timeLeft(_ cell: Cell) -> Int32 {
        cell.kind == .expiring ? RowGroups.timeLeft(until: cell.localDeletionTime, now: self.options.now) : 0
    }

    /// What has ended is as good as deleted, from its timestamp on.
    private func isGone(_ cell: Cell) -> Bool {
        cell.kind == .tombstone || cell.kind == .expiring && cell.localDeletionTime <= self.options.now
    }

    private func simple(_ row: TableRow, _ cell: Cell, _ name: String, _ groups: inout RowGroups) {
        if self.isGone(cell) {
            groups.delete(.column(name), [], timestamp: cell.timestamp)
        } else {
            let value = row.slice(cell.value)
            groups.write(.column(name), [value], timestamp: cell.timestamp, timeToLive: self.timeLeft(cell))
        }
    }

    private func listElement(_ row: TableRow, _ cell: Cell, _ name: String, _ groups: inout RowGroups) {
        // A list's element is not deleted by its place but written as null.
        let isGone = self.isGone(cell)
        groups.write(
            .listElement(name),
            [row.slice(cell.path), isGone ? nil : row.slice(cell.value)],
            timestamp: cell.timestamp,
            timeToLive: isGone ? 0 : self.timeLeft(cell)
        )
    }

    private func field(
        _ row: TableRow,
        _ cell: Cell,
        _ name: String,
        _ fields: [DataType.Field],
        _ groups: inout RowGroups
    ) {
        guard let path = row.slice(cell.path), let place = path.getInteger(at: path.readerIndex, as: Int16.self),
            fields.indices.contains(Int(place))
        else { return }
        let target = StatementTexts.Target.field(name, fields[Int(place)].name)
        if self.isGone(cell) {
            groups.delete(target, [], timestamp: cell.timestamp)
        } else {
            let value = row.slice(cell.value)
            groups.write(target, [value], timestamp: cell.timestamp, timeToLive: self.timeLeft(cell))
        }
    }

    /// Elements of a set or map: those of one timestamp and life as one collection that is added.
    private func elements(
        _ row: TableRow,
        _ cells: [Cell],
        _ column: SerializationHeader.Column,
        _ groups: inout RowGroups
    ) {
        let isMap = if case .map = column.type.dataType { true } else { false }
        var added = ElementGroups(elementsMax: self.options.elementsPerStatementMax)
        for cell in cells {
            let path = row.slice(cell.path) ?? ByteBuffer()
            if self.isGone(cell) {
                groups.delete(.element(column.name), [path], timestamp: cell.timestamp)
                continue
            }
            let parts = isMap ? [path, row.slice(cell.value) ?? ByteBuffer()] : [path]
            added.add(parts, timestamp: cell.timestamp, timeToLive: self.timeLeft(cell))
        }
        added.write(column.name, into: &groups)
    }

    /// A list as a whole, with the timestamp and life of its newest element: it replaces what is older.
    private func wholeList(
        _ row: TableRow,
        _ cells: [Cell],
        _ name: String,
        _ element: DataType,
        _ deletion: DeletionTime?,
        _ groups: inout RowGroups,
        _ result: inout Translation
    ) {
        let there = cells.filter { !self.isGone($0) }
        guard let newest = there.max(by: { $0.timestamp < $1.timestamp }) else {
            let gone = cells.map(\.timestamp).max() ?? .min
            let timestamp = max(gone, deletion?.timestamp ?? .min)
            if timestamp > .min { groups.delete(.column(name), [], timestamp: timestamp) }
            return
        }
        if there.contains(where: {
            $0.timestamp != newest.timestamp || $0.localDeletionTime != newest.localDeletionTime
        }) {
            result.flattenedLists += 1
        }
        var value = ByteBuffer(integer: Int32(there.count))
        for cell in there { value.writeElement(row.slice(cell.value) ?? ByteBuffer()) }
        let time = WholeList.timestamp(
            newest: newest.timestamp,
            attempt: self.options.attempt,
            ceiling: self.options.ceiling,
            deletion: max(self.coveringDeletion, row.deletion.isLive ? .min : row.deletion.timestamp)
        )
        groups.write(
            .column(name),
            [value],
            timestamp: time,
            timeToLive: self.timeLeft(newest),
            isIdempotent: false
        )
    }
}
