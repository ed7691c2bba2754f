import FoundationEssentials
import Operations

/// Keeps who changed what in `audit.json`, the newest ``AuditDocument/recordsMax`` changes.
struct AuditStore: Sendable {
    static let name = "audit.json"
    static let damagedName = "audit.damaged.json"

    private struct Document: Codable {
        var format: Int
        var records: [AuditRecord]
    }

    let folder: StateFolder

    /// The records, oldest first, with a remark for the log where they could not be read; what cannot be read is kept aside.
    func load() -> (records: [AuditRecord], remark: String?) {
        do throws(StateError) {
            guard let bytes = try self.folder.content(of: Self.name) else { return ([], nil) }
            let document = try? DocumentCoding.decode(Document.self, from: Data(bytes))
            if let document, document.format == 1 { return (document.records, nil) }
            try self.folder.replace(Self.damagedName, with: bytes)
            return ([], "\(Self.name) is damaged; it is kept as \(Self.damagedName)")
        } catch {
            return ([], error.description)
        }
    }

    /// Returns when the disk has them.
    func save(_ records: [AuditRecord]) throws(StateError) {
        guard let bytes = try? DocumentCoding.encode(Document(format: 1, records: records)) else {
            preconditionFailure("the audit could not be written as JSON")
        }
        try self.folder.replace(Self.name, with: Array(bytes))
    }
}
