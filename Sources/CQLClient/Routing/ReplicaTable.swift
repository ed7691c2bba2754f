/// The nodes that have a partition, by its token, for all keyspaces that place their partitions in the same way.
///
/// Immutable. Looking up is a binary search in one flat array, among the tokens that begin with the same bits: one or two steps
/// where tokens are spread evenly. It allocates nothing. The lists are nodes of the local data centre alone, those of the local
/// rack first.
final class ReplicaTable: Sendable {
    /// Where a list of nodes keeps what: how many of them are of the local rack, how many there are, then the nodes.
    private static var headerLength: Int { 2 }

    /// Each node's tokens, in order; a list belongs to the range that ends with its token (included). Empty: one list for all.
    private let tokens: [Int64]
    /// For each value of a token's leading bits the first place that it can have; one more at the end.
    private let starts: [UInt32]
    /// How many bits of a token do not lead.
    private let shift: UInt64
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
        let leading = min(20, Int.bitWidth - tokens.count.leadingZeroBitCount)
        self.shift = UInt64(64 - leading)
        self.starts = Self.starts(of: tokens, leadingBits: leading)
        self.tokens = tokens
        self.lists = lists
        self.stride = stride
    }

    private static func starts(of tokens: [Int64], leadingBits: Int) -> [UInt32] {
        var starts = [UInt32](repeating: 0, count: 1 << leadingBits + 1)
        for token in tokens { starts[Int(self.unsigned(token) >> UInt64(64 - leadingBits)) + 1] += 1 }
        for index in starts.indices.dropFirst() { starts[index] += starts[index - 1] }
        return starts
    }

    /// Tokens in an order of numbers without a sign.
    @inline(__always)
    private static func unsigned(_ token: Int64) -> UInt64 { UInt64(bitPattern: token) ^ 1 << 63 }

    /// Whether all partitions are on the same nodes: a token tells nothing then.
    var isUniform: Bool { self.tokens.isEmpty }
    /// The memory that it takes, in bytes.
    var byteCount: Int { self.tokens.count * 8 + self.starts.count * 4 + self.lists.count * 2 }

    /// Calls with the nodes that have a token, of which the first `near` are of the local rack.
    @inline(__always)
    func withReplicas<Result>(of token: Int64, _ body: (_ near: Int, UnsafeBufferPointer<UInt16>) -> Result) -> Result {
        let place = self.place(of: token)
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
    private func place(of token: Int64) -> Int {
        guard !self.tokens.isEmpty else { return 0 }
        let leading = Int(Self.unsigned(token) &>> self.shift)
        var (low, high) = self.starts.withUnsafeBufferPointer { (Int($0[leading]), Int($0[leading + 1])) }
        return self.tokens.withUnsafeBufferPointer { tokens in
            while low < high {
                let middle = (low + high) / 2
                if tokens[middle] < token { low = middle + 1 } else { high = middle }
            }
            return low == tokens.count ? 0 : low
        }
    }
}
