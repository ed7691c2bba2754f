public import TokenRanges

/// Which share of all partitions is compared. It is decided by a partition's token alone, so that two runs with one seed compare
/// the same partitions, whatever ranges the rings are cut into, and what is not sampled is not read.
public struct Sampling: Sendable, Hashable {
    /// 0…100; 100 is everything.
    public var percentage: Double
    /// Another seed samples other partitions.
    public var seed: UInt64
    /// In how many slices the ring is cut; each is compared as a whole or not at all. 1…65536.
    public var slices: Int

    /// A sample; of everything where nothing is said.
    public init(percentage: Double = 100, seed: UInt64 = 0, slices: Int = 4_096) {
        self.percentage = min(max(percentage.isNaN ? 0 : percentage, 0), 100)
        self.seed = seed
        self.slices = min(max(slices, 1), 1 << 16)
    }

    /// Whether everything is compared.
    public var isWhole: Bool { self.percentage >= 100 }

    /// Whether partitions of this token are compared.
    public func isSampled(_ token: Int64) -> Bool { self.isWhole || self.isSampled(slice: self.slice(of: token)) }

    /// What of a range is compared, in order; neighbours are one range.
    public func ranges(in range: TokenRange) -> [TokenRange] {
        guard !self.isWhole else { return [range] }
        var ranges: [TokenRange] = []
        let (first, last) = (self.slice(of: range.start &+ 1), self.slice(of: range.end))
        for slice in first...last where self.isSampled(slice: slice) {
            guard let part = range.intersection(self.range(of: slice)) else { continue }
            if let before = ranges.last, before.end == part.start {
                ranges[ranges.count - 1] = TokenRange(start: before.start, end: part.end)
            } else {
                ranges.append(part)
            }
        }
        return ranges
    }

    /// Slices are as the tokens from the smallest one on are: of the place among 2^64 the first bits times their number.
    private func slice(of token: Int64) -> Int {
        Int((UInt64(bitPattern: token) ^ 1 << 63).multipliedFullWidth(by: UInt64(self.slices)).high)
    }

    /// The tokens of a slice. No key has the smallest token of all.
    private func range(of slice: Int) -> TokenRange {
        func first(_ slice: Int) -> UInt64 {
            // The smallest place that is multiplied into the slice: ⌈slice × 2^64 / slices⌉.
            let (quotient, remainder) = UInt64(self.slices).dividingFullWidth((UInt64(slice), 0))
            return quotient + (remainder > 0 ? 1 : 0)
        }
        func token(_ place: UInt64) -> Int64 { Int64(bitPattern: place ^ 1 << 63) }
        let start = slice == 0 ? Int64.min : token(first(slice) - 1)
        return TokenRange(start: start, end: slice == self.slices - 1 ? .max : token(first(slice + 1) - 1))
    }

    private func isSampled(slice: Int) -> Bool {
        // SplitMix64, so that neighbours have nothing to do with each other.
        var hash = UInt64(slice) &+ self.seed &* 0x9e37_79b9_7f4a_7c15 &+ 0x9e37_79b9_7f4a_7c15
        hash = (hash ^ hash >> 30) &* 0xbf58_476d_1ce4_e5b9
        hash = (hash ^ hash >> 27) &* 0x94d0_49bb_1331_11eb
        hash ^= hash >> 31
        return Double(hash >> 11) / Double(1 << 53) * 100 < self.percentage
    }
}
