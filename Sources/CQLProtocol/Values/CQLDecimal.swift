/// A decimal number: `unscaled` × 10^-`scale` (native protocol v4 §6.7).
public struct CQLDecimal: Hashable, Sendable, CustomStringConvertible {
    /// The number of digits after the point; may be negative.
    public var scale: Int32
    /// The digits.
    public var unscaled: Varint

    /// Scales up to this are described with a point, others with an exponent.
    public static var plainScaleMax: Int32 { 64 }

    /// A decimal.
    public init(scale: Int32, unscaled: Varint) {
        self.scale = scale
        self.unscaled = unscaled
    }

    /// Unscaled number and scale, in decimal.
    public var description: String {
        let text = unscaled.description
        if scale == 0 { return text }
        guard scale > 0, scale <= Self.plainScaleMax, !text.hasPrefix("0x") else { return "\(text)E\(-Int(scale))" }
        let sign = unscaled.isNegative ? "-" : ""
        var digits = String(text.dropFirst(sign.count))
        let missing = Int(scale) + 1 - digits.count
        if missing > 0 { digits = String(repeating: "0", count: missing) + digits }
        return sign + digits.dropLast(Int(scale)) + "." + digits.suffix(Int(scale))
    }
}
