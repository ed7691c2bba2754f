import CQLProtocol
import CQLSyntax

/// `WRITETIME`, `MAXWRITETIME` and `TTL`: of columns, and as on Cassandra from 5.0 on of elements and fields, too.
extension SelectorEvaluator {
    /// Whether a selector stands for a column with several cells, so that its times are lists.
    func isManyCells(_ selector: Selector) throws -> Bool {
        guard case .column(let name) = selector else { return false }
        return try self.column(name).type.isComplex
    }

    /// The time of the one cell, or a list of all cells' times in the order of the value.
    func times(of selector: Selector, _ row: ReadRow, _ time: (Cell) -> Bytes?) throws -> Bytes? {
        let cells = try self.timedCells(selector, row)
        guard try self.isManyCells(selector) else { return cells.first.flatMap { $0.flatMap(time) } }
        guard !cells.isEmpty else { return nil }
        return .collection(count: cells.count, cells.map { $0.flatMap(time) })
    }

    /// The live cells of a selector in the order of its value; nil for fields without one.
    func timedCells(_ selector: Selector, _ row: ReadRow) throws -> [Cell?] {
        switch selector {
        case .column(let name):
            let column = try self.column(name)
            guard column.type.isComplex else { return [row.cell(column)] }
            let live = row.state(column)?.elements(of: column.type, at: row.seconds) ?? []
            guard case .udt(_, _, let fields) = column.type, !live.isEmpty else { return live.map(\.cell) }
            return fields.indices.map { index in
                live.first { $0.path == UInt16(truncatingIfNeeded: index).bytes }?.cell
            }
        case .field(.column(let name), let field):
            let column = try self.column(name)
            guard case .udt(_, _, let fields) = column.type.thawed,
                let index = fields.firstIndex(where: { $0.name == field })
            else { throw NodeError.invalid("Invalid field selection: it has no field \(field)") }
            guard column.type.isComplex else { return [row.cell(column)] }
            return [row.element(column, UInt16(truncatingIfNeeded: index).bytes)]
        case .element(.column(let name), let key):
            let column = try self.column(name)
            guard case .map(let type, _) = column.type.thawed.asMap else {
                throw NodeError.invalid("Invalid element selection: \(name) is not a map or a set")
            }
            guard column.type.isComplex else { return [row.cell(column)] }
            return [try self.value(of: key, as: type, row).flatMap { row.element(column, $0) }]
        default: throw NodeError.unsupported("the times of an expression")
        }
    }

    /// Refuses what has no time, and what the version does not know.
    func check(_ selector: Selector) throws {
        switch selector {
        case .writeTime(let inner): try self.check("writeTime", of: inner)
        case .timeToLive(let inner): try self.check("ttl", of: inner)
        case .maxWriteTime(let inner):
            guard self.bindings.hasElementTimes else { throw NodeError.invalid("Unknown function 'maxwritetime'") }
            try self.check("maxwritetime", of: inner)
        case .function(_, let arguments): for argument in arguments { try self.check(argument) }
        default: break
        }
    }

    private func check(_ what: String, of selector: Selector) throws {
        let isNew = self.bindings.hasElementTimes
        guard case .column(let name) = selector else {
            guard isNew else { throw NodeError(.syntaxError, "no viable alternative at input: \(what) takes a column") }
            return
        }
        let column = try self.column(name)
        guard column.position < 0 else {
            throw NodeError.invalid("Cannot use selection function \(what) on PRIMARY KEY part \(name)")
        }
        guard isNew || !column.type.isComplex else {
            throw NodeError.invalid(
                "Cannot use selection function \(what) on non-frozen \(column.type.description) \(name)"
            )
        }
    }
}

extension ReadRow {
    /// The live cell of one element or field of a column.
    fileprivate func element(_ column: Column, _ path: Bytes) -> Cell? {
        guard let cell = self.state(column)?.cells[path], cell.isLive(at: self.seconds) else { return nil }
        return cell
    }
}

extension ValueType {
    /// A map as it is, a set as a map from its elements; other types as they are.
    fileprivate var asMap: ValueType {
        if case .set(let element) = self { return .map(element, element) }
        return self
    }
}
