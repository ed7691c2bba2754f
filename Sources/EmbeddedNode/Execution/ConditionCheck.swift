import CQLProtocol
import CQLSyntax

/// The IF clause of one write, with the row that it looks at.
struct ConditionCheck {
    let table: Table
    let clause: ConditionClause
    let key: [Bytes]
    /// `nil` where only statics are asked.
    let clustering: [Bytes]?
    let bindings: Bindings

    private var seconds: Int64 { self.bindings.now / 1_000_000 }

    /// The row as it is; `nil` where there is none.
    var current: ReadRow? {
        guard let partition = self.table.existingPartition(self.key) else { return nil }
        let row = self.clustering.flatMap { partition.row($0, in: self.table) }
        let live = row.flatMap { $0.isLive(at: self.seconds) ? $0 : nil }
        guard live != nil || (self.readsStatics && partition.staticRow.isLive(at: self.seconds)) else { return nil }
        return ReadRow(partition: partition, row: live, seconds: self.seconds)
    }

    /// Statics alone answer a condition on statics, and one on a row that is named by its partition.
    private var readsStatics: Bool {
        if self.clustering == nil { return true }
        guard case .columns(let conditions) = self.clause.kind else { return false }
        return conditions.contains { self.table.column($0.part.column)?.kind == .static }
    }

    func holds() throws -> Bool {
        let current = self.current
        switch self.clause.kind {
        case .exists: return current != nil
        case .notExists: return current == nil
        case .columns(let conditions):
            for condition in conditions where try !self.holds(condition, current) { return false }
            return true
        }
    }

    /// The columns that a refusal shows.
    var shownColumns: [Column] {
        switch self.clause.kind {
        case .notExists: return self.table.columns
        case .exists: return []
        case .columns(let conditions):
            let names = Set(conditions.map(\.part.column))
            return self.table.columns.filter { names.contains($0.name) }
        }
    }

    private func holds(_ condition: ColumnCondition, _ row: ReadRow?) throws -> Bool {
        guard let column = self.table.column(condition.part.column) else {
            throw NodeError.invalid(
                "Undefined column name \(condition.part.column) in table \(self.table.keyspace).\(self.table.name)"
            )
        }
        guard column.kind == .static || column.kind == .regular else {
            throw NodeError.invalid("PRIMARY KEY column '\(column.name)' cannot have IF conditions")
        }
        let (type, value) = try self.part(condition.part, column, row)
        switch condition.test {
        case .compare(let sign, let term):
            let wanted = try self.bindings.evaluate(term, as: type, for: column.name)
            guard wanted != .unset else { throw NodeError.invalid("Invalid 'unset' value in condition") }
            return try Self.compare(value, sign, wanted.bytes, type, column.name)
        case .isIn(.list(let terms)):
            for term in terms {
                let wanted = try self.bindings.evaluate(term, as: type, for: column.name).bytes
                if try Self.compare(value, .equal, wanted, type, column.name) { return true }
            }
            return false
        case .isIn(.marker(let marker)):
            let list = try self.bindings.required(.marker(marker), as: .list(type), for: column.name)
            for wanted in list.parts(from: 4) ?? [] where try Self.compare(value, .equal, wanted, type, column.name) {
                return true
            }
            return false
        }
    }

    /// Type and value of what a condition looks at.
    private func part(_ part: ColumnPart, _ column: Column, _ row: ReadRow?) throws -> (ValueType, Bytes?) {
        let whole = row?.value(column)
        switch (part, column.type.thawed) {
        case (.column, _):
            // An empty collection and no collection are the same.
            return (column.type, whole)
        case (.element(_, let key), .list(let element)):
            let index = Int(try self.bindings.required(key, as: .int, for: "idx(\(column.name))").int64)
            let parts = whole?.parts(from: 4) ?? []
            return (element, parts.indices.contains(index) ? parts[index] : nil)
        case (.element(_, let key), .map(let keyType, let value)):
            let wanted = try self.bindings.required(key, as: keyType, for: "key(\(column.name))")
            return (value, Elements.entry(wanted, of: whole, keyType))
        case (.field(_, let name), .udt(_, _, let fields)):
            guard let index = fields.firstIndex(where: { $0.name == name }) else {
                throw NodeError.invalid("Unknown field \(name) for column \(column.name)")
            }
            let parts = whole?.parts(from: 0) ?? []
            return (fields[index].type, parts.indices.contains(index) ? parts[index] : nil)
        default: throw NodeError.invalid("Invalid element access syntax for column \(column.name)")
        }
    }

    private static func compare(
        _ value: Bytes?,
        _ sign: ComparisonOperator,
        _ wanted: Bytes?,
        _ type: ValueType,
        _ name: String
    ) throws -> Bool {
        let isEmpty = type.isComplex && !Self.isUserType(type) && wanted == .collection(count: 0, [])
        let wanted = isEmpty ? nil : wanted
        switch sign {
        case .equal:
            return value == nil || wanted == nil ? value == wanted : Predicate.matches(value, sign, wanted, type)
        case .notEqual:
            return value == nil || wanted == nil ? value != wanted : Predicate.matches(value, sign, wanted, type)
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            guard wanted != nil else {
                throw NodeError.invalid("Invalid comparison with null for operator on column \(name)")
            }
            return Predicate.matches(value, sign, wanted, type)
        case .contains, .containsKey, .like: throw NodeError.unsupported("CONTAINS in a condition")
        }
    }

    private static func isUserType(_ type: ValueType) -> Bool {
        if case .udt = type { return true }
        return false
    }
}
