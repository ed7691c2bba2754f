/// How many bytes of a table there are in any range, by the estimates of some or all nodes. Pure.
struct SizeDensity {
    /// Ranges in order that do not overlap, with bytes per token.
    private var pieces: [(range: TokenRange, density: Double)] = []
    /// Bytes per token where nobody has told; nil where nobody has told anything.
    private let mean: Double?

    init(_ estimates: [SizeEstimate]) {
        var known: [(range: TokenRange, density: Double)] = []
        for estimate in estimates where !estimate.ranges.isEmpty {
            let density = estimate.bytes / estimate.tokenCount
            known += estimate.ranges.map { ($0, density) }
        }
        known.sort { $0.range < $1.range }
        // While the ring changes, two nodes tell of one range for a while: each token counts once.
        var (bytes, tokens) = (0.0, 0.0)
        for (range, density) in known {
            guard let new = range.remainder(after: self.pieces.last?.range.end) else { continue }
            self.pieces.append((new, density))
            bytes += density * Double(new.tokenCount)
            tokens += Double(new.tokenCount)
        }
        self.mean = tokens > 0 ? bytes / tokens : nil
    }

    /// The bytes of a range; nil where there are no estimates at all.
    func bytes(of range: TokenRange) -> Double? {
        guard let mean = self.mean else { return nil }
        var (bytes, untold) = (0.0, Double(range.tokenCount))
        for piece in self.pieces[self.firstPiece(endingAfter: range.start)...] {
            guard piece.range.start < range.end else { break }
            guard let part = piece.range.intersection(range) else { continue }
            bytes += piece.density * Double(part.tokenCount)
            untold -= Double(part.tokenCount)
        }
        // What is left of two large numbers that are nearly equal is noise.
        return bytes + (untold > 1 ? untold * mean : 0)
    }

    private func firstPiece(endingAfter token: Int64) -> Int {
        var (low, high) = (0, self.pieces.count)
        while low < high {
            let middle = (low + high) / 2
            if self.pieces[middle].range.end <= token { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
