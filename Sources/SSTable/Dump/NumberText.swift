import CQLProtocol

/// Numbers as Java shows them.
enum NumberText {
    /// `Double.toString` and `Float.toString`: plain between a thousandth and ten million, else with an exponent.
    static func floating<Number: BinaryFloatingPoint & CustomStringConvertible>(_ value: Number) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
        let sign = value.sign == .minus ? "-" : ""
        if value == 0 { return sign + "0.0" }
        let (digits, exponent) = Self.shortest(value.magnitude.description)
        if (-3..<7).contains(exponent) { return sign + Self.plain(digits, exponent) }
        let rest = digits.dropFirst()
        return "\(sign)\(digits.prefix(1)).\(rest.isEmpty ? "0" : rest)E\(exponent)"
    }

    /// The digits of a number from its Swift description, and the power of ten of the first.
    private static func shortest(_ text: String) -> (digits: Substring, exponent: Int) {
        let parts = text.split(separator: "e")
        var exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        let number = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        let whole = number[0]
        let fraction = number.count > 1 ? number[1] : ""
        exponent += whole.count - 1
        let all = whole + fraction
        let zeros = all.prefix { $0 == "0" }.count
        var digits = all.dropFirst(zeros)
        exponent -= zeros
        while digits.count > 1, digits.last == "0" { digits.removeLast() }
        return (digits, exponent)
    }

    private static func plain(_ digits: Substring, _ exponent: Int) -> String {
        if exponent < 0 { return "0." + String(repeating: "0", count: -exponent - 1) + digits }
        let padded = digits + String(repeating: "0", count: max(0, exponent + 2 - digits.count))
        return padded.prefix(exponent + 1) + "." + padded.dropFirst(exponent + 1)
    }

    /// `BigDecimal.toString`: with an exponent where the scale is below zero or the number small.
    static func decimal(_ value: CQLDecimal) -> String {
        let text = value.unscaled.description
        guard !text.hasPrefix("0x") else { return value.description }
        let sign = text.hasPrefix("-") ? "-" : ""
        let digits = text.dropFirst(sign.count)
        let scale = Int(value.scale)
        if scale == 0 { return text }
        let exponent = digits.count - 1 - scale
        if scale > 0 && exponent >= -6 { return sign + Self.pointed(digits, scale) }
        let rest = digits.dropFirst()
        return "\(sign)\(digits.prefix(1))\(rest.isEmpty ? "" : "." + rest)E\(exponent < 0 ? "" : "+")\(exponent)"
    }

    /// Scales beyond this are not spelt out.
    private static var plainScaleMax: Int { 10_000 }

    /// `BigDecimal.toPlainString`; beyond `plainScaleMax` with an exponent.
    static func plainDecimal(_ value: CQLDecimal) -> String {
        let text = value.unscaled.description
        let scale = Int(value.scale)
        guard !text.hasPrefix("0x"), abs(scale) <= Self.plainScaleMax else { return Self.decimal(value) }
        let sign = text.hasPrefix("-") ? "-" : ""
        let digits = text.dropFirst(sign.count)
        if scale <= 0 { return text == "0" ? "0" : text + String(repeating: "0", count: -scale) }
        return sign + Self.pointed(digits, scale)
    }

    private static func pointed(_ digits: Substring, _ scale: Int) -> String {
        let padded = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
        return padded.dropLast(scale) + "." + padded.suffix(scale)
    }
}
