/// What the operator decided for statements that change more than rows.
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

    /// Schema changes.
    public var schemaChanges: Destination
    /// Roles, users and permissions.
    public var access: Destination
    /// Joined writes of which the shadow's half fails.
    public var syncFailure: SyncFailure

    /// DESIGN §5's defaults: schema to both, roles to the primary, a failed join is an error.
    public init(
        schemaChanges: Destination = .both,
        access: Destination = .primary,
        syncFailure: SyncFailure = .fail
    ) {
        self.schemaChanges = schemaChanges
        self.access = access
        self.syncFailure = syncFailure
    }
}
