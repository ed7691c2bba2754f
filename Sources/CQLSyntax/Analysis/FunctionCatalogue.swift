/// What is known of Cassandra's own functions.
enum FunctionCatalogue {
    private static let deterministic: Set<String> = [
        "token", "cast", "count", "sum", "min", "max", "avg", "ttl", "writetime", "maxwritetime",
        "todate", "totimestamp", "tounixtimestamp", "dateof", "unixtimestampof", "mintimeuuid", "maxtimeuuid",
        "to_date", "to_timestamp", "to_unix_timestamp", "min_timeuuid", "max_timeuuid",
        "tojson", "fromjson", "to_json", "from_json", "abs", "exp", "log", "log10", "round", "floor", "ceil",
        "map_keys", "map_values", "collection_count", "collection_min", "collection_max", "collection_sum",
        "collection_avg", "similarity_cosine", "similarity_euclidean", "similarity_dot_product",
        "mask_null", "mask_default", "mask_replace", "mask_inner", "mask_outer", "mask_hash",
    ]

    private static let blobTypes: Set<String> = [
        "ascii", "bigint", "boolean", "counter", "date", "decimal", "double", "duration", "float", "inet", "int",
        "smallint",
        "text", "time", "timestamp", "timeuuid", "tinyint", "uuid", "varchar", "varint",
    ]

    /// True for everything that is not known to give the same result each time: ``ServerFunction``s, and functions of the user.
    static func isNonDeterministic(_ name: QualifiedName) -> Bool {
        guard name.keyspace == nil || name.keyspace == "system" else { return true }
        // Function names are folded, but a quoted one keeps its case and is then another function.
        return !(self.deterministic.contains(name.name) || self.convertsBlob(name.name))
    }

    /// `blobAsInt`, `intAsBlob`, `blob_as_int`, `int_as_blob`.
    private static func convertsBlob(_ name: String) -> Bool {
        for (prefix, suffix) in [("blobas", "asblob"), ("blob_as_", "_as_blob")] {
            if name.hasPrefix(prefix) { return self.blobTypes.contains(String(name.dropFirst(prefix.count))) }
            if name.hasSuffix(suffix) { return self.blobTypes.contains(String(name.dropLast(suffix.count))) }
        }
        return false
    }
}
