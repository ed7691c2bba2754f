public import TokenRanges

/// How a range is cut into leaves, so that two readers cut it alike: by tokens, which are spread evenly, and never by rows.
public struct DigestShape: Sendable, Hashable {
    /// Children of each node.
    public static var fanOut: Int { 16 }
    /// Levels below the root at most.
    public static var levelsMax: Int { 4 }

    /// The range of the root.
    public var range: TokenRange
    /// Levels below the root; a tree without any has one leaf.
    public var levels: Int

    /// A shape.
    ///
    /// - Parameter levels: 0…``levelsMax``.
    public init(range: TokenRange, levels: Int) {
        self.range = range
        self.levels = min(max(levels, 0), Self.levelsMax)
    }

    /// Nodes at a depth; the root's is 0.
    static func nodes(at depth: Int) -> Int { 1 << (4 * depth) }

    /// How many leaves there are.
    var leafCount: Int { Self.nodes(at: self.levels) }

    /// The leaf of a token of the range.
    func leaf(of token: Int64) -> Int {
        let place = UInt64(bitPattern: token &- self.range.start &- 1)
        let (high, low) = place.multipliedFullWidth(by: UInt64(self.leafCount))
        return Int(self.range.tokenCount.dividingFullWidth((high, low)).quotient)
    }

    /// The tokens of neighbouring leaves; nil where a range has fewer tokens than leaves, and these have none.
    func range(of leaves: Range<Int>) -> TokenRange? {
        func end(before leaf: Int) -> Int64 {
            guard leaf < self.leafCount else { return self.range.end }
            // The smallest place that divides into the leaf: ⌈leaf × tokens / leaves⌉.
            let (high, low) = self.range.tokenCount.multipliedFullWidth(by: UInt64(leaf))
            let (quotient, rest) = UInt64(self.leafCount).dividingFullWidth((high, low))
            return self.range.start &+ Int64(bitPattern: quotient + (rest > 0 ? 1 : 0))
        }
        return TokenRange(after: end(before: leaves.lowerBound), through: end(before: leaves.upperBound))
    }

    /// The leaves below a node.
    func leaves(depth: Int, index: Int) -> Range<Int> {
        let count = Self.nodes(at: self.levels - depth)
        return (index * count)..<((index + 1) * count)
    }
}

/// The digests of one cluster's rows in a range. Bounded: ``DigestShape/leafCount`` leaves, and ``livesMax`` ends of lives.
public struct DigestTree: Sendable {
    /// Ends of lives that are kept; leaves that have more are compared by rows.
    public static var livesMax: Int { 1 << 20 }

    /// One leaf.
    struct Leaf: Sendable, Hashable {
        var digest = RowDigest.none
        var rows: UInt32 = 0
        var partitions: UInt32 = 0
        var rowsLeftOut: UInt32 = 0
        /// Where its lives end among all of them.
        var livesEnd = 0
        /// Whether it has more lives than are kept.
        var isOverfull = false
    }

    let shape: DigestShape
    let seed: UInt64
    private(set) var leaves: [Leaf]
    /// Ends of lives in the order of the rows, in seconds since 1970 by the reader's clock.
    private(set) var lives: [Int64] = []
    /// Leaves up to this one are complete.
    private var current = 0
    /// Bytes of the values that were read for it.
    var bytes = 0

    init(_ shape: DigestShape, seed: UInt64) {
        self.shape = shape
        self.seed = seed
        self.leaves = [Leaf](repeating: Leaf(), count: shape.leafCount)
    }

    /// About how much memory it takes, in bytes.
    var memory: Int { self.leaves.count * MemoryLayout<Leaf>.stride + self.lives.count * 8 }

    /// Changes the leaf at hand; leaves come in order.
    mutating func withLeaf(_ index: Int, _ change: (inout Leaf) -> Void) {
        self.close(before: index)
        change(&self.leaves[index])
    }

    /// Adds ends of lives to the leaf at hand.
    mutating func append(lives: [Int64]) {
        guard self.lives.count + lives.count <= Self.livesMax, !self.leaves[self.current].isOverfull else {
            self.leaves[self.current].isOverfull = true
            return
        }
        self.lives.append(contentsOf: lives)
    }

    /// Everything was added.
    mutating func close() { self.close(before: self.leaves.count) }

    private mutating func close(before index: Int) {
        precondition(index >= self.current, "rows come in the order of their tokens")
        while self.current < index {
            self.leaves[self.current].livesEnd = self.lives.count
            guard self.current + 1 < self.leaves.count else { break }
            self.current += 1
        }
    }

    /// The digest of a node.
    func digest(depth: Int, index: Int) -> RowDigest {
        if depth == self.shape.levels { return self.leaves[index].digest }
        let children = (0..<DigestShape.fanOut).map {
            self.digest(depth: depth + 1, index: index * DigestShape.fanOut + $0)
        }
        return RowDigest(joining: children, seed: self.seed)
    }

    /// The ends of lives of a node; nil where it has more than are kept.
    func lives(depth: Int, index: Int) -> ArraySlice<Int64>? {
        let leaves = self.shape.leaves(depth: depth, index: index)
        guard !self.leaves[leaves].contains(where: \.isOverfull) else { return nil }
        let start = leaves.lowerBound == 0 ? 0 : self.leaves[leaves.lowerBound - 1].livesEnd
        return self.lives[start..<self.leaves[leaves.upperBound - 1].livesEnd]
    }
}
