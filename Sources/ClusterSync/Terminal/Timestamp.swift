import FoundationEssentials

/// Moments as RFC 3339 texts in UTC.
enum Timestamp {
    static func now() -> String { self.text(Date()) }

    /// Milliseconds since 1970.
    static func milliseconds() -> Int64 { Int64(Date().timeIntervalSince1970 * 1_000) }

    /// - Parameter milliseconds: since 1970; what no calendar of ours reaches is taken for its last day.
    static func text(milliseconds: Int64) -> String {
        // What is formatted is cut to milliseconds, and most thousandths have no exact number.
        let inside = Double(min(max(0, milliseconds), 253_402_300_799_999)) + 0.5
        return self.text(Date(timeIntervalSince1970: inside / 1_000))
    }

    private static func text(_ date: Date) -> String {
        date.formatted(
            .iso8601.year().month().day().time(includingFractionalSeconds: true).timeZone(separator: .omitted)
        )
    }
}
