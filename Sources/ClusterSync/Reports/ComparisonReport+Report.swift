import DualReader
import Operations

extension ComparisonReport {
    /// What the dual writer's gates are told of a comparison of everything.
    init(_ report: CompareReport, beganAt: String, sampledPercentage: Double) {
        self.init(
            job: report.job,
            verdict: report.verdict.word,
            beganAt: beganAt,
            at: Timestamp.now(),
            tokensCoveredRatio: report.coverage,
            sampledPercentage: sampledPercentage,
            differences: report.tally.rowsDifferent,
            tables: report.tables.map {
                .init(table: "\($0.name)", verdict: $0.verdict.word, differences: $0.tally.rowsDifferent)
            }
        )
    }
}
