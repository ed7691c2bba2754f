/// Chooses the reads that are compared: each with the same probability, whatever came before. One multiplication or two a read.
public struct ReadSampler: Sendable {
    /// 2^53: the random numbers are as fine as the digits of a percentage.
    private static var scale: Double { 9_007_199_254_740_992 }

    private var state: UInt64
    private var threshold: UInt64 = 0

    /// A sampler that chooses nothing yet; the same seed chooses the same reads again.
    public init(seed: UInt64) { self.state = seed }

    /// Sets the share of the reads, 0 to 100 per cent, fractions allowed.
    public mutating func choose(percentage: Double) {
        self.threshold = UInt64(Self.scale * min(max(percentage, 0), 100) / 100)
    }

    /// Whether the next read is chosen.
    @inline(__always)
    public mutating func picks() -> Bool {
        // SplitMix64.
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var bits = self.state
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        bits ^= bits >> 31
        return bits >> 11 < self.threshold
    }
}
