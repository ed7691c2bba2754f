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
    ///   - asksForCredentials: the cluster has an authenticator.
    ///   - usesOwnNames: clients act on the cluster under their own names.
    public init(
        mode: WriteMode,
        asksForCredentials: (Cluster) -> Bool,
        usesOwnNames: (Cluster) -> Bool
    ) {
        let legs = [mode.primary] + (mode.shadow.map { [$0] } ?? [])
        if let cluster = legs.first(where: { usesOwnNames($0) && asksForCredentials($0) }) {
            self = .cluster(cluster)
        } else if !usesOwnNames(mode.primary), asksForCredentials(mode.primary) {
            self = .configured(mode.primary)
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
