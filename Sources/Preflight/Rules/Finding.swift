/// Something that an operator should know before a migration.
public struct Finding: Sendable, Hashable, Codable {
    /// How much it matters.
    public enum Severity: String, Sendable, Hashable, Codable, CaseIterable, Comparable {
        /// The migration must not begin before it is mended.
        case blocks
        /// It works, where one knows of it and does what is said.
        case care
        /// Good to know.
        case note

        /// Whether the first matters more.
        public static func < (left: Self, right: Self) -> Bool { left.order < right.order }

        private var order: Int {
            switch self {
            case .blocks: 0
            case .care: 1
            case .note: 2
            }
        }
    }

    /// How much it matters.
    public var severity: Severity
    /// A short name of the kind that does not change.
    public var kind: String
    /// The cluster; absent where it is about both.
    public var cluster: ClusterRole?
    /// The keyspace, `keyspace.table` or node that it is about; absent where it is about the cluster.
    public var place: String?
    /// What was found.
    public var what: String
    /// What to do.
    public var advice: String

    /// A finding.
    public init(
        _ severity: Severity,
        _ kind: String,
        _ cluster: ClusterRole?,
        _ place: String?,
        _ what: String,
        _ advice: String
    ) {
        self.severity = severity
        self.kind = kind
        self.cluster = cluster
        self.place = place
        self.what = what
        self.advice = advice
    }
}
