import DualWriteCore
import Synchronization

/// How far the loops of one process are with what they owe, for comparisons that must not take a copy on its way in another
/// loop for a difference. Thread-safe: each loop writes its own places, all read them.
final class OwedProgress: Sendable {
    private struct Place: ~Copyable {
        /// When it was written, in milliseconds since 1970.
        let at = Atomic<Int64>(0)
        /// Since when the loop owes its oldest write; `Int64.max` where it owes none.
        let oldest = Atomic<Int64>(0)
    }

    private final class Loop: Sendable {
        let source = Place()
        let target = Place()

        subscript(cluster: Cluster) -> (at: Int64, oldest: Int64) {
            switch cluster {
            case .source: (self.source.at.load(ordering: .acquiring), self.source.oldest.load(ordering: .acquiring))
            case .target: (self.target.at.load(ordering: .acquiring), self.target.oldest.load(ordering: .acquiring))
            }
        }

        func set(_ cluster: Cluster, at: Int64, oldest: Int64) {
            switch cluster {
            case .source:
                self.source.oldest.store(oldest, ordering: .releasing)
                self.source.at.store(at, ordering: .releasing)
            case .target:
                self.target.oldest.store(oldest, ordering: .releasing)
                self.target.at.store(at, ordering: .releasing)
            }
        }
    }

    private let loops: [Loop]

    init(loops: Int) { self.loops = (0..<loops).map { _ in Loop() } }

    /// Notes what a loop owes now. To be called on the loop, again and again.
    func publish(_ loop: DualWriterLoop) {
        let wall = loop.wallMilliseconds
        for cluster in Cluster.allCases {
            let lane = loop.lane(cluster)
            let oldest = lane.count == 0 ? .max : wall - Int64(lane.oldestMilliseconds(now: loop.now))
            self.loops[loop.index].set(cluster, at: wall, oldest: oldest)
        }
    }

    /// Whether a cluster has everything that the loops, but for one, owed it at a moment in milliseconds since 1970.
    func isDelivered(to cluster: Cluster, since wall: Int64, except index: Int) -> Bool {
        self.loops.enumerated().allSatisfy { place, loop in
            guard place != index else { return true }
            let owed = loop[cluster]
            return owed.at > wall && owed.oldest > wall
        }
    }
}
