/// The nodes that have a partition, by its token, for all keyspaces that place their partitions in the same way.
///
/// Immutable. Looking up is a binary search in one flat array and allocates nothing. The lists are nodes of the local data
/// centre alone, those of the local rack first.
final class ReplicaTable: Sendable {
    /// Where a list of nodes keeps what: how many of them are of the local rack, how many there are, then the nodes.
    private static var headerLength: Int { 2 }

    /// Each node's tokens, in order; a list belongs to the range that ends with its token (included). Empty: one list for all.
    private let tokens: [Int64]
    private let lists: [UInt16]
    private let stride: Int

    /// - Parameters:
    ///   - tokens: in ascending order, each once.
    ///   - replicas: for each token its nodes, those of the local rack first; one list where there are no tokens.
    init(tokens: [Int64], replicas: [(near: Int, nodes: [UInt16])]) {
        precondition(replicas.count == max(1, tokens.count), "each token has its list")
        let stride = Self.headerLength + (replicas.map(\.nodes.count).max() ?? 0)
        var lists: [UInt16] = []
        lists.reserveCapacity(replicas.count * stride)
        for (near, nodes) in replicas {
            lists.append(UInt16(near))
            lists.append(UInt16(nodes.count))
            lists += nodes
            lists += repeatElement(0, count: stride - Self.headerLength - nodes.count)
        }
        self.tokens = tokens
        self.lists = lists
        self.stride = stride
    }

    /// Whether all partitions are on the same nodes: a token tells nothing then.
    var isUniform: Bool { self.tokens.isEmpty }
    /// The memory that it takes, in bytes.
    var byteCount: Int { self.tokens.count * 8 + self.lists.count * 2 }

    /// Calls with the nodes that have a token, of which the first `near` are of the local rack.
    @inline(__always)
    func withReplicas<Result>(of token: Int64, _ body: (_ near: Int, UnsafeBufferPointer<UInt16>) -> Result) -> Result {
        let place = self.tokens.withUnsafeBufferPointer { Self.place(of: token, in: $0) }
        return self.lists.withUnsafeBufferPointer { lists in
            let start = place * self.stride
            let nodes = start + Self.headerLength
            return body(
                Int(lists[start]),
                UnsafeBufferPointer(rebasing: lists[nodes..<nodes + Int(lists[start + 1])])
            )
        }
    }

    /// The first place whose token is not below this one; behind the last one the ring begins again.
    @inline(__always)
    private static func place(of token: Int64, in tokens: UnsafeBufferPointer<Int64>) -> Int {
        var (low, high) = (0, tokens.count)
        while low < high {
            let middle = (low + high) / 2
            if tokens[middle] < token { low = middle + 1 } else { high = middle }
        }
        return low == tokens.count ? 0 : low
    }
}
