import CQLProtocol
import NIOCore

/// Makes one row of the rows that several SSTables have at one place (Cassandra's `Row.Merger`).
///
/// What a deletion of the partition, of a range, of the row or of a collection covers is left out. Deletions that another
/// one covers are left out, too.
struct RowMerger {
    private struct Column {
        let pathOrder: ValueOrder?
        let isCounter: Bool

        init(_ column: SerializationHeader.Column) {
            self.pathOrder = column.type.isMultiCell ? column.type.pathOrder : nil
            self.isCounter = column.type.dataType == .counter
        }
    }

    private let statics: [Column]
    private let regulars: [Column]

    init(_ columns: TableColumns) {
        self.statics = columns.statics.map { Column($0) }
        self.regulars = columns.regulars.map { Column($0) }
    }

    /// Whether a row that stands alone is already what merging would make of it.
    static func isFinished(_ row: TableRow, under deletion: DeletionTime) -> Bool {
        deletion.isLive && row.deletion.isLive && row.complexDeletions.isEmpty
    }

    /// Makes `merged` the sum of `rows`, which are not empty and have one clustering, under the deletion that is open there.
    func merge(_ rows: [TableRow], under deletion: DeletionTime, into merged: inout TableRow) {
        merged.clear()
        merged.isStatic = rows[0].isStatic
        merged.clustering = rows[0].clustering
        merged.bytes = rows.count == 1 ? rows[0].bytes : ByteBuffer()
        var starts: [Int] = [0]
        if rows.count > 1 {
            merged.bytes.reserveCapacity(rows.reduce(0) { $0 + $1.bytes.readableBytes })
            for row in rows {
                merged.bytes.writeImmutableBuffer(row.bytes)
                starts.append(merged.bytes.readableBytes)
            }
        }
        for row in rows {
            if row.liveness.supersedes(merged.liveness) { merged.liveness = row.liveness }
            let isFirm = row.deletion == merged.deletion && !row.isDeletionShadowable
            if row.deletion.supersedes(merged.deletion) || isFirm {
                merged.deletion = row.deletion
                merged.isDeletionShadowable = row.isDeletionShadowable
            }
        }
        if merged.isDeletionShadowable, merged.liveness.timestamp > merged.deletion.timestamp {
            merged.deletion = .live
        }
        if !merged.deletion.supersedes(deletion) { merged.deletion = .live }
        if merged.deletion.isLive { merged.isDeletionShadowable = false }
        let deletion = DeletionTime.later(deletion, merged.deletion)
        if deletion.deletes(merged.liveness.timestamp) { merged.liveness = .none }
        self.mergeComplexDeletions(rows, under: deletion, into: &merged)
        self.mergeCells(rows, starts, under: deletion, into: &merged)
    }

    private func mergeComplexDeletions(_ rows: [TableRow], under deletion: DeletionTime, into merged: inout TableRow) {
        for row in rows {
            for complex in row.complexDeletions where complex.time.supersedes(deletion) {
                let index = merged.complexDeletions.firstIndex { $0.column >= complex.column }
                if let index, merged.complexDeletions[index].column == complex.column {
                    let later = DeletionTime.later(merged.complexDeletions[index].time, complex.time)
                    merged.complexDeletions[index] = .init(column: complex.column, time: later)
                } else {
                    merged.complexDeletions.insert(complex, at: index ?? merged.complexDeletions.count)
                }
            }
        }
    }

