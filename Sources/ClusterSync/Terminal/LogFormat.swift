import FoundationEssentials
import Logging

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The form of a log line.
enum LogFormat: String, Sendable {
    /// `2026-11-24T12:00:00.123Z info dual-writer: message key=value`.
    case text
    /// One JSON object per line.
    case json
}

/// Writes structured log lines to standard error, each with one write call, so that lines of several threads do not mix.
struct StandardErrorLogHandler: LogHandler {
    let label: String
    let format: LogFormat
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = self.metadata
        if let provided = self.metadataProvider?.get() { all.merge(provided) { $1 } }
        if let given = event.metadata { all.merge(given) { $1 } }
        var line: String
        switch self.format {
        case .text: line = self.textLine(event, all)
        case .json: line = self.jsonLine(event, all)
        }
        line.append("\n")
        line.withUTF8 { bytes in _ = write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
    }

    private func textLine(_ event: LogEvent, _ metadata: Logger.Metadata) -> String {
        var line = "\(Timestamp.now()) \(event.level.rawValue) \(self.label): \(event.message)"
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            let text = value.description
            let isPlain = !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 != 0x7f }
            line += " \(key)=\(isPlain ? text : Self.quoted(text))"
        }
        return line
    }

    private func jsonLine(_ event: LogEvent, _ metadata: Logger.Metadata) -> String {
        var line = "{\"at\":\"\(Timestamp.now())\",\"level\":\"\(event.level.rawValue)\",\"logger\":"
        line += Self.quoted(self.label) + ",\"message\":" + Self.quoted(event.message.description)
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            line += ",\(Self.quoted(key)):\(Self.quoted(value.description))"
        }
        return line + "}"
    }

    /// A text between quotes, with the escapes of JSON.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default:
                if scalar.value < 0x20 || scalar.value == 0x7f {
                    let digits = String(scalar.value, radix: 16)
                    result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }
}

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
