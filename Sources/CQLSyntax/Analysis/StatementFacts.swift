/// What a statement does.
public enum StatementKind: Sendable, Hashable {
    case select, insert, update, delete, batch, truncate, use
    case ddl(SchemaChange)
    /// CREATE, ALTER, DROP of roles and users, GRANT, REVOKE.
    case roleOrPermission
    case list
    case describe
    case unknown

    /// INSERT, UPDATE, DELETE, BATCH.
    public var isWrite: Bool {
        switch self {
        case .insert, .update, .delete, .batch: true
        default: false
        }
    }
}

/// A schema change.
public struct SchemaChange: Sendable, Hashable {
    /// The verb.
    public enum Action: Sendable, Hashable {
        case create, alter, drop
    }

    /// The kind of thing that is changed.
    public enum Object: Sendable, Hashable {
        case keyspace, table, type, index, view, function, aggregate, trigger
    }

    /// The verb.
    public let action: Action
    /// What is changed.
    public let object: Object
}

/// A bind marker and what it is used for.
public struct MarkerUse: Sendable, Hashable {
    /// What the value means.
    public enum Role: Sendable, Hashable {
        /// A value in INSERT's list or UPDATE's SET; for INSERT it may well be part of the key.
        case value
        /// Right side of `column = ?` in WHERE: a key, if the schema says so.
        case keyEquality
        /// Right side of `column IN ?` or inside `IN (…)`.
        case keyIn
        /// Any other place in WHERE: ranges, CONTAINS, LIKE, token(), tuples.
        case restriction
        /// Inside the IF clause.
        case condition
        case timestamp
        case timeToLive
        case limit
        case perPartitionLimit
        /// Index or key of a collection's element in SET, DELETE or a selector.
        case elementKey
        /// The document of INSERT JSON.
        case json
        /// In the projection.
        case selector
        /// The place is not known.
        case other
    }

    /// Position in the values of EXECUTE.
    public let index: Int
    /// Name of a `:name` marker.
    public let name: String?
    /// What the value means.
    public let role: Role
    /// The column that it belongs to.
    public let column: String?
    /// The value is the marker's own: not inside a function call, literal or expression.
    public let isDirect: Bool
    /// The marker's bytes.
    public let range: SourceRange
}

/// A call of a function.
public struct FunctionUse: Sendable, Hashable {
    /// The function.
    public let name: QualifiedName
    /// The bytes of the call, name to closing parenthesis; in a projection those of the whole selector.
    public let range: SourceRange
    /// The result differs from call to call, or the function is not one of Cassandra's own.
    public let isNonDeterministic: Bool
    /// The column that the value is written to or compared with.
    public let column: String?
    /// How many calls this one is nested in.
    public let depth: Int
}

/// What a `SELECT` asks for, so far as virtual tables and the comparison of rows need it.
public struct Selection: Sendable, Hashable {
    /// A column of the result.
    public struct Item: Sendable, Hashable {
        /// The column, or nil for `count(*)`, functions and other expressions.
        public let column: String?
        /// The name in the result: the alias or, for a plain column, its own; for expressions the text as written.
        public let name: String
        /// `COUNT(*)` or `COUNT(1)`.
        public let isCount: Bool
    }

    /// `column = term` of WHERE.
    public struct Equality: Sendable, Hashable {
        /// The column.
        public let column: String
        /// The value.
        public let term: Term
    }

    /// `column IN …` of WHERE.
    public struct Membership: Sendable, Hashable {
        /// The column.
        public let column: String
        /// The values of which it has one.
        public let values: InValues
    }

    /// The columns, or nil for `*`.
    public let items: [Item]?
    /// The relations of the form `column = term`.
    public let equalities: [Equality]
    /// The relations of the form `column IN …`.
    public let memberships: [Membership]
    /// WHERE holds only equalities.
    public let hasOnlyEqualities: Bool
    /// `SELECT JSON`.
    public let isJSON: Bool
    /// `SELECT DISTINCT`.
    public let isDistinct: Bool
    /// LIMIT as an integer literal.
    public let limit: Int?
    /// LIMIT of whatever kind.
    public let hasLimit: Bool
    /// There is no WHERE, or nothing but bounds of `token(…)` in it: rows come in the order of their tokens.
    public let isTokenScan: Bool
    /// `ORDER BY … ANN OF` or `expr(index, …)`: which rows there are, and in which order, is for an index to say.
    public let isRanked: Bool
    /// WRITETIME, MAXWRITETIME or TTL, anywhere in the projection.
    public let tellsCellMetadata: Bool
}
