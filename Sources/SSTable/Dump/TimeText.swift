/// Times as `sstabledump` shows them, in UTC.
enum TimeText {
    /// An ISO 8601 time with as many groups of three digits behind its seconds as it needs (Java's `Instant`).
    static func instant(microseconds: Int64) -> String {
        let seconds = Self.floored(microseconds, 1_000_000)
        return Self.instant(seconds: seconds.quotient, microseconds: seconds.rest)
    }

    static func instant(seconds: Int64, microseconds: Int64 = 0) -> String {
        let fraction =
            if microseconds == 0 {
                ""
            } else if microseconds % 1_000 == 0 {
                "." + Self.padded(microseconds / 1_000, 3)
            } else {
                "." + Self.padded(microseconds, 6)
            }
        let day = Self.floored(seconds, 86_400)
        return "\(Self.date(days: day.quotient, signsFarYears: true))T\(Self.clock(day.rest))\(fraction)Z"
    }

    /// A `timestamp`, to the millisecond.
    static func timestamp(milliseconds: Int64) -> String {
        let seconds = Self.floored(milliseconds, 1_000)
        let day = Self.floored(seconds.quotient, 86_400)
        return "\(Self.date(days: day.quotient)) \(Self.clock(day.rest)).\(Self.padded(seconds.rest, 3))Z"
    }

    /// A `time`, to the nanosecond.
    static func time(nanoseconds: Int64) -> String {
        let seconds = Self.floored(nanoseconds, 1_000_000_000)
        return "\(Self.clock(seconds.quotient)).\(Self.padded(seconds.rest, 9))"
    }

    /// A day of the Gregorian calendar, counted from 1970-01-01.
    static func date(days: Int64, signsFarYears: Bool = false) -> String {
        // Counted from the first of March of year 0, so that leap days come last (H. Hinnant's `civil_from_days`).
        let shifted = days + 719_468
        let era = Self.floored(shifted, 146_097)
        let day = era.rest
        let yearOfEra = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365
        let dayOfYear = day - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let dayOfMonth = dayOfYear - (153 * month + 2) / 5 + 1
        let monthOfYear = month < 10 ? month + 3 : month - 9
        let year = yearOfEra + era.quotient * 400 + (monthOfYear <= 2 ? 1 : 0)
        let sign = year < 0 ? "-" : signsFarYears && year > 9_999 ? "+" : ""
        return "\(sign)\(Self.padded(abs(year), 4))-\(Self.padded(monthOfYear, 2))-\(Self.padded(dayOfMonth, 2))"
    }

    private static func clock(_ seconds: Int64) -> String {
        "\(Self.padded(seconds / 3_600, 2)):\(Self.padded(seconds / 60 % 60, 2)):\(Self.padded(seconds % 60, 2))"
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private static func floored(_ value: Int64, _ unit: Int64) -> (quotient: Int64, rest: Int64) {
        let (quotient, rest) = value.quotientAndRemainder(dividingBy: unit)
        return rest < 0 ? (quotient - 1, rest + unit) : (quotient, rest)
    }
}
