/// The steps of a migration with what was found. Pure.
public struct MigrationPlan: Sendable, Hashable {
    /// One sentence for each.
    public let steps: [String]

    /// The steps where these are the findings.
    public init(_ findings: [Finding]) {
        func places(_ kinds: String...) -> [String] {
            Set(findings.filter { kinds.contains($0.kind) }.compactMap(\.place)).sorted()
        }
        var steps: [String] = []
        let blocking = findings.count { $0.severity == .blocks }
        if blocking > 0 { steps.append("Mend what blocks (\(blocking)), and run this again.") }
        steps.append("Start the sidecars in PrimaryOnly, point the applications at them, and watch for a day.")
        steps.append("`cluster-sync phase set DualWriteAsync`: from now on both clusters get what is written.")
        let counters = places("counter")
        let lists = places("list", "super_columns")
        steps.append(
            "`cluster-sync sstable-loader plan`, then the load"
                + (counters.isEmpty ? "" : ", without \(counters.joined(separator: ", "))")
                + (lists.isEmpty
                    ? "." : "; from SSTables where the lists change meanwhile: \(lists.joined(separator: ", ")).")
        )
        if !counters.isEmpty {
            steps.append(
                "Stop who counts, load \(counters.joined(separator: ", ")) by adding differences, let them count again."
            )
        }
        if findings.contains(where: { ["missing_index", "missing_view"].contains($0.kind) }) {
            steps.append("Make the indexes and views that the target lacks.")
        }
        steps.append("`cluster-sync dual-reader compare` until it says in sync.")
        steps.append(
            "`cluster-sync phase set DualWriteSync`, then `ShadowPrimary`; back is the same command, and loses nothing."
        )
        steps.append("Compare once more, and when nobody wants to go back, `cluster-sync phase set TargetOnly`.")
        self.steps = steps
    }
}
