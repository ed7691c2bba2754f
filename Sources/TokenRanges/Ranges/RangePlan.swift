/// A range of a plan.
public struct PlannedRange: Sendable, Hashable {
    /// The tokens.
    public var range: TokenRange
    /// How many bytes of the table it probably has; nil where nobody knows.
    public var expectedBytes: Int64?

    /// A range.
    public init(_ range: TokenRange, expectedBytes: Int64? = nil) {
        self.range = range
        self.expectedBytes = expectedBytes
    }
}

/// Cuts the ring into ranges for one table. Pure.
///
/// The ranges are in order, cover all tokens and do not overlap. None crosses a token of a node, so that all of it is on the same
/// replicas, whatever the replication is.
public enum RangePlan {
    /// How large ranges are, and how many there are.
    public struct Limits: Sendable, Hashable {
        /// About how many bytes a range has at most.
        public var bytesPerRange: Int64
        /// How many ranges there are at least: enough to keep all workers busy.
        public var rangesMin: Int
        /// How many ranges there are at most; but never fewer than the ring has of its own.
        public var rangesMax: Int
        /// Whether neighbours on the ring that together are smaller than ``bytesPerRange`` become one range, on the replicas of
        /// either. It spares small tables on rings with many tokens thousands of nearly empty ranges; where nothing is known of
        /// the size, nothing is joined.
        public var joinsSmall: Bool

        /// Limits that suit most tables: 64 MiB are read and written in seconds.
        public init(
            bytesPerRange: Int64 = 64 << 20,
            rangesMin: Int = 1,
            rangesMax: Int = 1 << 18,
            joinsSmall: Bool = false
        ) {
            self.bytesPerRange = max(1, bytesPerRange)
            self.rangesMin = max(1, rangesMin)
            self.rangesMax = max(self.rangesMin, rangesMax)
            self.joinsSmall = joinsSmall
        }
    }

    /// The ranges of a table.
    ///
    /// - Parameters:
    ///   - ring: the tokens of all nodes, in any order; none make a ring of one range.
    ///   - estimates: what nodes tell of the table's size; where they tell nothing of a range, it is taken to be as dense as the
    ///     others are.
    public static func ranges(
        ring: Ring,
        estimates: [SizeEstimate] = [],
        limits: Limits = Limits()
    ) -> [PlannedRange] {
        let density = SizeDensity(estimates)
        var whole = self.betweenTokens(ring.tokens).map { (range: $0, bytes: density.bytes(of: $0)) }
        if limits.joinsSmall { whole = self.joined(whole, limits) }
        var counts = whole.map { self.count($0.range, $0.bytes, limits) }
        let total = counts.reduce(0.0, +)
        if total > Double(limits.rangesMax) {
            let share = Double(limits.rangesMax) / total
            counts = counts.map { max(1, ($0 * share).rounded(.down)) }
        }
        return zip(whole, counts).flatMap { whole, count in
            whole.range.split(into: Int(count)).map { range in
                let share = Double(range.tokenCount) / Double(whole.range.tokenCount)
                return PlannedRange(range, expectedBytes: whole.bytes.map { Self.integer($0 * share) })
            }
        }
    }

    /// From each token to the next one. The range that wraps around the ring comes as two.
    private static func betweenTokens(_ tokens: [Int64]) -> [TokenRange] {
        var ranges: [TokenRange] = []
        var start = Int64.min
        for end in tokens.sorted() + [.max] {
            guard let range = TokenRange(after: start, through: end) else { continue }
            ranges.append(range)
            start = end
        }
        return ranges
    }

    /// In how many parts a range is cut; at least 1. A Double, as nobody bounds what a node may claim.
    private static func count(_ range: TokenRange, _ bytes: Double?, _ limits: Limits) -> Double {
        let bySize = ((bytes ?? 0) / Double(limits.bytesPerRange)).rounded(.up)
        // By rounding up each range's share of the least number, no less comes out in all.
        let share = Double(range.tokenCount) / Double(TokenRange.ring.tokenCount)
        return max(1, bySize, (Double(limits.rangesMin) * share).rounded(.up))
    }

    private static func joined(
        _ ranges: [(range: TokenRange, bytes: Double?)],
        _ limits: Limits
    ) -> [(range: TokenRange, bytes: Double?)] {
        var joined: [(range: TokenRange, bytes: Double?)] = []
        for next in ranges {
            if let last = joined.last, let bytes = last.bytes, let more = next.bytes,
                bytes + more <= Double(limits.bytesPerRange)
            {
                joined[joined.count - 1] = (TokenRange(start: last.range.start, end: next.range.end), bytes + more)
            } else {
                joined.append(next)
            }
        }
        return joined
    }

    private static func integer(_ bytes: Double) -> Int64 { Int64(exactly: bytes.rounded()) ?? .max }
}
