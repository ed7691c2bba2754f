import CQLProtocol
public import NIOCore

/// The head of a partition.
public struct Partition: Sendable {
    /// The bytes of the partition key; of several components each with its length before it.
    public let key: ByteBuffer
    /// The token of the key; nil with a partitioner that has none.
    public let token: Int64?
    /// The deletion of the whole partition.
    public let deletion: DeletionTime
    /// Where the partition begins in the plain data; below zero for a merged one.
    public let position: Int64

    init(key: ByteBuffer, _ partitioner: Partitioner, deletion: DeletionTime, position: Int64) {
        self.key = key
        self.token = partitioner == .murmur3 ? Murmur3Partitioner.token(of: key) : nil
        self.deletion = deletion
        self.position = position
    }

    init(_ partition: Partition, deletion: DeletionTime) {
        self.key = partition.key
        self.token = partition.token
        self.deletion = deletion
        self.position = -1
    }

    /// Whether it stands before another one: by token, then by the bytes of the key.
    func isBefore(_ other: Partition) -> Bool {
        if let token = self.token, let otherToken = other.token, token != otherToken { return token < otherToken }
        return self.key.withUnsafeReadableBytes { key in
            other.key.withUnsafeReadableBytes { ValueOrder.bytes(key, $0) < 0 }
        }
    }

    /// The components of the key; nil where it does not have as many as types.
    public static func components(of key: ByteBuffer, _ types: [ColumnType]) -> [ByteBuffer]? {
        Self.components(of: key, count: types.count)
    }

    static func components(of key: ByteBuffer, count: Int) -> [ByteBuffer]? {
        guard count > 1 else { return [key] }
        var rest = key
        var components: [ByteBuffer] = []
        while let length = rest.readInteger(as: UInt16.self) {
            guard let component = rest.readSlice(length: Int(length)), rest.readInteger(as: UInt8.self) != nil else {
                return nil
            }
            components.append(component)
        }
        return components.count == count && rest.readableBytes == 0 ? components : nil
    }
}
