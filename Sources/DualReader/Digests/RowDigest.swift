import CXXHash

/// 128 bits that stand for rows: XXH3 of everything that a comparison of them would look at. All zero for no rows.
///
/// It keeps no secret and withstands no forger; the seed is another one for each comparison, so that rows which collide once do
/// not collide for ever.
public struct RowDigest: Sendable, Hashable {
    /// The higher half.
    public var high: UInt64
    /// The lower half.
    public var low: UInt64

    /// A digest as it came.
    public init(high: UInt64, low: UInt64) { (self.high, self.low) = (high, low) }

    /// No rows.
    public static var none: Self { Self(high: 0, low: 0) }

    /// The digest of bytes.
    init(_ bytes: UnsafeRawBufferPointer, seed: UInt64) {
        let hash = bytes.baseAddress.map { xxh3_128bits_with_seed($0, bytes.count, seed) }
        (self.high, self.low) = (hash?.high64 ?? 0, hash?.low64 ?? 0)
    }

    /// The digest of neighbours: none where all of them have none.
    init(joining digests: some Sequence<RowDigest>, seed: UInt64) {
        var bytes = CanonicalBytes()
        var isNone = true
        for digest in digests {
            if digest != .none { isNone = false }
            bytes.append(digest.high)
            bytes.append(digest.low)
        }
        self = isNone ? .none : bytes.bytes.withUnsafeBytes { RowDigest($0, seed: seed) }
    }
}
