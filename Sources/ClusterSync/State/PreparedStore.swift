import DualWriter
import FoundationEssentials
import Operations

/// Keeps the texts of prepared statements in `prepared.json`, so that the ids that drivers have stay good over a restart.
struct PreparedStore: Sendable {
    static let name = "prepared.json"
    /// Bytes of text that are kept; the rest is prepared again by the drivers.
    static let textBytesMax = StateFolder.fileBytesMax / 4

    private struct Document: Codable {
        struct Statement: Codable {
            var keyspace: String?
            var text: String
            /// In hexadecimal digits, because not every JSON reader keeps 64 bits.
            var metadata: String
        }

        var format: Int
        var statements: [Statement]
    }

    let folder: StateFolder

    /// What the folder says, with a remark for the log where the file cannot be used: nothing depends on it but a PREPARE more.
    func load() -> (texts: [PreparedText], remark: String?) {
        do {
            guard let bytes = try self.folder.content(of: Self.name) else { return ([], nil) }
            let document = try DocumentCoding.decode(Document.self, from: Data(bytes))
            guard document.format == 1 else { return ([], "\(Self.name) has format \(document.format)") }
            let texts = document.statements.map {
                // What cannot be read counts as "several": rows are described once too often, never once too seldom.
                PreparedText(keyspace: $0.keyspace, text: $0.text, metadata: UInt64($0.metadata, radix: 16) ?? 1)
            }
            return (texts, nil)
        } catch let error as StateError {
            return ([], error.description)
        } catch {
            return ([], "\(Self.name) is damaged")
        }
    }

    /// Returns when the disk has the texts: all of them, or the first ones, where the file would be longer than what is read.
    func save(_ texts: [PreparedText]) throws(StateError) {
        var bytes = Self.encoded(texts[...])
        var count = texts.count
        // Escapes make a text up to six times as long.
        while bytes.count > StateFolder.fileBytesMax {
            count /= 2
            bytes = Self.encoded(texts.prefix(count))
        }
        try self.folder.replace(Self.name, with: bytes)
    }

    private static func encoded(_ texts: ArraySlice<PreparedText>) -> [UInt8] {
        let document = Document(
            format: 1,
            statements: texts.map {
                Document.Statement(
                    keyspace: $0.keyspace,
                    text: $0.text,
                    metadata: String($0.metadata, radix: 16)
                )
            }
        )
        guard let bytes = try? DocumentCoding.encode(document) else {
            preconditionFailure("texts can be written as JSON")
        }
        return Array(bytes)
    }
}
