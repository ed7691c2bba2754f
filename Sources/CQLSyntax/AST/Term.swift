/// A table, type, function, index or aggregate name with its optional keyspace. Unquoted names are lower-cased.
public struct QualifiedName: Sendable, Hashable {
    /// The keyspace, if the text names one.
    public let keyspace: String?
    /// The name inside the keyspace.
    public let name: String

    /// Makes a name out of parts that are already folded.
    public init(keyspace: String? = nil, name: String) {
        self.keyspace = keyspace
        self.name = name
    }
}

/// A `?` or `:name` in the text.
public struct BindMarker: Sendable, Hashable {
    /// Position among all markers of the text, batch children included. A repeated `:name` has an index per occurrence.
    public let index: Int
    /// The folded name of a `:name` marker.
    public let name: String?
    /// The marker's bytes.
    public let range: SourceRange
}

/// A constant as written.
public struct Literal: Sendable, Hashable {
    /// What the token looks like; the column decides the type.
    public enum Kind: Sendable, Hashable {
        case string, integer, float, boolean, uuid, blob, duration
    }

    /// What the token looks like.
    public let kind: Kind
    /// Strings: the content with quotes undone. Everything else: the text as written, sign included (`-5`, `0xCAFE`, `NaN`).
    public let text: String
    /// The literal's bytes, quotes included.
    public let range: SourceRange
}

/// A call of a function.
public struct FunctionCall: Sendable, Hashable {
    /// The function.
    public let name: QualifiedName
    /// Its arguments.
    public let arguments: [Term]
    /// From the name's first byte to the closing parenthesis.
    public let range: SourceRange
}

/// `+ - * / %`.
public enum ArithmeticOperator: Sendable, Hashable {
    case add, subtract, multiply, divide, remainder
}

/// A key and a value of a map literal.
public struct MapEntry: Sendable, Hashable {
    /// The key.
    public let key: Term
    /// The value.
    public let value: Term
}

/// A field and its value in a user-defined type literal.
public struct FieldEntry: Sendable, Hashable {
    /// The field.
    public let name: String
    /// The value.
    public let value: Term
}

/// A value in a statement.
public indirect enum Term: Sendable, Hashable {
    case null
    case literal(Literal)
    case marker(BindMarker)
    /// `[a, b]`: a list (a vector in Cassandra 5).
    case list([Term])
    /// `{a, b}`; `{}` may also stand for an empty map.
    case set([Term])
    /// `{a: b}`.
    case map([MapEntry])
    /// `{field: value}` with identifiers as keys.
    case userType([FieldEntry])
    /// `(a, b)`.
    case tuple([Term])
    case function(FunctionCall)
    /// `CAST(term AS type)`.
    case cast(Term, CQLType)
    /// `(type) term`.
    case typeHint(CQLType, Term)
    case arithmetic(Term, ArithmeticOperator, Term)
    case negated(Term)
}
