/// Who says whether a client's name and password are right.
public enum LoginCheck: Sendable, Hashable {
    /// Nobody asks for them.
    case none
    /// A cluster, with the client's own credentials.
    case cluster(Cluster)
    /// The sidecar: they must be those that are configured for a cluster, under which all requests run there.
    case configured(Cluster)

    /// Decides for a mode. The primary is asked before the shadow, and a cluster only where clients act there under their own
    /// names.
    ///
    /// - Parameters:
    ///   - others: modes that tables have of their own.
    ///   - asksForCredentials: the cluster has an authenticator.
    ///   - usesOwnNames: clients act on the cluster under their own names.
    public init(
        mode: WriteMode,
        others: [ModeStage] = [],
        asksForCredentials: (Cluster) -> Bool,
        usesOwnNames: (Cluster) -> Bool
    ) {
        let modes = [mode] + others.map(\.mode)
        let legs = modes.flatMap { [$0.primary] + ($0.shadow.map { [$0] } ?? []) }
        if let cluster = legs.first(where: { usesOwnNames($0) && asksForCredentials($0) }) {
            self = .cluster(cluster)
        } else if let cluster = modes.map(\.primary).first(where: asksForCredentials) {
            self = .configured(cluster)
        } else {
            self = .none
        }
    }

    /// The cluster whose authenticator the client is told of.
    public var cluster: Cluster? {
        switch self {
        case .none: nil
        case .cluster(let cluster), .configured(let cluster): cluster
        }
    }
}
