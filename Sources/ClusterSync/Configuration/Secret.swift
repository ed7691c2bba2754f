import FoundationEssentials
import Operations
import Synchronization

/// A text that is never printed.
struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible {
    let text: String
    /// The file that it was read from, which may get another one while the sidecar runs.
    let file: String?

    init(_ text: String, file: String? = nil) {
        self.text = text
        self.file = file
    }

    /// The secret that a file holds, without the white space around it.
    static func read(_ path: String) throws(FileFault) -> String {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw FileFault(path: path, reason: "the file cannot be read")
        }
        let text = Nearest.trimmed(String(decoding: data, as: UTF8.self)[...])
        guard !text.isEmpty else { throw FileFault(path: path, reason: "the file is empty") }
        return text
    }

    var description: String { "***" }
    var debugDescription: String { "***" }
}

/// A secret that may change while others read it. Thread-safe.
final class CurrentSecret: Sendable {
    private let value: Mutex<String?>

    init(_ secret: Secret?) { self.value = Mutex(secret?.text) }

    var text: String? { self.value.withLock { $0 } }

    func replace(_ text: String) { self.value.withLock { $0 = text } }
}
