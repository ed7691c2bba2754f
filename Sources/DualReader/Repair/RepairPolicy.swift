/// Who is right where the clusters differ.
public enum RepairPolicy: String, Sendable, Hashable, CaseIterable {
    /// What the source has. Where the target's is newer, it is written with a timestamp one microsecond above the target's.
    case sourceWins = "source_wins"
    /// What is newer, cell by cell as Cassandra itself reconciles replicas; the source is written to as well.
    case newestWins = "newest_wins"
    /// Nobody: differences are reported, and nothing is written.
    case manual
}

/// What a repair may do.
public struct RepairSettings: Sendable, Hashable {
    /// Who is right.
    public var policy = RepairPolicy.manual
    /// Whether statements are only listed in the report file, and nothing is written.
    public var isDryRun = true
    /// Whether what the target alone has is deleted there, with the timestamp of its newest cell and never with that of now:
    /// what is written later stays.
    public var deletesExtras = false
    /// Under ``RepairPolicy/sourceWins``: whether a cell that got a higher timestamp on the target is written with the same one
    /// on the source, too, so that writetimes are equal afterwards. Without it the values are, and writetimes differ.
    public var alignsSource = false
    /// Whether counters are added to on the target by what they lack. Right only while nothing writes the table on either side.
    public var repairsCounters = false
    /// The time of what no cluster tells a time of, in microseconds: rows that have no cells, whose marker no read shows; and
    /// elements of collections, where it is newer than everything that is told of their row.
    public var untoldTimestamp: Int64?

    /// Nothing is written.
    public init() {}
}
