import CQLProtocol

/// Schema changes that were told without an event, and whose events may still come: each of them once.
struct MissedChanges {
    private var changes: [SchemaChange]

    init(_ changes: [SchemaChange]) { self.changes = changes }

    /// Whether the event of a change may be about what was told already.
    func contains(_ change: SchemaChange) -> Bool { self.changes.contains(change) }

    /// The event of a change has come.
    mutating func remove(_ change: SchemaChange) {
        if let index = self.changes.firstIndex(of: change) { self.changes.remove(at: index) }
    }
}
