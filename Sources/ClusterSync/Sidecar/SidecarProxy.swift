import CQLClient
import DualWriteCore
import DualWriter
import NIOCore

/// What the control of a sidecar needs of the proxy.
protocol SidecarProxy: JournalProxy {
    /// Everything at one moment, which may be a little while ago.
    func status() -> DualWriterStatus

    /// Everything as it is now.
    func currentStatus() async -> DualWriterStatus

    /// Asks each node of a cluster to which a connection stands whether it answers.
    func askNodes(of cluster: Cluster, within time: Duration) async -> [NodeID: SignOfLife]

    /// Switches every loop; when it returns, every request that arrives is handled in `mode`. `force`
    /// also overrules the gates of a single step.
    func setMode(_ mode: WriteMode, epoch: Int, force: Bool, reason: String?) async throws

    /// Switches every loop to modes that all replicas have decided on: nothing stands against them.
    func enter(_ modes: TableModes, epoch: Int, reason: String) async throws

    /// Finds out whether modes could be entered, and changes nothing.
    func check(_ modes: TableModes, force: Bool, reason: String?) async throws

    /// Lets requests pass until a moment, and refuses later ones until it is told a later moment; `inPart` only those for
    /// tables that are written to both clusters.
    func mayAct(until moment: NIODeadline, inPart: Bool)

    /// Switches every loop; when it returns, every request that arrives goes by these modes of single tables.
    /// `force` also overrules the gates of single steps.
    func setOverrides(_ overrides: ModeOverrides, epoch: Int, force: Bool, reason: String?) async throws

    /// Times that apply to requests that arrive later.
    func setTimeouts(_ timeouts: DualWriterTimeouts) async throws

    /// The share of later reads that is compared between the clusters, 0 to 100 per cent.
    func setComparisonPercentage(_ percentage: Double) async throws

    /// What the shadow gets copies of.
    var filter: CurrentFilter { get }

    /// Changes it; writes that arrive later go by it.
    func setFilter(_ filter: CurrentFilter)

    /// Changes which requests are logged one by one.
    func setRequestLog(_ settings: RequestLogSettings) async

    /// Opens and checks the new contact points before anything changes; nil leaves a cluster as it is, an empty list takes
    /// it away.
    func setHosts(source: [String]?, target: [String]?) async throws

    /// Where applications connect, once the listener stands.
    var listenAddress: String? { get }
}

/// What it needs about what the clusters are owed. All of it is empty where there is no journal.
protocol JournalProxy: Sendable {
    /// Everything as it is now, with the tables of what is owed.
    func statusWithTables() async -> DualWriterStatus

    /// The writes that a cluster, or either, has refused for good, the oldest first.
    func deadLetters(of cluster: Cluster?, max: Int) -> [DeadLetter]
    /// The numbers of all that a cluster has refused for good.
    func deadLetterIDs(of cluster: Cluster) -> Set<UInt64>
    /// Owes them again; how many there was room for.
    func retryDeadLetters(of cluster: Cluster, ids: Set<UInt64>) async throws -> Int
    /// Forgets them; how many there were.
    func discardDeadLetters(of cluster: Cluster, ids: Set<UInt64>) async throws -> Int

    /// The partitions in doubt on a cluster, or on either, the oldest first.
    func dirtyPartitions(on cluster: Cluster?, max: Int) -> [DirtyPartition]
    /// How many there are by cluster, table and reason.
    func dirtySummary() -> [(cluster: Cluster, table: DirtyPartition.Place, reason: DoubtReason, count: Int)]
    /// Takes partitions out of doubt: all of a cluster, or of one table; how many there were.
    func clearDirtyPartitions(of cluster: Cluster, table: DirtyPartition.Place?) -> Int

    /// The entries of a cluster about one table, in the order in which they were put into doubt last.
    func dirtyPartitions(
        of table: DirtyPartition.Place,
        on cluster: Cluster,
        after mark: UInt64,
        max: Int
    ) -> [DirtyPartition]
    /// Takes entries that still have these marks out of doubt; how many there were.
    func clearDirtyPartitions(of cluster: Cluster, marks: Set<UInt64>) -> Int
    /// Which of some partitions are still owed writes.
    func owed(_ partitions: OwedPartitions) async -> OwedPartitions
}
