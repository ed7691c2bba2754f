import CQLClient
import DualWriteCore
import ShadowJournal

/// What an operator sees of a loop.
extension DualWriterLoop {
    /// The loop's part of a status.
    struct Report: Sendable {
        struct Leg: Sendable {
            var connections: Int
            var nodes: Set<NodeID>
            var queued: Int
            var bytes: Int
            var oldestMilliseconds: Int
            var isBehind: Bool
            var isHeldBack: Bool
            var waitsForLoginOf: Set<String>
            var journalDiskBytes: Int
        }

        var clients: Int
        var counters: DualWriterCounters
        var legs: [Cluster: Leg]
    }

    func report() -> Report {
        let now = self.now
        var legs: [Cluster: Report.Leg] = [:]
        for name in Cluster.allCases {
            guard let cluster = self.cluster(name) else { continue }
            let lane = self.lane(name)
            legs[name] = Report.Leg(
                connections: cluster.connectionCount,
                nodes: cluster.connectedNodes,
                queued: lane.count,
                bytes: lane.bytes,
                oldestMilliseconds: lane.oldestMilliseconds(now: now),
                isBehind: lane.isBehind,
                isHeldBack: lane.isHeldBack,
                waitsForLoginOf: Set(lane.waitingForLogin.keys),
                journalDiskBytes: lane.log?.diskBytes ?? 0
            )
        }
        return Report(clients: self.clients.count, counters: self.counters, legs: legs)
    }
}
