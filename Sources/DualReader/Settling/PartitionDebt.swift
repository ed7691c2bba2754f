public import NIOCore
public import TokenRanges

/// What the dual writer says of a partition: whether it still owes it something. Asked from any task.
public protocol PartitionDebt: Sendable {
    /// Whether the journal holds writes of the partition that one cluster has not got yet.
    ///
    /// - Parameter key: the values of the partition key's columns.
    /// - Throws: where the dual writer does not answer; the row is then not decided.
    func owes(_ table: TableName, key: [ByteBuffer], token: Int64) async throws -> Bool
}

/// Nobody writes to both clusters but by copying: nothing is ever owed.
public struct NoDebt: PartitionDebt {
    /// No debt.
    public init() {}
    /// Never.
    public func owes(_ table: TableName, key: [ByteBuffer], token: Int64) -> Bool { false }
}

/// The partitions whose state is uncertain, as the dual writer keeps them. Asked from any task.
public protocol DirtySet: Sendable {
    /// Partitions of a table, at most so many; they are compared before all others.
    ///
    /// - Parameter columns: how many columns its partition key has, by which the dual writer's form of a key is told apart.
    /// - Throws: where the dual writer does not answer.
    func partitions(of table: TableName, keyColumns columns: Int, max count: Int) async throws -> [DirtyPartition]
    /// The clusters agree about a partition, since it was repaired or by themselves: it is uncertain no longer.
    func clear(_ partition: DirtyPartition, of table: TableName) async throws
}

/// A partition whose state is uncertain.
public struct DirtyPartition: Sendable, Hashable {
    /// The values of the partition key's columns.
    public var key: [ByteBuffer]
    /// The token of the key.
    public var token: Int64
    /// What the dual writer calls this entry, so that it does not forget one that has come since; nil where it has no name.
    public var mark: String?

    /// A partition.
    public init(key: [ByteBuffer], token: Int64, mark: String? = nil) {
        self.key = key
        self.token = token
        self.mark = mark
    }
}

/// No partition is uncertain.
public struct NoDirtySet: DirtySet {
    /// An empty set.
    public init() {}
    /// None.
    public func partitions(of table: TableName, keyColumns columns: Int, max count: Int) -> [DirtyPartition] { [] }
    /// Nothing comes of it.
    public func clear(_ partition: DirtyPartition, of table: TableName) {}
}
