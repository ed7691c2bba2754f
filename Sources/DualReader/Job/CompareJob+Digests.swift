import CQLClient
import Logging
import TokenRanges

/// Ranges that are compared by digests, where a peer stands near the other cluster.
extension CompareJob {
    /// About how many bytes a row has where nothing but the size of a range is known: leaves become somewhat larger or smaller.
    private static var bytesPerRow: Int64 { 100 }

    /// Meets the peer before anything is read.
    ///
    /// - Returns: The ids of the nodes of its cluster as they are seen from here; none where there is no peer.
    /// - Throws: ``DigestError`` where it is required and cannot be asked; `CQLSessionError`.
    static func meet(
        _ peering: DigestPeering?,
        _ source: CQLSession,
        _ target: CQLSession,
        _ logger: Logger
    ) async throws -> Set<String> {
        guard let peering else { return [] }
        let hosts = try await ClusterIdentity.hosts(peering.cluster == .source ? source : target)
        do {
            let (greeting, _) = try await peering.peer.greeting(of: peering.cluster)
            try greeting.check(peering.cluster, hosts)
        } catch let error as DigestError where !peering.isRequired {
            logger.warning("the peer cannot be asked", metadata: ["reason": "\(error)"])
        }
        return hosts
    }

    /// Compares a range: by digests where there is a peer, and row by row what they leave open.
    func compare(
        _ range: TokenRange,
        of part: JobPart,
        _ comparison: RangeComparison,
        _ claim: (Int64, RangeComparison.Decided) async throws -> Void
    ) async throws {
        guard let peering = self.settings.peering else { return try await comparison.run(range, claim: claim) }
        let outcome: DigestComparison.Outcome
        do {
            let share = Double(range.tokenCount) / Double(part.range.tokenCount)
            let rows = part.expectedBytes.map { Int64(Double($0) * share) / Self.bytesPerRow }
            outcome = try await self.digests(comparison, peering).run(range, expectedRows: rows, seed: self.seed)
        } catch let error as DigestError where !peering.isRequired {
            self.logger.warning(
                "a range is compared without digests",
                metadata: ["table": "\(part.table)", "reason": "\(error)"]
            )
            var carried = comparison.nothing
            carried.tally.rangesWithoutPeer = 1
            return try await comparison.run(range) { token, decided in
                carried += decided
                try await claim(token, carried)
                carried = comparison.nothing
            }
        }
        try await comparison.run(outcome, through: range.end, claim: claim)
    }

    private func digests(_ comparison: RangeComparison, _ peering: DigestPeering) -> DigestComparison {
        let pair = comparison.pair
        let near = peering.cluster.other
        let terms = DigestTerms(pair.table, self.settings, untold: pair.untold)
        return DigestComparison(
            peering: peering,
            table: pair.table.name,
            terms: terms,
            near: DigestReading(
                side: pair.side(near),
                comparison: comparison.comparison,
                untold: Set(pair.untold),
                tenants: pair.tenants,
                options: self.settings.reading,
                pace: near == .source ? self.pace.source : self.pace.target
            ),
            farHosts: self.farHosts,
            toleranceSeconds: self.settings.rules.timeToLiveToleranceSeconds,
            comparesLives: self.settings.rules.comparesTimeToLive,
            now: { SQLiteJobStore.wallClock() }
        )
    }
}

extension DigestGreeting {
    /// Refuses a reader that speaks another version, or of another cluster.
    ///
    /// - Parameter hosts: ids of the nodes of the cluster as it is seen from here.
    func check(_ cluster: Side, _ hosts: Set<String>) throws(DigestError) {
        guard self.version == DigestTerms.version else {
            throw DigestError(
                .version,
                "the peer speaks version \(self.version) of digests, this reader \(DigestTerms.version): "
                    + "let both have the same version of cluster-sync"
            )
        }
        guard !self.hosts.isDisjoint(with: hosts) else {
            throw DigestError(
                .cluster,
                "the peer's \(cluster.rawValue) is another cluster than the one that is configured here: "
                    + "no node of it is known here"
            )
        }
    }
}
