/// Numbers for people.
enum Human {
    /// `12345678` as `12,345,678`.
    static func count(_ number: some BinaryInteger) -> String {
        let digits = String(number)
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0, digits[digits.startIndex] != "-" || index > 1 {
                result.append(",")
            }
            result.append(digit)
        }
        return result
    }

    /// Seconds as `4.2 s`, `3 min 20 s`, `5 h 12 min`, `3 d 4 h`.
    static func duration(seconds: Double) -> String {
        let whole = Int(seconds)
        switch whole {
        case ..<60: return "\((seconds * 10).rounded() / 10) s"
        case ..<3_600: return "\(whole / 60) min \(whole % 60) s"
        case ..<86_400: return "\(whole / 3_600) h \(whole % 3_600 / 60) min"
        default: return "\(whole / 86_400) d \(whole % 86_400 / 3_600) h"
        }
    }

    /// Bytes as `512 B`, `8.1 KiB`, `1.5 GiB`.
    static func bytes(_ number: Int) -> String {
        var size = Double(number)
        var unit = "B"
        for next in ["KiB", "MiB", "GiB", "TiB"] where size >= 1_024 {
            size /= 1_024
            unit = next
        }
        return unit == "B" ? "\(number) B" : "\((size * 10).rounded() / 10) \(unit)"
    }

    /// A share from 0 to 1 as `42.1 %`; never more than it is, so that 100 % is all.
    static func percent(_ share: Double) -> String {
        let tenths = Int((share * 1_000).rounded(.down))
        return tenths % 10 == 0 ? "\(tenths / 10) %" : "\(tenths / 10).\(tenths % 10) %"
    }

    /// Two digits for each byte.
    static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef")
        var text = ""
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return text
    }

    /// `1 write`, `2 writes`.
    static func many(_ number: some BinaryInteger, _ one: String, _ several: String? = nil) -> String {
        "\(self.count(number)) \(number == 1 ? one : several ?? one + "s")"
    }

    /// A text from outside that must not move the cursor or begin a line: control characters as `\u{1b}`.
    ///
    /// - Parameter max: characters; what is behind them is cut off.
    static func line(_ text: String, max: Int = .max) -> String {
        var line = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse:
                line += scalar == "\n" || scalar == "\t" ? " " : "\\u{\(String(scalar.value, radix: 16))}"
            default: line.unicodeScalars.append(scalar)
            }
        }
        return line.count <= max ? line : line.prefix(Swift.max(0, max - 1)) + "…"
    }
}
