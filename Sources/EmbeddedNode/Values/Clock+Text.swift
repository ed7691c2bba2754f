/// Moments as Cassandra writes them.
extension Clock {
    /// `1969-07-20`.
    static func text(days: Int64) -> String {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return "\(self.padded(year, 4))-\(self.padded(month, 2))-\(self.padded(day, 2))"
    }

    /// `1969-07-20 20:17:40.000Z`.
    static func text(milliseconds: Int64) -> String {
        let days = Int64((Double(milliseconds) / 86_400_000).rounded(.down))
        let rest = milliseconds - days * 86_400_000
        let seconds = rest / 1000
        return self.text(days: days)
            + " \(self.clock(seconds)).\(self.padded(rest % 1000, 3))Z"
    }

    /// `20:17:40.000000000`.
    static func text(nanoseconds: Int64) -> String {
        "\(self.clock(nanoseconds / 1_000_000_000)).\(self.padded(nanoseconds % 1_000_000_000, 9))"
    }

    private static func clock(_ seconds: Int64) -> String {
        "\(self.padded(seconds / 3600, 2)):\(self.padded(seconds / 60 % 60, 2)):\(self.padded(seconds % 60, 2))"
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
