public import CQLClient
public import CQLProtocol
public import LiveTables
public import TokenRanges

/// What a comparison is to do, and how. Workers of one job must mean the same by it: ``CompareSubject`` says which of it they
/// compare.
public struct CompareSettings: Sendable {
    /// Where a job remembers how far it is.
    public enum Store: Sendable, Hashable {
        /// In a file, for the workers of one machine.
        case sqlite(path: String)
        /// In keyspace `cluster_sync` of the target, for workers anywhere; the replication where it has to be made, as a CQL map.
        case target(replication: String? = nil)
    }

    /// What is compared.
    public enum Scope: String, Sendable, Hashable {
        /// The dirty partitions, then everything.
        case everything
        /// The dirty partitions alone.
        case dirtyPartitions
    }

    /// The job's name, by which its workers find each other.
    public var job: String
    /// The cluster that data comes from.
    public var source: ClusterConfiguration
    /// The cluster that it goes to.
    public var target: ClusterConfiguration
    /// Where the job remembers how far it is.
    public var store: Store
    /// The folder of findings and of reports of repairs; each worker has files of its own in it.
    public var folder: String

    /// Which tables.
    public var tables = TableSelection()
    /// Columns that are not compared, by table; one cluster alone may have them.
    public var leavingOut: [TableName: Set<String>] = [:]
    /// Which tokens; all where there are none. They do not overlap.
    public var ranges: [TokenRange] = []
    /// Which share of the partitions.
    public var sampling = Sampling()
    /// Which tenants; all where it is nil.
    public var tenants: TenantFilter?
    /// What is compared first, or alone.
    public var scope = Scope.everything
    /// Dirty partitions of a table that are compared in one run at most.
    public var dirtyPartitionsMax = 10_000

    /// What counts as a difference.
    public var rules = ComparisonRules()
    /// How a difference is looked at again before it counts.
    public var settling = SettleLimits()
    /// What is done about those that remain.
    public var repair = RepairSettings()
    /// When the file that tells of repairs is put aside.
    public var repairFile = RepairReport.Rotation()
    /// The consistency level of repairs.
    public var writeConsistency = Consistency.localQuorum

    /// How a worker takes parts: how many at once, how often, for how long. A part that waits for its rows to settle counts.
    public var runner = RunnerSettings(concurrency: 8, attemptsMax: 30)
    /// The reader near one of the clusters that answers with digests; nil where both are read from here.
    public var peering: DigestPeering?
    /// Rows and bytes that this worker reads in a second, of each cluster for itself.
    public var rates = RateLimits()
    /// How both clusters are read: consistency and bytes of a page among them.
    public var reading = LiveReader.Options()
    /// About how many bytes of a table a part has.
    public var bytesPerPart: Int64 = 64 << 20
    /// So many rows of one side, a part claims what is done.
    public var checkpointRows = 100_000
    /// Differences of each class that are kept as samples, for each table.
    public var samplesPerClassMax = 20
    /// The bounds of the session with the source.
    public var sourceSession = CQLSession.Limits()
    /// The bounds of the session with the target.
    public var targetSession = CQLSession.Limits()
    /// How often the progress is looked at while a worker works; speeds are reckoned from it.
    public var sampleInterval = Duration.seconds(10)

    /// Settings with the defaults of everything that is not named here.
    public init(
        job: String,
        source: ClusterConfiguration,
        target: ClusterConfiguration,
        store: Store,
        folder: String
    ) {
        self.job = job
        self.source = source
        self.target = target
        self.store = store
        self.folder = folder
    }
}

/// What a job is about, as text: what all of its workers must mean alike.
struct CompareSubject: Sendable, Hashable {
    let text: String

    init(_ settings: CompareSettings) {
        func points(_ cluster: ClusterConfiguration) -> [String] {
            cluster.contactPoints.map { "\($0.host):\($0.port ?? cluster.port)" }.sorted()
        }
        var lines = ["compare \(points(settings.source)) with \(points(settings.target))"]
        lines.append("include \(settings.tables.include.sorted()) exclude \(settings.tables.exclude.sorted())")
        if let only = settings.tables.only { lines.append("only \(only.map { "\($0)" }.sorted())") }
        for (table, columns) in settings.leavingOut.sorted(by: { $0.key < $1.key }) {
            lines.append("without \(table) \(columns.sorted())")
        }
        lines.append("ranges \(settings.ranges.sorted().map(\.description))")
        let sampling = settings.sampling
        lines.append("sampling \(sampling.percentage) seed \(sampling.seed) slices \(sampling.slices)")
        if let tenants = settings.tenants { lines.append("tenants \(tenants.column) \(tenants.values.sorted())") }
        let rules = settings.rules
        lines.append(
            "writetimes \(rules.comparesWritetimes) \(rules.writetimeToleranceMicroseconds) "
                + "ttl \(rules.comparesTimeToLive) \(rules.timeToLiveToleranceSeconds) lists \(rules.comparesListTimes)"
        )
        let repair = settings.repair
        lines.append("repair \(repair.policy.rawValue) dry \(repair.isDryRun) extras \(repair.deletesExtras)")
        self.text = lines.joined(separator: "\n")
    }
}
