/// Operators of relations and conditions, `IN` and `IS NOT NULL` apart.
public enum ComparisonOperator: Sendable, Hashable {
    case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
    case contains, containsKey, like
}

/// The right side of `IN`.
public enum InValues: Sendable, Hashable {
    /// `IN (a, b)`; the terms are tuples where the left side is one.
    case list([Term])
    /// `IN ?`: one marker holds the list.
    case marker(BindMarker)
}

/// One condition of a `WHERE` clause.
public enum Relation: Sendable, Hashable {
    case comparison(column: String, ComparisonOperator, Term)
    case isIn(column: String, InValues)
    case isNotNull(column: String)
    /// `map['key'] = value`.
    case element(column: String, key: Term, ComparisonOperator, Term)
    /// `token(a, b) > term`.
    case token(columns: [String], ComparisonOperator, Term)
    /// `(a, b) > term`, where the term is a tuple or a marker.
    case tuple(columns: [String], ComparisonOperator, Term)
    case tupleIn(columns: [String], InValues)
    /// `expr(index, term)`.
    case customIndex(QualifiedName, Term)
}
