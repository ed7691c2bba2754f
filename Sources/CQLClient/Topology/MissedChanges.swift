import CQLProtocol

/// Schema changes that were told without an event, and whose events may still come: each of them once.
struct MissedChanges {
    private var changes: [SchemaChange]

    init(_ changes: [SchemaChange]) { self.changes = changes }

    /// Whether an event may be about what was told already; it does so once.
    mutating func take(_ change: SchemaChange) -> Bool {
        guard let index = self.changes.firstIndex(of: change) else { return false }
        self.changes.remove(at: index)
        return true
    }
}
