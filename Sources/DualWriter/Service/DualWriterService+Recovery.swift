public import DualWriteCore
import Logging
import NIOCore
import ShadowJournal
import Synchronization

/// What an earlier process has left, and what an operator does with it.
extension DualWriterService {
    /// Has every loop take over the journals of its place, before the first client comes.
    func recover() async throws {
        guard let store = self.store else { return }
        let statesAreCurrent = store.statesAreCurrent
        var total = PerCluster(both: RecoveredRecords())
        let loops = self.state.withLock { $0.loops }
        if store.mayHaveForgottenDoubts, let first = loops.first {
            try await first.eventLoop.submit {
                for cluster in Cluster.allCases { first.value.doubtEverything(on: cluster) }
            }.get()
        }
        for loop in loops {
            let found = try await loop.eventLoop.submit {
                if loop.value.index == 0 {
                    for cluster in Cluster.allCases {
                        guard let log = loop.value.logs[cluster] else { continue }
                        try store.takeOver(into: log, of: cluster, loops: loops.count)
                    }
                }
                return PerCluster(
                    source: loop.value.lane(.source).recover(statesAreCurrent: statesAreCurrent),
                    target: loop.value.lane(.target).recover(statesAreCurrent: statesAreCurrent)
                )
            }.get()
            for cluster in Cluster.allCases { total[cluster].add(found[cluster]) }
        }
        let ahead = (store.timestamps.highestAtStart - LoopClock.wallMicroseconds) / 1_000
        if ahead > 1_000 {
            self.logger.warning(
                "the clock was set back: write timestamps go on from the last one that was given",
                metadata: ["ahead-ms": "\(ahead)"]
            )
        }
        for remark in store.remarks() { self.logger.error("the journal is damaged", metadata: ["where": "\(remark)"]) }
        for cluster in Cluster.allCases where total[cluster].isSomething {
            let found = total[cluster]
            self.logger.notice(
                "the journal holds what an earlier process has not delivered",
                metadata: [
                    "cluster": "\(cluster)", "owed": "\(found.owed)", "owed-to-both": "\(found.owedToBoth)",
                    "doubtful": "\(found.doubtful)", "damaged": "\(found.damaged)",
                ]
            )
        }
    }
}

extension DualWriterService {
    /// The writes that a cluster, or either of them, has refused for good, the oldest first.
    public func deadLetters(max: Int, of cluster: Cluster? = nil) -> [DeadLetter] {
        self.store?.deadLetters.letters(max: max, of: cluster) ?? []
    }

    /// The numbers of all writes that a cluster has refused for good.
    public func deadLetterIDs(of cluster: Cluster) -> Set<UInt64> { self.store?.deadLetters.ids(of: cluster) ?? [] }

    /// Owes a cluster writes that it has refused, once more: all, or those with these numbers. What it refuses again is a dead
    /// letter again, with another number.
    ///
    /// - Returns: how many there were room for in the journal.
    public func retryDeadLetters(of cluster: Cluster, ids: Set<UInt64>?) async throws(DualWriterError) -> Int {
        guard let store = self.store, let loop = self.state.withLock({ $0.loops.first }) else {
            throw DualWriterError(.notRunning, "the proxy is not running, or has no journal")
        }
        let letters = store.deadLetters.entries(of: cluster, ids: ids)
        let taken = try? await loop.eventLoop.submit {
            let lane = loop.value.lane(cluster)
            let taken = letters.prefix { lane.adopt($0.entry) }
            // What came later is there already.
            for letter in taken where letter.entry.isBoundToItsPlace {
                loop.value.doubt(letter.entry, on: cluster, .overtaken)
            }
            lane.pump()
            return taken.map(\.id)
        }.get()
        guard let taken else { throw DualWriterError(.notRunning, "the proxy is stopping") }
        store.deadLetters.remove(Set(taken))
        return taken.count
    }

    /// Forgets writes that a cluster has refused: all, or those with these numbers. What they wrote is in doubt from now on.
    ///
    /// - Returns: how many there were.
    public func discardDeadLetters(of cluster: Cluster, ids: Set<UInt64>?) async throws(DualWriterError) -> Int {
        guard let store = self.store, let loop = self.state.withLock({ $0.loops.first }) else {
            throw DualWriterError(.notRunning, "the proxy is not running, or has no journal")
        }
        let letters = store.deadLetters.entries(of: cluster, ids: ids)
        let isDone: Void? = try? await loop.eventLoop.submit {
            for letter in letters { loop.value.doubt(letter.entry, on: cluster, .discarded) }
        }.get()
        guard isDone != nil else { throw DualWriterError(.notRunning, "the proxy is stopping") }
        store.deadLetters.remove(Set(letters.map(\.id)))
        return letters.count
    }

    /// The partitions in doubt on a cluster, or on either of them, the oldest first.
    public func dirtyPartitions(max: Int, on cluster: Cluster? = nil) -> [DirtyPartition] {
        self.store?.dirty.partitions(max: max, on: cluster) ?? []
    }

    /// How many partitions are in doubt, by cluster, table and reason.
    public func dirtySummary() -> [(cluster: Cluster, table: DirtyPartition.Place, reason: DoubtReason, count: Int)] {
        self.store?.dirty.summary() ?? []
    }

    /// Takes partitions out of doubt, because somebody has compared and repaired them: all of a cluster, or of one table.
    ///
    /// - Returns: how many there were.
    public func clearDirtyPartitions(of cluster: Cluster, table: DirtyPartition.Place?) -> Int {
        self.store?.dirty.clear(on: cluster, table: table) ?? 0
    }

    /// The entries of a cluster about one table, in the order in which they were put into doubt last.
    ///
    /// - Parameter mark: only those behind it are told.
    public func dirtyPartitions(
        of table: DirtyPartition.Place,
        on cluster: Cluster,
        after mark: UInt64,
        max: Int
    ) -> [DirtyPartition] {
        self.store?.dirty.partitions(of: table, on: cluster, after: mark, max: max) ?? []
    }

    /// Takes entries of a cluster out of doubt that still have these marks; what was put into doubt again since stays.
    ///
    /// - Returns: how many there were.
    public func clearDirtyPartitions(of cluster: Cluster, marks: Set<UInt64>) -> Int {
        self.store?.dirty.clear(on: cluster, marks: marks) ?? 0
    }
}

extension RecoveredRecords {
    var isSomething: Bool { self.owed + self.doubtful + self.damaged > 0 }

    mutating func add(_ other: RecoveredRecords) {
        self.owed += other.owed
        self.owedToBoth += other.owedToBoth
        self.doubtful += other.doubtful
        self.damaged += other.damaged
    }
}