    private func mergeCells(
        _ rows: [TableRow],
        _ starts: [Int],
        under deletion: DeletionTime,
        into merged: inout TableRow
    ) {
        let columns = merged.isStatic ? self.statics : self.regulars
        var places = [Int](repeating: 0, count: rows.count)
        var complex = merged.complexDeletions[...]
        while let first = self.lowest(rows, places, columns) {
            let cell = rows[first].cells[places[first]]
            var winner = Self.moved(cell, by: starts[first])
            let column = columns[Int(cell.column)]
            for index in rows.indices where index > first && places[index] < rows[index].cells.count {
                let other = rows[index].cells[places[index]]
                guard other.column == cell.column else { continue }
                if let order = column.pathOrder {
                    guard Self.compare(order, rows[index], other, rows[first], cell) == 0 else { continue }
                }
                places[index] += 1
                let moved = Self.moved(other, by: starts[index])
                winner = Self.reconciled(winner, moved, isCounter: column.isCounter, &merged.bytes)
            }
            places[first] += 1
            while let next = complex.first, next.column < cell.column { complex.removeFirst() }
            let isCollectionDeleted =
                complex.first.map { $0.column == cell.column && $0.time.deletes(winner.timestamp) } ?? false
            if !isCollectionDeleted, !deletion.deletes(winner.timestamp) { merged.cells.append(winner) }
        }
    }

    /// The row whose next cell comes first.
    private func lowest(_ rows: [TableRow], _ places: [Int], _ columns: [Column]) -> Int? {
        var lowest: Int?
        for index in rows.indices where places[index] < rows[index].cells.count {
            guard let best = lowest else {
                lowest = index
                continue
            }
            let (cell, bestCell) = (rows[index].cells[places[index]], rows[best].cells[places[best]])
            if cell.column != bestCell.column {
                if cell.column < bestCell.column { lowest = index }
            } else if let order = columns[Int(cell.column)].pathOrder,
                Self.compare(order, rows[index], cell, rows[best], bestCell) < 0
            {
                lowest = index
            }
        }
        return lowest
    }

    private static func compare(_ order: ValueOrder, _ left: TableRow, _ a: Cell, _ right: TableRow, _ b: Cell) -> Int {
        left.bytes.withUnsafeReadableBytes { left in
            right.bytes.withUnsafeReadableBytes { right in
                order.compare(left.part(a.path), right.part(b.path))
            }
        }
    }

    private static func moved(_ cell: Cell, by start: Int) -> Cell {
        start == 0 ? cell : cell.moved(path: cell.path.moved(by: start), value: cell.value.moved(by: start))
    }

    private static func reconciled(_ left: Cell, _ right: Cell, isCounter: Bool, _ bytes: inout ByteBuffer) -> Cell {
        guard isCounter else {
            let (copy, empty) = (bytes, ByteBuffer())
            let isAhead = Reconciliation.isAhead(
                left,
                copy.slice(left.value) ?? empty,
                right,
                copy.slice(right.value) ?? empty
            )
            return isAhead ? left : right
        }
        return Self.counter(left, right, &bytes)
    }

    /// A deletion of a counter wins whatever its timestamp (CASSANDRA-7346); counts are added up by node.
    private static func counter(_ left: Cell, _ right: Cell, _ bytes: inout ByteBuffer) -> Cell {
        let (isLeftDeleted, isRightDeleted) = (left.kind == .tombstone, right.kind == .tombstone)
        if isLeftDeleted && isRightDeleted { return left.timestamp >= right.timestamp ? left : right }
        if isLeftDeleted || isRightDeleted { return isLeftDeleted ? left : right }
        let newer = left.timestamp >= right.timestamp ? left : right
        guard let a = bytes.slice(left.value).flatMap({ CounterContext($0) }),
            let b = bytes.slice(right.value).flatMap({ CounterContext($0) })
        else { return newer }
        let merged = a.merged(with: b).bytes
        let start = bytes.readableBytes
        bytes.writeImmutableBuffer(merged)
        return newer.moved(path: newer.path, value: ByteRange(start: start, count: merged.readableBytes))
    }
}

extension ByteRange {
    fileprivate func moved(by count: Int) -> Self {
        self.isNull ? self : Self(start: Int(self.start) + count, count: Int(self.count))
    }
}

extension UnsafeRawBufferPointer {
    /// A part; no bytes for null.
    func part(_ range: ByteRange) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[Int(range.start)..<Int(range.start + Swift.max(0, range.count))])
    }
}
