/// Moments, days and times of day in strings, as far as Cassandra 3.11 to 5.0 and ScyllaDB read them alike.
enum TimeText {
    /// Nanoseconds since midnight.
    static var nanosecondsOfDay: Range<Int64> { 0..<86_400_000_000_000 }

    /// 1583-01-01, in days since 1970.
    private static var firstGregorianDay: Int64 { -141_349 }

    /// Milliseconds since 1970 of `yyyy-mm-dd`, with `hh:mm[:ss[.fff]]` behind a blank or a `T`, and with a zone: `Z`, `+hh`,
    /// `+hhmm` or `+hh:mm`.
    ///
    /// Nil without a zone, because it is that of the server then; with a fraction of other than three digits, which some
    /// versions read as thousandths; and before 1583, where the older versions count by the Julian calendar.
    static func timestamp(_ text: String) -> Int64? {
        var rest = Array(text.utf8)[...]
        guard let days = Self.days(&rest), days >= Self.firstGregorianDay else { return nil }
        var seconds: Int64 = 0
        var milliseconds: Int64 = 0
        if Self.take(&rest, "T") || Self.take(&rest, " ") {
            guard let hour = Self.number(&rest, digits: 2), hour < 24, Self.take(&rest, ":"),
                let minute = Self.number(&rest, digits: 2), minute < 60
            else { return nil }
            seconds = hour * 3600 + minute * 60
            if Self.take(&rest, ":") {
                guard let second = Self.number(&rest, digits: 2), second < 60 else { return nil }
                seconds += second
                if Self.take(&rest, ".") {
                    guard let fraction = Self.number(&rest, digits: 3) else { return nil }
                    milliseconds = fraction
                }
            }
        }
        guard let zone = Self.zone(&rest), rest.isEmpty else { return nil }
        return (days * 86_400 + seconds - zone) * 1000 + milliseconds
    }

    /// Days of `yyyy-mm-dd`, with 2^31 for 1970-01-01.
    static func date(_ text: String) -> UInt32? {
        var rest = Array(text.utf8)[...]
        guard let days = Self.days(&rest), rest.isEmpty else { return nil }
        return UInt32(exactly: days + 1 << 31)
    }

    /// Nanoseconds since midnight of `hh:mm:ss[.f…]`.
    static func time(_ text: String) -> Int64? {
        var rest = Array(text.utf8)[...]
        guard let hour = Self.number(&rest, digits: 2), hour < 24, Self.take(&rest, ":"),
            let minute = Self.number(&rest, digits: 2), minute < 60, Self.take(&rest, ":"),
            let second = Self.number(&rest, digits: 2), second < 60
        else { return nil }
        var nanoseconds = (hour * 3600 + minute * 60 + second) * 1_000_000_000
        if Self.take(&rest, ".") {
            let digits = rest.count
            guard (1...9).contains(digits), let fraction = Self.number(&rest, digits: digits) else { return nil }
            nanoseconds += (digits..<9).reduce(fraction) { value, _ in value * 10 }
        }
        return rest.isEmpty ? nanoseconds : nil
    }

    // MARK: Parts

    private static func take(_ rest: inout ArraySlice<UInt8>, _ character: Unicode.Scalar) -> Bool {
        guard let first = rest.first, UInt32(first) == character.value else { return false }
        rest.removeFirst()
        return true
    }

    private static func number(_ rest: inout ArraySlice<UInt8>, digits: Int) -> Int64? {
        guard rest.count >= digits, rest.prefix(digits).allSatisfy(\.isDigit) else { return nil }
        defer { rest = rest.dropFirst(digits) }
        return rest.prefix(digits).reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
    }

    /// Days since 1970 of `yyyy-mm-dd`.
    private static func days(_ rest: inout ArraySlice<UInt8>) -> Int64? {
        guard let year = Self.number(&rest, digits: 4), Self.take(&rest, "-"),
            let month = Self.number(&rest, digits: 2), (1...12).contains(month), Self.take(&rest, "-"),
            let day = Self.number(&rest, digits: 2), (1...Self.days(of: month, year)).contains(day)
        else { return nil }
        // The Gregorian calendar counts years from March, so that the leap day is the last (H. Hinnant, days_from_civil).
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func days(of month: Int64, _ year: Int64) -> Int64 {
        switch month {
        case 2: year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400)) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Seconds east of Greenwich.
    private static func zone(_ rest: inout ArraySlice<UInt8>) -> Int64? {
        if Self.take(&rest, "Z") { return 0 }
        let isWest = rest.first == UInt8(ascii: "-")
        guard Self.take(&rest, "+") || Self.take(&rest, "-"), let hours = Self.number(&rest, digits: 2) else {
            return nil
        }
        var minutes: Int64 = 0
        if !rest.isEmpty {
            _ = Self.take(&rest, ":")
            guard let number = Self.number(&rest, digits: 2) else { return nil }
            minutes = number
        }
        guard hours < 18, minutes < 60 else { return nil }
        return (hours * 3600 + minutes * 60) * (isWest ? -1 : 1)
    }
}
