/// The rules of the exposition format for names, and the escapes for what may hold any character.
///
/// https://prometheus.io/docs/instrumenting/exposition_formats/
enum MetricName {
    /// `text` as a metric name: `[a-zA-Z_:][a-zA-Z0-9_:]*`; every other character becomes `_`.
    static func metric(_ text: String) -> String { self.clean(text, allowColon: true) }

    /// `text` as a label name: `[a-zA-Z_][a-zA-Z0-9_]*`; every other character becomes `_`.
    static func label(_ text: String) -> String { self.clean(text, allowColon: false) }

    private static func clean(_ text: String, allowColon: Bool) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "a"..."z", "A"..."Z", "_":
                result.unicodeScalars.append(scalar)
            case "0"..."9":
                if result.isEmpty { result.append("_") }
                result.unicodeScalars.append(scalar)
            case ":" where allowColon:
                result.append(":")
            default:
                result.append("_")
            }
        }
        return result.isEmpty ? "_" : result
    }

    /// A label value between its quotes: backslash, quote and line feed are escaped.
    static func appendLabelValue(_ text: String, to page: inout String) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": page.append("\\\\")
            case "\"": page.append("\\\"")
            case "\n": page.append("\\n")
            default: page.unicodeScalars.append(scalar)
            }
        }
    }

    /// A HELP text: backslash and line feed are escaped, quotes are not.
    static func appendHelp(_ text: String, to page: inout String) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": page.append("\\\\")
            case "\n": page.append("\\n")
            default: page.unicodeScalars.append(scalar)
            }
        }
    }

    /// A value as Prometheus reads it. Whole numbers are written without a fraction.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        if value.magnitude < 1e15, value == value.rounded(.towardZero) { return String(Int64(value)) }
        return value.description
    }
}
