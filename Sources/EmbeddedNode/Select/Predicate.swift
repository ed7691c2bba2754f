import CQLSyntax

/// What a row must fulfil.
enum Predicate {
    case compare(Column, ComparisonOperator, Bytes)
    case isIn(Column, [Bytes])
    case entry(Column, key: Bytes, ComparisonOperator, Bytes)
    case tuple([Column], ComparisonOperator, [Bytes])
    case tupleIn([Column], [[Bytes]])

    /// The columns that it looks at.
    var columns: [Column] {
        switch self {
        case .compare(let column, _, _), .isIn(let column, _), .entry(let column, _, _, _): [column]
        case .tuple(let columns, _, _), .tupleIn(let columns, _): columns
        }
    }

    func holds(_ row: ReadRow) -> Bool {
        switch self {
        case .compare(let column, let sign, let wanted):
            return Self.matches(row.value(column), sign, wanted, column.type)
        case .isIn(let column, let values):
            guard let value = row.value(column) else { return false }
            return values.contains { column.type.compare(value, $0) == 0 }
        case .entry(let column, let key, let sign, let wanted):
            guard case .map(let keyType, let valueType) = column.type.thawed else { return false }
            return Self.matches(Elements.entry(key, of: row.value(column), keyType), sign, wanted, valueType)
        case .tuple(let columns, let sign, let wanted):
            guard let order = Self.order(columns, row, wanted) else { return false }
            return Self.holds(sign, order)
        case .tupleIn(let columns, let values): return values.contains { Self.order(columns, row, $0) == 0 }
        }
    }

    private static func order(_ columns: [Column], _ row: ReadRow, _ wanted: [Bytes]) -> Int? {
        for (column, wanted) in zip(columns, wanted) {
            guard let value = row.value(column) else { return nil }
            let order = column.type.compare(value, wanted)
            if order != 0 { return order }
        }
        return 0
    }

    /// Whether a value fulfils a comparison; null fulfils none.
    static func matches(_ value: Bytes?, _ sign: ComparisonOperator, _ wanted: Bytes?, _ type: ValueType) -> Bool {
        guard let value, let wanted else { return false }
        switch (sign, type.thawed) {
        case (.contains, .list(let element)), (.contains, .set(let element)):
            return (value.parts(from: 4) ?? []).contains { $0.map { element.compare($0, wanted) == 0 } ?? false }
        case (.contains, .map(_, let element)): return self.holds(element, wanted, in: value, every: 1)
        case (.containsKey, .map(let key, _)): return self.holds(key, wanted, in: value, every: 0)
        case (.contains, _), (.containsKey, _), (.like, _): return false
        default: return self.holds(sign, type.compare(value, wanted))
        }
    }

    private static func holds(_ type: ValueType, _ wanted: Bytes, in map: Bytes, every offset: Int) -> Bool {
        (map.parts(from: 4) ?? []).enumerated().contains {
            $0.offset % 2 == offset && $0.element.map { type.compare($0, wanted) == 0 } ?? false
        }
    }

    static func holds(_ sign: ComparisonOperator, _ order: Int) -> Bool {
        switch sign {
        case .equal: order == 0
        case .notEqual: order != 0
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        case .greaterOrEqual: order >= 0
        case .contains, .containsKey, .like: false
        }
    }
}
