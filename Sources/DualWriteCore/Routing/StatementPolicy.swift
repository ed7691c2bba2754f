/// What the operator decided for statements that change more than rows, and for moments in which not all can be had.
public struct StatementPolicy: Sendable, Hashable {
    /// Where a statement goes.
    public enum Destination: String, Sendable, Hashable, CaseIterable {
        /// To both clusters, the client waits for both.
        case both
        /// To the primary alone.
        case primary
        /// Nowhere: the client gets an INVALID error that names the policy.
        case refuse
    }

    /// When one of two joined writes fails.
    public enum SyncFailure: String, Sendable, Hashable, CaseIterable {
        /// The client gets the error.
        case fail
        /// The client gets the primary's success; the shadow gets the write later.
        case degrade
    }

    /// When the journal has no room for what the shadow is owed.
    public enum JournalFull: String, Sendable, Hashable, CaseIterable {
        /// The application goes on; what it writes is in doubt on the shadow.
        case markDirty = "mark_dirty"
        /// The client gets OVERLOADED, before the primary gets the write.
        case refuse
    }

    /// Schema changes.
    public var schemaChanges: Destination
    /// Roles, users and permissions.
    public var access: Destination
    /// Joined writes of which the shadow's half fails.
    public var syncFailure: SyncFailure
    /// Writes for which the journal has no room.
    public var journalFull: JournalFull

    /// DESIGN's defaults: schema to both, roles to the primary, a failed join is an error, a full journal is not.
    public init(
        schemaChanges: Destination = .both,
        access: Destination = .primary,
        syncFailure: SyncFailure = .fail,
        journalFull: JournalFull = .markDirty
    ) {
        self.schemaChanges = schemaChanges
        self.access = access
        self.syncFailure = syncFailure
        self.journalFull = journalFull
    }
}
