/// A table, named as in the schema: without quotes, in its own case.
public struct TableName: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The keyspace.
    public let keyspace: String
    /// The table.
    public let table: String

    /// A name.
    public init(keyspace: String, table: String) {
        self.keyspace = keyspace
        self.table = table
    }

    /// By keyspace, then by table.
    public static func < (left: Self, right: Self) -> Bool {
        (left.keyspace, left.table) < (right.keyspace, right.table)
    }

    /// For people: `keyspace.table`, without quotes.
    public var description: String { "\(self.keyspace).\(self.table)" }
}
