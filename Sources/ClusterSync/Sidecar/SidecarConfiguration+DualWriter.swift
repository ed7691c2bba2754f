import CQLClient
import DualWriteCore
import DualWriter
import NIOCore

extension SidecarConfiguration {
    /// What the dual writer needs, out of the configuration of the whole sidecar.
    func dualWriter(mode: WriteMode, epoch: Int, secrets: SecretReloader) async throws -> DualWriterConfiguration {
        var configuration = DualWriterConfiguration(
            listenAddress: try SocketAddress.makeAddressResolvingHost(self.listen.host, port: self.listen.port),
            source: try await self.cluster(.source, secrets),
            target: try await self.cluster(.target, secrets),
            mode: mode,
            epoch: epoch
        )
        func resolved(_ address: ListenAddress) throws -> SocketAddress {
            try SocketAddress.makeAddressResolvingHost(address.host, port: address.port)
        }
        configuration.advertisedAddress = try self.advertised.map(resolved)
        configuration.sidecars = try self.sidecars.map(resolved)
        if let files = self.tls {
            configuration.tls = try await secrets.endpoint("clients", files, TLSEndpoint.clients)
        }
        configuration.policy = self.policy
        configuration.filter = self.filter
        configuration.actingAsConfigured = Set(
            Cluster.allCases.filter { self.settings(of: $0).credentials == .configured }
        )
        configuration.timeouts.readMilliseconds = self.timeouts.readMilliseconds
        configuration.timeouts.primaryWriteMilliseconds = self.timeouts.primaryWriteMilliseconds
        configuration.timeouts.shadowWriteMilliseconds = self.timeouts.shadowWriteMilliseconds
        configuration.timeouts.drainMilliseconds = self.timeouts.drainMilliseconds
        configuration.limits.frameBytesMax = self.limits.frameBytes
        configuration.limits.clientConnectionsMax = self.limits.clientConnections
        configuration.limits.inFlightPerClientMax = self.limits.inFlightPerClient
        configuration.limits.clientQueuedBytesMax = self.limits.clientQueuedBytes
        configuration.limits.clientBytesInFlightMax = self.limits.clientBytesInFlight
        configuration.limits.requestsPerLoopMax = self.limits.requestsPerLoop
        configuration.limits.requestBytesPerLoopMax = self.limits.requestBytesPerLoop
        configuration.limits.unfinishedFrameBytesMax = self.limits.unfinishedFrameBytes
        configuration.limits.shadowQueueWritesMax = self.limits.shadowQueueWrites
        configuration.limits.shadowQueueBytesMax = self.limits.shadowQueueBytes
        configuration.limits.shadowInFlightMax = self.limits.shadowInFlight
        configuration.limits.shadowAttemptsMax = self.limits.shadowAttempts
        configuration.limits.idlePoolMillisecondsMax = self.limits.idlePoolMilliseconds
        configuration.limits.preparedStatementsMax = self.limits.preparedStatements
        configuration.limits.comparisonsMax = self.limits.comparisons
        configuration.limits.comparisonBytesMax = self.limits.comparisonBytes
        configuration.requestLog = self.log.requests
        configuration.comparison.percentage = self.validationPercentage
        configuration.comparison.settleMilliseconds = self.comparisonSettleMilliseconds
        // TRUNCATE and schema changes keep their order among the copies of one loop: more loops are somebody's decision.
        configuration.loops = max(1, self.loops)
        return configuration
    }

    private func cluster(_ cluster: Cluster, _ secrets: SecretReloader) async throws -> ClusterConfiguration {
        var configuration = try await self.settings(of: cluster).client(
            cluster.description,
            connectTimeoutMilliseconds: self.timeouts.connectMilliseconds,
            secrets: secrets
        )
        configuration.frameBytesMax = self.limits.frameBytes
        configuration.poolsMax = self.limits.pools
        return configuration
    }
}
