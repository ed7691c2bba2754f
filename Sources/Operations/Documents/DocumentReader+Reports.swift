import FoundationEssentials

/// What reports of other services hold.
extension DocumentReader {
    /// A text that must be there.
    mutating func needed(_ key: String, bytesMax: Int) -> String? {
        guard self.has(key) else {
            self.fault("the key '\(key)' is missing")
            return nil
        }
        return self.text(key, bytesMax: bytesMax)
    }

    /// An RFC 3339 timestamp that must be there.
    mutating func moment(_ key: String) -> String? {
        guard let text = self.needed(key, bytesMax: 64) else { return nil }
        if Moment.milliseconds(text) != nil { return text }
        self.fault("\(key): must be a moment such as 2026-01-31T23:59:59Z")
        return nil
    }

    /// A number that must be there.
    mutating func number(_ key: String, _ range: ClosedRange<Double>) -> Double? {
        let number: Double? =
            switch self.value(key) {
            case .integer(let value): Double(value)
            case .double(let value): value
            default: nil
            }
        if let number, range.contains(number) { return number }
        self.fault("\(key): must be a number from \(Int(range.lowerBound)) to \(Int(range.upperBound))")
        return nil
    }

    /// A whole number from 0 on that must be there.
    mutating func count(_ key: String) -> Int? {
        if case .integer(let value) = self.value(key), value >= 0 { return value }
        self.fault("\(key): must be a whole number from 0 on")
        return nil
    }

    /// Several objects; none where the key is not there.
    mutating func objects(_ key: String, max: Int) -> [[String: JSONValue]] {
        switch self.value(key) {
        case nil, .null: return []
        case .array(let values) where values.count <= max:
            let objects = values.compactMap { if case .object(let object) = $0 { object } else { nil } }
            if objects.count == values.count { return objects }
        default: break
        }
        self.fault("\(key): must be a list of at most \(max) objects")
        return []
    }
}

/// Moments as RFC 3339 texts.
public enum Moment {
    /// Milliseconds since 1970; nil where `text` is no RFC 3339 timestamp with its zone.
    public static func milliseconds(_ text: String) -> Int64? {
        let zone = text.suffix(6)
        guard text.hasSuffix("Z") || zone.hasPrefix("+") || zone.hasPrefix("-") else { return nil }
        let whole = try? Date(text, strategy: .iso8601)
        let date =
            try? whole ?? Date(text, strategy: .iso8601.year().month().day().time(includingFractionalSeconds: true))
        guard let seconds = date?.timeIntervalSince1970, abs(seconds) < 253_402_300_800 else { return nil }
        return Int64((seconds * 1_000).rounded())
    }
}
