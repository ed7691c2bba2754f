/// Native types that a column of a partition key may have.
enum NativeType: String, Sendable, CaseIterable {
    case ascii, bigint, blob, boolean, date, decimal, double, float, inet, int, smallint, text, time, timestamp,
        timeuuid
    case tinyint, uuid, varint

    /// The type as `system_schema.columns` writes it; nil for collections, tuples, types of the user and whatever else there is.
    init?(_ name: String) {
        self.init(rawValue: name == "varchar" ? "text" : name)
    }
}
