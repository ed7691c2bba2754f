/// Where one request goes: a pure function of its kind, the write mode and the operator's policy (DESIGN §5).
public enum RoutePlan: Sendable, Hashable {
    /// The proxy answers by itself.
    case proxy
    /// One cluster, whose answer goes to the client.
    case single(Cluster)
    /// The primary answers the client; after its yes the shadow gets a copy that nobody waits for.
    case ship(primary: Cluster, copy: Copy)
    /// Both at once; the client waits for both.
    case join(primary: Cluster)
    /// The primary, then the shadow; the client waits for both.
    case sequence(primary: Cluster, copy: Copy)
    /// Nowhere; the text says which policy forbids it.
    case refuse(String)

    /// What the shadow gets.
    public enum Copy: UInt8, Sendable, Hashable {
        /// The request itself, repeated until it is confirmed.
        case repeatable
        /// The request itself, once: after an unknown outcome the partition is in doubt.
        case once
        /// The request itself, alone: everything before it is confirmed first, everything after it waits.
        case fence
        /// What an applied conditional statement amounts to: the same mutation without its condition.
        case outcome
    }

    /// The cluster whose answer decides, where one does.
    public var primary: Cluster? {
        switch self {
        case .proxy, .refuse: nil
        case .single(let cluster): cluster
        case .ship(let primary, _), .join(let primary), .sequence(let primary, _): primary
        }
    }

    /// The same way where nothing of the write is wanted on the shadow (see ``TableFilter``).
    public var withoutShadow: RoutePlan {
        switch self {
        case .proxy, .single, .refuse: self
        case .ship(let primary, _), .join(let primary), .sequence(let primary, _): .single(primary)
        }
    }

    /// The way of a request in a mode in which nothing is under way.
    public init(kind: RequestKind, mode: WriteMode, policy: StatementPolicy) {
        self.init(kind: kind, stage: ModeStage(mode), policy: policy)
    }

    /// The way of a request.
    public init(kind: RequestKind, stage: ModeStage, policy: StatementPolicy) {
        let mode = stage.mode
        let primary = mode.primary
        switch kind {
        case .virtualTable, .use:
            self = .proxy
        case .read:
            self = .single(stage.reads)
        case .systemRead, .systemWrite:
            self = .single(primary)
        case .schemaChange:
            self = Self.destination(policy.schemaChanges, mode: mode, what: "schema changes (policy ddl: refuse)")
        case .access:
            self = Self.destination(policy.access, mode: mode, what: "roles and permissions (policy roles: refuse)")
        case .plainWrite, .conditional, .counterWrite, .nonIdempotentWrite, .truncate, .notUnderstood:
            guard mode.shadow != nil else {
                self = .single(primary)
                return
            }
            let copy: Copy =
                switch kind {
                case .plainWrite: .repeatable
                case .conditional: .outcome
                case .truncate: .fence
                default: .once
                }
            if !mode.isJoin {
                self = .ship(primary: primary, copy: copy)
            } else if kind == .conditional {
                self = .sequence(primary: primary, copy: .outcome)
            } else {
                self = .join(primary: primary)
            }
        }
    }

    private static func destination(
        _ destination: StatementPolicy.Destination,
        mode: WriteMode,
        what: String
    ) -> RoutePlan {
        switch destination {
        case .refuse: .refuse("cluster-sync refuses \(what)")
        case .both where mode.shadow != nil: .sequence(primary: mode.primary, copy: .fence)
        case .both, .primary: .single(mode.primary)
        }
    }
}
