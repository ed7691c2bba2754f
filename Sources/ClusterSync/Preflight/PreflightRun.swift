import CQLClient
import CQLProtocol
import DualWriteCore
import Logging
import NIOPosix
import Preflight

/// Looks at both clusters, judges them, and makes what is missing where that was asked for.
struct PreflightRun: Sendable {
    let configuration: SidecarConfiguration
    let consistency: Consistency
    /// Whether what is missing is shown as statements.
    let creates: Bool
    /// Whether these are run.
    let applies: Bool
    /// Replicas by data center of missing keyspaces, where somebody has said them.
    let replication: [String: [String: Int]]
    let logger: Logger

    /// A node makes a table while the others learn of it: longer than a read.
    private static let statementMilliseconds = 60_000

    /// - Throws: `CQLSessionError` where a cluster does not answer; ``FileFault`` where certificates or passwords cannot be read.
    func run() async throws -> PreflightReport {
        let secrets = SecretReloader(
            interval: .milliseconds(self.configuration.reloadMilliseconds),
            logger: self.logger
        )
        let source = try await self.cluster(.source, secrets)
        let target = try await self.cluster(.target, secrets)
        let loops = MultiThreadedEventLoopGroup.singleton
        var limits = CQLSession.Limits()
        limits.requestMilliseconds = Self.statementMilliseconds
        let bounds = limits
        return try await CQLSession.withSession(source, on: loops.next(), logger: self.logger) { source in
            try await CQLSession.withSession(target, limits: bounds, on: loops.next(), logger: self.logger) { target in
                try await self.run(source, target)
            }
        }
    }

    private func settings(_ role: ClusterRole) -> ClusterSettings {
        role == .source ? self.configuration.source : self.configuration.target
    }

    private func cluster(_ role: ClusterRole, _ secrets: SecretReloader) async throws -> ClusterConfiguration {
        try await self.settings(role).client(
            role.rawValue,
            connectTimeoutMilliseconds: self.configuration.timeouts.connectMilliseconds,
            secrets: secrets
        )
    }

    private func run(_ source: CQLSession, _ target: CQLSession) async throws -> PreflightReport {
        let ofSource = try await self.picture(source, .source)
        var rules = self.rules(ofSource, try await self.picture(target, .target))
        var creation: PreflightReport.Creation?
        if self.creates {
            let missing = MissingSchema(rules, replication: self.replication)
            var made = PreflightReport.Creation(missing)
            if self.applies {
                await self.apply(&made, on: target)
                // What is judged is what there is now.
                rules = self.rules(ofSource, try await self.picture(target, .target))
            }
            creation = made
        }
        return PreflightReport(rules, creation: creation)
    }

    private func picture(_ session: CQLSession, _ role: ClusterRole) async throws -> ClusterPicture {
        try await ClusterReader(session, role: role, user: self.settings(role).username) { Timestamp.milliseconds() }
            .picture()
    }

    private func rules(_ source: ClusterPicture, _ target: ClusterPicture) -> PreflightRules {
        let filter = self.configuration.filter
        var intent = PreflightRules.Intent { filter.tables.wants(keyspace: $0, table: $1) }
        intent.consistency = self.consistency
        for role in ClusterRole.allCases {
            intent.datacenters[role] = self.settings(role).localDC
            if self.settings(role).driver == .scylla { intent.scyllaDrivers.insert(role) }
        }
        return PreflightRules(source: source, target: target, intent: intent)
    }

    /// One statement after the other, up to the first that is refused: what follows may need it.
    private func apply(_ creation: inout PreflightReport.Creation, on target: CQLSession) async {
        for index in creation.items.indices {
            do {
                // Each of them says IF NOT EXISTS: a second time it changes nothing.
                try await target.query(creation.items[index].statement, isIdempotent: true)
                creation.items[index].outcome = .created
            } catch {
                creation.items[index].outcome = .refused
                creation.items[index].error = "\(error)"
                return
            }
        }
    }
}
