/// What orders partitions, by the class that the statistics name.
public enum Partitioner: Hashable, Sendable, CustomStringConvertible {
    /// By the Murmur3 token of the key, then by the key.
    case murmur3
    /// By the bytes of the key.
    case byteOrdered
    /// Another class; its SSTables can be read but neither searched nor merged.
    case other(String)

    init(className: String) {
        self =
            switch className.split(separator: ".").last {
            case "Murmur3Partitioner": .murmur3
            case "ByteOrderedPartitioner", "OrderPreservingPartitioner": .byteOrdered
            default: .other(className)
            }
    }

    /// The class without its package.
    public var description: String {
        switch self {
        case .murmur3: "Murmur3Partitioner"
        case .byteOrdered: "ByteOrderedPartitioner"
        case .other(let name): name
        }
    }
}
