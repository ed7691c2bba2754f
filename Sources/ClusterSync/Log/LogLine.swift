import Logging

/// The form of a log line.
enum LogFormat: String, Sendable {
    /// `2026-11-24T12:00:00.123Z info dual-writer: message key=value`.
    case text
    /// One JSON object per line.
    case json
}

/// What one log line says, and how it is written.
struct LogLine {
    /// No line is longer, in bytes with its end: so much a pipe takes at once or not at all (`PIPE_BUF`), so that lines of
    /// several threads and processes do not mix.
    static var bytesMax: Int { 4_096 }
    /// No value is longer, in bytes as it is.
    static var valueBytesMax: Int { 1_024 }

    let at: String
    let level: Logger.Level
    let label: String
    let message: String
    let metadata: Logger.Metadata

    /// The line with its end. What does not fit is left out, and the line says so.
    func text(as format: LogFormat) -> String {
        var line: String
        let (end, mark): (String, String)
        switch format {
        case .text:
            line = "\(self.at) \(self.level.rawValue) \(self.label): \(Self.cut(self.message))"
            (end, mark) = ("\n", " cut=true")
        case .json:
            line = "{\"at\":\"\(self.at)\",\"level\":\"\(self.level.rawValue)\",\"logger\":"
            line += Self.quoted(self.label) + ",\"message\":" + Self.quoted(Self.cut(self.message))
            (end, mark) = ("}\n", ",\"cut\":\"true\"")
        }
        let room = Self.bytesMax - end.utf8.count - mark.utf8.count
        for (key, value) in self.metadata.sorted(by: { $0.key < $1.key }) {
            let text = Self.cut(value.description)
            let addition =
                switch format {
                case .text: " \(key)=\(Self.isPlain(text) ? text : Self.quoted(text))"
                case .json: ",\(Self.quoted(key)):\(Self.quoted(text))"
                }
            guard line.utf8.count + addition.utf8.count <= room else {
                line += mark
                break
            }
            line += addition
        }
        return line + end
    }

    private static func cut(_ text: String) -> String {
        guard text.utf8.count > self.valueBytesMax else { return text }
        return String(decoding: text.utf8.prefix(self.valueBytesMax), as: UTF8.self) + "…"
    }

    private static func isPlain(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 != 0x7f }
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
