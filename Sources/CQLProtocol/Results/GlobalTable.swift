/// The keyspace and table that all columns of a result share (flag 0x01, native protocol v4 §4.2.5.2).
public struct GlobalTable: Hashable, Sendable {
    /// The keyspace.
    public var keyspace: String
    /// The table.
    public var table: String

    /// A keyspace and table.
    public init(keyspace: String, table: String) {
        self.keyspace = keyspace
        self.table = table
    }
}
