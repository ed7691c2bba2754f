/// Word lists of the grammar.
enum Keywords {
    /// Words that name nothing unless quoted (Cassandra 4.1, CQL reference, appendix A).
    static let reserved: Set<String> = [
        "add", "allow", "alter", "and", "apply", "asc", "authorize", "batch", "begin", "by", "columnfamily", "create",
        "delete", "desc", "describe", "drop", "entries", "execute", "from", "full", "grant", "if", "in",
        "index", "infinity", "insert", "into", "is", "keyspace", "limit", "materialized", "modify",
        "nan", "norecursive", "not", "null", "of", "on", "or", "order", "primary", "rename", "revoke",
        "schema", "select", "set", "table", "to", "token", "truncate", "unlogged", "update", "use", "using",
        "view", "where", "with",
    ]

    static let nativeTypes: Set<String> = [
        "ascii", "bigint", "blob", "boolean", "counter", "date", "decimal", "double", "duration", "empty", "float",
        "inet",
        "int", "smallint", "text", "time", "timestamp", "timeuuid", "tinyint", "uuid", "varchar", "varint",
    ]
}
