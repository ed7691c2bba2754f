/// `USING TIMESTAMP … AND TTL …`.
public struct UsingClause: Sendable, Hashable {
    /// The timestamp in microseconds.
    public let timestamp: Term?
    /// The time to live in seconds.
    public let timeToLive: Term?
    /// How long the coordinator waits, on ScyllaDB.
    public let timeout: Term?
    /// From `USING` to the last byte of the clause.
    public let range: SourceRange
}

/// A column, or a part of one.
public enum ColumnPart: Sendable, Hashable {
    case column(String)
    /// `map[key]`, `list[index]`, `set[value]`.
    case element(column: String, Term)
    /// `user.field`.
    case field(column: String, String)

    /// The column that the part belongs to.
    public var column: String {
        switch self {
        case .column(let column), .element(let column, _), .field(let column, _): column
        }
    }
}

/// One element of `SET`.
public enum Assignment: Sendable, Hashable {
    /// `part = term`.
    case assign(ColumnPart, Term)
    /// `c = c + term` and `c += term`: counter, list append, set or map union.
    case add(column: String, Term)
    /// `c = c - term` and `c -= term`.
    case subtract(column: String, Term)
    /// `c = term + c`: list prepend.
    case prepend(column: String, Term)

    /// The column that is written.
    public var column: String {
        switch self {
        case .assign(let part, _): part.column
        case .add(let column, _), .subtract(let column, _), .prepend(let column, _): column
        }
    }
}

/// One condition behind `IF`.
public struct ColumnCondition: Sendable, Hashable {
    /// The test.
    public enum Test: Sendable, Hashable {
        case compare(ComparisonOperator, Term)
        case isIn(InValues)
    }

    /// What is tested.
    public let part: ColumnPart
    /// The test.
    public let test: Test
}

/// An `IF` clause.
public struct ConditionClause: Sendable, Hashable {
    /// The kinds of `IF`.
    public enum Kind: Sendable, Hashable {
        case exists
        case notExists
        case columns([ColumnCondition])
    }

    /// What is required.
    public let kind: Kind
    /// From `IF` to the last byte of the clause.
    public let range: SourceRange
}

/// `INSERT`.
public struct InsertStatement: Sendable, Hashable {
    /// What is inserted.
    public enum Source: Sendable, Hashable {
        /// `(columns) VALUES (terms)`, of equal length.
        case values(columns: [String], [Term])
        /// `JSON term [DEFAULT UNSET]`.
        case json(Term, defaultUnset: Bool)
    }

    /// The table.
    public let table: QualifiedName
    /// What is inserted.
    public let source: Source
    /// `IF NOT EXISTS`.
    public let condition: ConditionClause?
    /// `USING`.
    public let using: UsingClause?
}

/// `UPDATE`.
public struct UpdateStatement: Sendable, Hashable {
    /// The table.
    public let table: QualifiedName
    /// `USING`.
    public let using: UsingClause?
    /// `SET`.
    public let assignments: [Assignment]
    /// `WHERE`.
    public let relations: [Relation]
    /// `IF`.
    public let condition: ConditionClause?
}

/// `DELETE`.
public struct DeleteStatement: Sendable, Hashable {
    /// What is deleted; empty for whole rows.
    public let parts: [ColumnPart]
    /// The table.
    public let table: QualifiedName
    /// `USING TIMESTAMP`.
    public let using: UsingClause?
    /// `WHERE`.
    public let relations: [Relation]
    /// `IF`.
    public let condition: ConditionClause?
}

/// A statement of a `BATCH`: insert, update or delete.
public struct BatchChild: Sendable, Hashable {
    /// The statement.
    public let statement: Statement
    /// The statement's bytes, without the semicolon.
    public let range: SourceRange
}

/// `BEGIN BATCH … APPLY BATCH`.
public struct BatchStatement: Sendable, Hashable {
    /// The type.
    public enum Kind: Sendable, Hashable {
        case logged, unlogged, counter
    }

    /// The type.
    public let kind: Kind
    /// `USING TIMESTAMP`.
    public let using: UsingClause?
    /// The statements.
    public let children: [BatchChild]
}
