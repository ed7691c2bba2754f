import FoundationEssentials

/// Up to which timestamp is loaded.
enum LoaderCeiling: Sendable, Equatable {
    /// The moment since which the dual writer writes to both clusters.
    case dualWriter
    /// Microseconds since 1970.
    case at(Int64)
    /// Everything is loaded.
    case none

    /// What is valid, for messages.
    static let expected = "dual_writer, none, a moment such as 2026-01-31T23:59:59Z, or microseconds since 1970"

    /// Timestamps in other units than microseconds are not within these, which are the years 2001 to 2128.
    private static let microseconds: ClosedRange<Int64> = 1_000_000_000_000_000...5_000_000_000_000_000

    /// Nil where `text` is none.
    init?(_ text: String) {
        switch text.lowercased() {
        case "dual_writer": self = .dualWriter
        case "none": self = .none
        default:
            guard let moment = Int64(text.filter { $0 != "_" }) ?? Self.moment(text),
                Self.microseconds.contains(moment)
            else { return nil }
            self = .at(moment)
        }
    }

    /// An RFC 3339 timestamp in microseconds since 1970.
    private static func moment(_ text: String) -> Int64? {
        // What is behind the seconds is read apart: a Date would round it.
        guard let dot = text.firstIndex(of: ".") else { return self.seconds(text).map { $0 * 1_000_000 } }
        let digits = text[text.index(after: dot)...].prefix { $0.isASCII && $0.isNumber }
        guard (1...6).contains(digits.count), let fraction = Int64(digits),
            let seconds = self.seconds(text[..<dot] + text[digits.endIndex...])
        else { return nil }
        return (digits.count..<6).reduce(fraction) { value, _ in value * 10 } + seconds * 1_000_000
    }

    private static func seconds(_ text: some StringProtocol) -> Int64? {
        // Without its zone a moment would be one of the machine's.
        let zone = text.suffix(6)
        guard text.hasSuffix("Z") || zone.hasPrefix("+") || zone.hasPrefix("-") else { return nil }
        guard let date = try? Date(String(text), strategy: .iso8601) else { return nil }
        return Int64(date.timeIntervalSince1970)
    }
}
