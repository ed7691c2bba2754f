import CQLProtocol
import NIOCore

/// Schema changes that were told without an event, and whose events may still come: each of them once, and soon.
struct MissedChanges {
    private var changes: [SchemaChange]
    private let deadline = NIODeadline.now() + .seconds(1)

    init(_ changes: [SchemaChange]) { self.changes = changes }

    /// Whether an event says what was told already; it does so once.
    mutating func take(_ change: SchemaChange) -> Bool {
        guard !self.changes.isEmpty, NIODeadline.now() < self.deadline, let index = self.changes.firstIndex(of: change)
        else { return false }
        self.changes.remove(at: index)
        return true
    }
}
