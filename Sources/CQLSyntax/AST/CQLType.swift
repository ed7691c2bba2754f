/// A column type as written.
public indirect enum CQLType: Sendable, Hashable {
    /// A built-in type without parameters, lower case: `int`, `text`, `counter`, `duration` …
    case native(String)
    case list(CQLType)
    case set(CQLType)
    case map(CQLType, CQLType)
    case tuple([CQLType])
    case frozen(CQLType)
    /// `vector<float, 3>` of Cassandra 5.
    case vector(CQLType, Int)
    /// A user-defined type.
    case userDefined(QualifiedName)
    /// A Java class name given as a string.
    case custom(String)
}
