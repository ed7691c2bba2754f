import CQLClient
import Logging
import NIOCore

/// A worker's sessions, each on an event loop of its own where there are as many.
struct LoadSessions: Sendable {
    /// With a live source.
    var source: CQLSession?
    var target: CQLSession
    /// With the target, for the job's store alone: leases are renewed however many writes wait. Nil where the store is a file.
    var store: CQLSession?

    /// Connects, runs `body`, and closes whatever happens.
    ///
    /// - Parameter usesStore: false for a dry run, which has no job.
    static func with<Result: Sendable>(
        _ settings: LoadSettings,
        usesStore: Bool,
        on group: any EventLoopGroup,
        logger: Logger,
        _ body: @Sendable @escaping (LoadSessions) async throws -> Result
    ) async throws -> Result {
        @Sendable func connecting<Value: Sendable>(
            _ cluster: ClusterConfiguration?,
            _ limits: CQLSession.Limits,
            _ body: @Sendable @escaping (CQLSession?) async throws -> Value
        ) async throws -> Value {
            guard let cluster else { return try await body(nil) }
            return try await CQLSession.withSession(cluster, limits: limits, on: group.next(), logger: logger) {
                try await body($0)
            }
        }
        var (source, store): (ClusterConfiguration?, ClusterConfiguration?)
        if case .cluster(let cluster) = settings.source { source = cluster }
        if usesStore, case .target = settings.store { store = settings.target }
        let (ofSource, ofStore) = (source, store)
        return try await CQLSession.withSession(
            settings.target,
            limits: settings.targetSession,
            on: group.next(),
            logger: logger
        ) { target in
            try await connecting(ofSource, settings.sourceSession) { source in
                try await connecting(ofStore, settings.targetSession) { store in
                    try await body(LoadSessions(source: source, target: target, store: store))
                }
            }
        }
    }
}
