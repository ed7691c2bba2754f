/// A range of tokens of the Murmur3 partitioner: `start` is not in it, `end` is (as in Cassandra's `Range`). It never wraps.
///
/// The whole ring is `Int64.min ... Int64.max` in this sense: no key has the token `Int64.min` but the empty one, which no table
/// allows (``Murmur3Partitioner``).
public struct TokenRange: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The token before the first one.
    public let start: Int64
    /// The last token.
    public let end: Int64

    /// A range with at least one token: `start` must be below `end`.
    public init(start: Int64, end: Int64) {
        precondition(start < end, "a range has a token and does not wrap")
        (self.start, self.end) = (start, end)
    }

    /// A range as somebody else wrote it down; nil where it is empty or wraps.
    public init?(after start: Int64, through end: Int64) {
        guard start < end else { return nil }
        self.init(start: start, end: end)
    }

    /// All tokens.
    public static var ring: Self { Self(start: .min, end: .max) }

    /// How many tokens it has; at least 1.
    public var tokenCount: UInt64 { UInt64(bitPattern: self.end &- self.start) }

    /// Whether a token is in it.
    public func contains(_ token: Int64) -> Bool { self.start < token && token <= self.end }

    /// What is left of it behind a token up to which all is done; nil where nothing is.
    ///
    /// - Parameter checkpoint: nil where nothing is done; a token before the range counts as its start.
    public func remainder(after checkpoint: Int64?) -> TokenRange? {
        guard let checkpoint else { return self }
        return TokenRange(after: max(self.start, checkpoint), through: self.end)
    }

    /// The tokens that both have.
    public func intersection(_ other: TokenRange) -> TokenRange? {
        TokenRange(after: max(self.start, other.start), through: min(self.end, other.end))
    }

    /// Ranges in order that together are this one, each with as many tokens as the others, or one more.
    ///
    /// - Parameter count: how many; fewer come where there are not so many tokens, and one where it is below 2.
    public func split(into count: Int) -> [TokenRange] {
        let tokens = self.tokenCount
        let count = min(UInt64(max(1, count)), tokens)
        let (size, rest) = tokens.quotientAndRemainder(dividingBy: count)
        var ranges: [TokenRange] = []
        ranges.reserveCapacity(Int(count))
        var start = self.start
        for index in 0..<count {
            let end = Int64(bitPattern: UInt64(bitPattern: start) &+ size &+ (index < rest ? 1 : 0))
            ranges.append(TokenRange(start: start, end: end))
            start = end
        }
        return ranges
    }

    /// By start, then by end.
    public static func < (left: Self, right: Self) -> Bool { (left.start, left.end) < (right.start, right.end) }

    /// As an interval: `(start, end]`.
    public var description: String { "(\(self.start), \(self.end)]" }
}
