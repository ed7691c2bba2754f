import CQLClient
import DualWriteCore
import ShadowJournal

/// What a loop says of itself.
extension DualWriterLoop {
    /// The loop's part of a status.
    struct Report: Sendable {
        struct Leg: Sendable {
            /// Whether the loop lets clients in and sends requests there.
            var isKnown: Bool
            var connections: Int
            var nodes: Set<NodeID>
            var queued: Int
            var bytes: Int
            var oldestMilliseconds: Int
            var isBehind: Bool
            var isHeldBack: Bool
            var isBreakerOpen: Bool
            var waitsForLoginOf: Set<String>
            var journalDiskBytes: Int
            var tables: OwedTables
        }

        var clients: Int
        var counters: DualWriterCounters
        var legs: [Cluster: Leg]
    }

    /// - Parameter lookingAtTables: whether the journals are looked through for whose writes are owed (``OwedTables``).
    func report(lookingAtTables: Bool) -> Report {
        let now = self.now
        var legs: [Cluster: Report.Leg] = [:]
        for name in Cluster.allCases {
            guard let cluster = self.cluster(name) else { continue }
            let lane = self.lane(name)
            legs[name] = Report.Leg(
                isKnown: self.isKnown(name),
                connections: cluster.connectionCount,
                nodes: cluster.connectedNodes,
                queued: lane.count,
                bytes: lane.bytesOwed,
                oldestMilliseconds: lane.oldestMilliseconds(now: now),
                isBehind: lane.isBehind,
                isHeldBack: lane.isHeldBack,
                isBreakerOpen: lane.isBreakerOpen,
                waitsForLoginOf: Set(lane.waitingForLogin.keys),
                journalDiskBytes: lane.log?.diskBytes ?? 0,
                tables: lookingAtTables ? lane.owedTables() : OwedTables()
            )
        }
        return Report(clients: self.clients.count, counters: self.counters, legs: legs)
    }
}
