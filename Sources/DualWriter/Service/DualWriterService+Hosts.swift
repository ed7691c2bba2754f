public import CQLClient
public import DualWriteCore
import Logging
import NIOCore
import Synchronization

/// Other hosts while the proxy runs.
extension DualWriterService {
    /// A cluster that was looked at and may take its place.
    private struct Candidate {
        let cluster: Cluster
        var configuration: ClusterConfiguration
        /// Nil where the cluster is taken away.
        var found: (watch: ClusterWatch, topology: ClusterTopology)?
    }

    /// Changes the contact points of one cluster or both. An empty list takes a cluster away.
    ///
    /// The new hosts are connected to and asked who they are before anything changes. A leg that the write mode uses can
    /// move to other hosts of its own cluster only: another cluster would not hold what was written so far.
    ///
    /// - Throws: ``DualWriterError``; nothing is changed then.
    public func setContactPoints(_ changes: [Cluster: [ContactPoint]]) async throws(DualWriterError) {
        try self.beginChange()
        defer { self.endChange() }
        guard let eventLoop = self.state.withLock({ $0.loops.first?.eventLoop }) else {
            throw DualWriterError(.notRunning, "the proxy is not running")
        }
        var candidates: [Candidate] = []
        do {
            for cluster in Cluster.allCases {
                guard let contactPoints = changes[cluster] else { continue }
                var configuration = self.state.withLock { $0[cluster] }
                guard configuration.contactPoints != contactPoints else { continue }
                configuration.contactPoints = contactPoints
                var candidate = Candidate(cluster: cluster, configuration: configuration)
                if !contactPoints.isEmpty {
                    candidate.found = try await self.look(at: cluster, configuration, on: eventLoop)
                }
                candidates.append(candidate)
                try await self.check(candidate)
            }
        } catch {
            for candidate in candidates { await candidate.found?.watch.stop() }
            throw error
        }
        for candidate in candidates { await self.install(candidate) }
    }

    private func look(
        at cluster: Cluster,
        _ configuration: ClusterConfiguration,
        on eventLoop: any EventLoop
    ) async throws(DualWriterError) -> (ClusterWatch, ClusterTopology) {
        let watch = ClusterWatch(configuration, on: eventLoop, logger: self.logger)
        do {
            return (watch, try await watch.firstLook())
        } catch {
            await watch.stop()
            let hosts = configuration.contactPoints.map(\.description).joined(separator: ", ")
            throw DualWriterError(
                .clusterUnreachable,
                "the \(cluster) cluster cannot be reached at \(hosts): \(error.description)"
            )
        }
    }

    /// Refuses what would leave acknowledged writes behind.
    private func check(_ candidate: Candidate) async throws(DualWriterError) {
        let cluster = candidate.cluster
        let mode = self.modes.stages.first { $0.mode.needs(cluster) }?.mode
        let known = self.state.withLock { $0.topologies[cluster] }
        if let found = candidate.found {
            if let refusal = self.state.withLock({ $0.refusal(of: found.topology, as: cluster) }) {
                throw DualWriterError(.anotherCluster, refusal)
            }
            if let known, found.topology.isSameCluster(as: known) != false { return }
        }
        let status = await self.status()
        if let owed = status.leg(cluster)?.shadowWritesQueued, owed > 0 {
            throw DualWriterError(
                .writesOwed,
                "\(owed) writes have not reached the \(cluster) cluster yet; try again when they have"
            )
        }
        guard let mode else { return }
        guard candidate.found != nil else {
            throw DualWriterError(.clusterMissing, "\(mode) needs the \(cluster) cluster, which would have no host")
        }
        // Hosts that never answered can be put right in any mode.
        guard known != nil else { return }
        throw DualWriterError(
            .anotherCluster,
            "the new hosts are not of the \(cluster) cluster that \(mode) uses (no host_id in common), and do not hold "
                + "what was written to it; go to a mode without the \(cluster) cluster first"
        )
    }

    private func install(_ candidate: Candidate) async {
        let cluster = candidate.cluster
        let (isSame, loops, old) = self.state.withLock { state in
            let known = state.topologies[cluster]
            let isSame = known.flatMap { known in candidate.found.map { $0.topology.isSameCluster(as: known) != false }
            }
            state[cluster] = candidate.configuration
            state.topologies[cluster] = candidate.found?.topology
            let old = state.watches.removeValue(forKey: cluster)
            state.watches[cluster] = candidate.found?.watch
            state.refusals[cluster] = nil
            return (isSame ?? false, state.loops, old)
        }
        await old?.stop()
        for loop in loops {
            _ = try? await loop.eventLoop.submit {
                // Within one cluster the connections that stand go on.
                if !isSame { loop.value.setCluster(cluster, to: candidate.found.map { _ in candidate.configuration }) }
                if let found = candidate.found { loop.value.setTopology(found.topology, of: cluster) }
            }.get()
        }
        if let found = candidate.found { self.follow(found.watch, cluster) }
        self.logger.notice(
            "hosts changed",
            metadata: [
                "cluster": "\(cluster)",
                "hosts": "\(candidate.configuration.contactPoints.map(\.description).joined(separator: ","))",
            ]
        )
    }
}
