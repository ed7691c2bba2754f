public import CQLProtocol

/// Which schema changes that the clusters announce clients are told of: each once, though both clusters announce what was done on
/// both, and though another one may be primary by the time the second announcement comes.
///
/// What was made or dropped is told when the primary announces it, unless it was told before; an announcement that comes late,
/// from a cluster that is no longer primary, is told where the new primary's was passed over. Updates may come several times in
/// a row, so that one cannot be told from another: each that the primary announces is told. A value of its loop.
public struct SchemaNews: Sendable {
    private struct Known {
        let change: SchemaChange
        var heard = PerCluster(both: 0)
        var told = 0
        var until: Int64
    }

    /// How long two announcements of one change may be apart, in nanoseconds.
    private static var memory: Int64 { 60_000_000_000 }
    /// Changes that are remembered; of more than these the oldest are forgotten, which may tell one twice.
    public static var changesMax: Int { 256 }

    private var known: [Known] = []

    /// Nothing was heard yet.
    public init() {}

    /// Whether clients are to be told of an announcement.
    ///
    /// - Parameter now: nanoseconds of the loop's clock.
    public mutating func isNews(_ change: SchemaChange, from cluster: Cluster, primary: Cluster, now: Int64) -> Bool {
        guard change.change != "UPDATED" else { return cluster == primary }
        self.known.removeAll { $0.until <= now }
        let index: Int
        if let found = self.known.firstIndex(where: { $0.change == change }) {
            index = found
        } else {
            if self.known.count == Self.changesMax { self.known.removeFirst() }
            index = self.known.endIndex
            self.known.append(Known(change: change, until: 0))
        }
        self.known[index].until = now + Self.memory
        self.known[index].heard[cluster] += 1
        let (told, heard) = (self.known[index].told, self.known[index].heard)
        guard told < heard[cluster], told < heard[primary] else { return false }
        self.known[index].told += 1
        return true
    }
}
