/// The ends of the lives of a node, in one byte each where the tolerance is small.
///
/// No digest of them can be compared with a tolerance: one of two ends a second apart may lie on the far side of any border. So
/// the last digits of each go over the wire, and the digest of all in full: whoever has ends that are near enough finds the
/// other's by their last digits, and the digest says that it found them.
public struct LivesSketch: Sendable, Hashable {
    /// The digest of the exact ends.
    public var digest: RowDigest
    /// Of each end the last bytes, the highest one first.
    public var digits: [UInt8]

    /// A sketch as it came.
    public init(digest: RowDigest, digits: [UInt8]) { (self.digest, self.digits) = (digest, digits) }

    /// Bytes of each end that tell those apart which may count as equal: two that are equal but for the tolerance lie less than
    /// half of all numbers of so many bytes apart.
    static func width(tolerance: Int64) -> Int {
        for width in 1..<8 where tolerance < 1 << (8 * width - 1) { return width }
        return 8
    }

    init(_ lives: some Collection<Int64>, width: Int, seed: UInt64) {
        self.digits = []
        self.digits.reserveCapacity(lives.count * width)
        for life in lives {
            for byte in (0..<width).reversed() { self.digits.append(UInt8(truncatingIfNeeded: life >> (8 * byte))) }
        }
        self.digest = Self.digest(lives, seed)
    }

    /// Whether the other reader's ends, of which this is the sketch, are each within `tolerance` seconds of these.
    func agrees(with lives: some Collection<Int64>, within tolerance: Int64, width: Int, seed: UInt64) -> Bool {
        guard tolerance >= 0, self.digits.count == lives.count * width else { return false }
        var others: [Int64] = []
        others.reserveCapacity(lives.count)
        var place = 0
        for life in lives {
            var digits: Int64 = 0
            for _ in 0..<width {
                digits = digits << 8 | Int64(self.digits[place])
                place += 1
            }
            // The number with these last digits that is nearest.
            let shift = 64 - 8 * Int64(width)
            let distance = ((digits &- life) << shift) >> shift
            guard abs(distance) <= tolerance else { return false }
            others.append(life &+ distance)
        }
        return Self.digest(others, seed) == self.digest
    }

    private static func digest(_ lives: some Collection<Int64>, _ seed: UInt64) -> RowDigest {
        var bytes = CanonicalBytes()
        bytes.bytes.reserveCapacity(8 * lives.count)
        for life in lives { bytes.append(life) }
        return bytes.bytes.withUnsafeBytes { RowDigest($0, seed: seed) }
    }
}
