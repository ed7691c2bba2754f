import CQLProtocol

/// Duration constants: `1y2mo3d4h`, ISO 8601 `P1Y2M3DT4H`, `P2W` and `P0001-02-03T04:05:06`.
enum DurationText {
    private static let units: [(name: String, months: Int64, days: Int64, nanoseconds: Int64)] = [
        ("y", 12, 0, 0), ("mo", 1, 0, 0), ("w", 0, 7, 0), ("d", 0, 1, 0), ("h", 0, 0, 3_600_000_000_000),
        ("ms", 0, 0, 1_000_000), ("us", 0, 0, 1000), ("µs", 0, 0, 1000), ("ns", 0, 0, 1), ("m", 0, 0, 60_000_000_000),
        ("s", 0, 0, 1_000_000_000),
    ]

    /// The bytes of a duration; `nil` where the text is none.
    static func bytes(_ text: String) -> Bytes? {
        guard let duration = self.duration(text) else { return nil }
        return (try? CQLValue.duration(duration).encoded(as: ValueType.native("duration").wire))?.bytes
    }

    private static func duration(_ text: String) -> CQLDuration? {
        var rest = Substring(text.lowercased())
        let isNegative = rest.hasPrefix("-")
        if isNegative { rest = rest.dropFirst() }
        var total: (months: Int64, days: Int64, nanoseconds: Int64)? = (0, 0, 0)
        if rest.hasPrefix("p") {
            rest = rest.dropFirst()
            total = rest.contains("-") ? self.alternative(rest) : self.designators(rest)
        } else {
            total = self.sum(rest) { unit, _ in self.units.first { unit.hasPrefix($0.name) } }
        }
        guard let total else { return nil }
        let sign: Int64 = isNegative ? -1 : 1
        guard let months = Int32(exactly: total.months * sign), let days = Int32(exactly: total.days * sign) else {
            return nil
        }
        return CQLDuration(months: months, days: days, nanoseconds: total.nanoseconds * sign)
    }

    private static func sum(
        _ text: Substring,
        _ unit: (Substring, Bool) -> (name: String, months: Int64, days: Int64, nanoseconds: Int64)?
    ) -> (months: Int64, days: Int64, nanoseconds: Int64)? {
        var rest = text
        var total: (months: Int64, days: Int64, nanoseconds: Int64) = (0, 0, 0)
        var isTime = false
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            if rest.hasPrefix("t") {
                isTime = true
                rest = rest.dropFirst()
            }
            let digits = rest.prefix { $0.isNumber }
            rest = rest.dropFirst(digits.count)
            guard let count = Int64(digits), let found = unit(rest, isTime) else { return nil }
            rest = rest.dropFirst(found.name.count)
            let (nanoseconds, overflow) = count.multipliedReportingOverflow(by: found.nanoseconds)
            let (sum, sumOverflow) = total.nanoseconds.addingReportingOverflow(nanoseconds)
            guard !overflow, !sumOverflow, count < 1 << 40 || found.nanoseconds > 0 else { return nil }
            total = (total.months + count * found.months, total.days + count * found.days, sum)
        }
        return total
    }

    private static func designators(_ text: Substring) -> (months: Int64, days: Int64, nanoseconds: Int64)? {
        self.sum(text) { unit, isTime in
            switch unit.first {
            case "y": ("y", 12, 0, 0)
            case "m" where !isTime: ("m", 1, 0, 0)
            case "w": ("w", 0, 7, 0)
            case "d": ("d", 0, 1, 0)
            case "h": ("h", 0, 0, 3_600_000_000_000)
            case "m": ("m", 0, 0, 60_000_000_000)
            case "s": ("s", 0, 0, 1_000_000_000)
            default: nil
            }
        }
    }

    private static func alternative(_ text: Substring) -> (months: Int64, days: Int64, nanoseconds: Int64)? {
        let numbers = text.split { "-t:".contains($0) }.map { Int64($0) }
        guard numbers.count == 6, !numbers.contains(nil) else { return nil }
        let parts = numbers.compactMap { $0 }
        return (
            parts[0] * 12 + parts[1], parts[2], ((parts[3] * 60 + parts[4]) * 60 + parts[5]) * 1_000_000_000
        )
    }
}
