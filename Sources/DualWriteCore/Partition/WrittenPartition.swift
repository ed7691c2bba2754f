/// A partition that a write changes.
public struct WrittenPartition: Sendable, Hashable {
    /// The keyspace; nil where neither the text nor the connection names one.
    public let keyspace: String?
    /// The table; nil where the text was not understood.
    public let table: String?
    /// The partition key as Cassandra routes by it: of one column its bytes, of several each with its length in two bytes before
    /// it and a zero byte behind it. Nil where the write does not tell it: any partition of the table may have changed.
    public let key: [UInt8]?

    /// A partition of known parts.
    public init(keyspace: String?, table: String?, key: [UInt8]?) {
        self.keyspace = keyspace
        self.table = table
        self.key = key
    }
}
