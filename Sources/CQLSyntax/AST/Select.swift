/// An expression in the projection or in `GROUP BY`.
public indirect enum Selector: Sendable, Hashable {
    case column(String)
    /// `COUNT(*)` and `COUNT(1)`.
    case countRows
    case writeTime(Selector)
    case maxWriteTime(Selector)
    case timeToLive(Selector)
    case cast(Selector, CQLType)
    /// Functions and aggregates, `token` and `count(column)` included.
    case function(QualifiedName, [Selector])
    /// `user.field`.
    case field(Selector, String)
    /// `map['key']`.
    case element(Selector, Selector)
    /// `map[from..to]`.
    case slice(Selector, Selector?, Selector?)
    /// A literal, `NULL` or marker.
    case term(Term)
    case typeHint(CQLType, Selector)
    case arithmetic(Selector, ArithmeticOperator, Selector)
    case negated(Selector)
    case tuple([Selector])
    case list([Selector])
    case set([Selector])
    case map([SelectorMapEntry])
    case userType([SelectorFieldEntry])
}

/// A key and a value of a map made of selectors.
public struct SelectorMapEntry: Sendable, Hashable {
    /// The key.
    public let key: Selector
    /// The value.
    public let value: Selector
}

/// A field and its value in a user-defined type made of selectors.
public struct SelectorFieldEntry: Sendable, Hashable {
    /// The field.
    public let name: String
    /// The value.
    public let value: Selector
}

/// One column of the result.
public struct SelectItem: Sendable, Hashable {
    /// What is computed.
    public let selector: Selector
    /// `AS alias`.
    public let alias: String?
    /// The selector's bytes, without the alias.
    public let range: SourceRange
}

/// `column ASC|DESC`.
public struct ColumnOrder: Sendable, Hashable {
    /// The column.
    public let column: String
    /// Whether `DESC` was given.
    public let isDescending: Bool
    /// Cassandra 5: `ORDER BY column ANN OF term`.
    public let nearestTo: Term?
}

/// `SELECT`.
public struct SelectStatement: Sendable, Hashable {
    /// What the result holds.
    public enum Projection: Sendable, Hashable {
        case all
        case items([SelectItem])
    }

    /// `SELECT JSON`.
    public let isJSON: Bool
    /// `SELECT DISTINCT`.
    public let isDistinct: Bool
    /// The columns of the result.
    public let projection: Projection
    /// The table or view.
    public let table: QualifiedName
    /// `WHERE`, joined by `AND`.
    public let relations: [Relation]
    /// `GROUP BY`.
    public let groupBy: [Selector]
    /// `ORDER BY`.
    public let orderBy: [ColumnOrder]
    /// `PER PARTITION LIMIT`.
    public let perPartitionLimit: Term?
    /// `LIMIT`.
    public let limit: Term?
    /// `ALLOW FILTERING`.
    public let allowFiltering: Bool
}
