/// Times as `sstabledump` shows them, in UTC.
enum TimeText {
    /// An ISO 8601 time with as many groups of three digits behind its seconds as it needs (Java's `Instant`).
    static func instant(microseconds: Int64, to text: inout TextBuffer) {
        let seconds = Self.floored(microseconds, 1_000_000)
        Self.instant(seconds: seconds.quotient, microseconds: seconds.rest, to: &text)
    }

    static func instant(seconds: Int64, microseconds: Int64 = 0, to text: inout TextBuffer) {
        let day = Self.floored(seconds, 86_400)
        Self.date(days: day.quotient, signsFarYears: true, to: &text)
        text.append(UInt8(ascii: "T"))
        Self.clock(day.rest, to: &text)
        if microseconds != 0 {
            text.append(UInt8(ascii: "."))
            let isWhole = microseconds % 1_000 == 0
            text.append(isWhole ? microseconds / 1_000 : microseconds, width: isWhole ? 3 : 6)
        }
        text.append(UInt8(ascii: "Z"))
    }

    /// A `timestamp`, to the millisecond.
    static func timestamp(milliseconds: Int64, to text: inout TextBuffer) {
        let seconds = Self.floored(milliseconds, 1_000)
        let day = Self.floored(seconds.quotient, 86_400)
        Self.date(days: day.quotient, to: &text)
        text.append(UInt8(ascii: " "))
        Self.clock(day.rest, to: &text)
        text.append(UInt8(ascii: "."))
        text.append(seconds.rest, width: 3)
        text.append(UInt8(ascii: "Z"))
    }

    /// A `time`, to the nanosecond.
    static func time(nanoseconds: Int64, to text: inout TextBuffer) {
        let seconds = Self.floored(nanoseconds, 1_000_000_000)
        Self.clock(seconds.quotient, to: &text)
        text.append(UInt8(ascii: "."))
        text.append(seconds.rest, width: 9)
    }

    /// A day of the Gregorian calendar, counted from 1970-01-01.
    static func date(days: Int64, signsFarYears: Bool = false, to text: inout TextBuffer) {
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
        if signsFarYears, year > 9_999 { text.append(UInt8(ascii: "+")) }
        text.append(year, width: 4)
        text.append(UInt8(ascii: "-"))
        text.append(monthOfYear, width: 2)
        text.append(UInt8(ascii: "-"))
        text.append(dayOfMonth, width: 2)
    }

    private static func clock(_ seconds: Int64, to text: inout TextBuffer) {
        text.append(seconds / 3_600, width: 2)
        text.append(UInt8(ascii: ":"))
        text.append(seconds / 60 % 60, width: 2)
        text.append(UInt8(ascii: ":"))
        text.append(seconds % 60, width: 2)
    }

    private static func floored(_ value: Int64, _ unit: Int64) -> (quotient: Int64, rest: Int64) {
        let (quotient, rest) = value.quotientAndRemainder(dividingBy: unit)
        return rest < 0 ? (quotient - 1, rest + unit) : (quotient, rest)
    }
}
