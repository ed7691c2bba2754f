import DualWriteCore
import FoundationEssentials
import Operations

/// Keeps in `reports.json` what loaders and readers have said, so that a restart does not forget that a step is safe.
struct ReportStore: Sendable {
    static let name = "reports.json"

    let folder: StateFolder

    /// What was kept, with a remark for the log where it could not be read: then everything must be reported again.
    func load() -> (reports: ReportsDocument, remark: String?) {
        do throws(StateError) {
            guard let bytes = try self.folder.content(of: Self.name) else { return (ReportsDocument(), nil) }
            if let reports = try? DocumentCoding.decode(ReportsDocument.self, from: Data(bytes)) {
                return (reports, nil)
            }
            return (ReportsDocument(), "\(Self.name) is damaged; loads and comparisons must be reported again")
        } catch {
            return (ReportsDocument(), error.description)
        }
    }

    /// Returns when the disk has them.
    func save(_ reports: ReportsDocument) throws(StateError) {
        guard let bytes = try? DocumentCoding.encode(reports) else {
            preconditionFailure("the reports could not be written as JSON")
        }
        try self.folder.replace(Self.name, with: Array(bytes))
    }
}

extension ReportsDocument {
    /// Takes a report of a load in the place of the one that its worker sent before.
    ///
    /// A job that goes on has begun when it first began, whoever goes on with it; one that was complete before is complete since
    /// then.
    mutating func take(_ report: LoadReport) {
        var report = report
        if let before = self.loads.first(where: { $0.job == report.job && $0.source == report.source }) {
            if let began = Moment.milliseconds(before.beganAt), let now = Moment.milliseconds(report.beganAt),
                began < now
            {
                report.beganAt = before.beganAt
            }
            if before.state == "complete", report.state == "complete", before.tokensCoveredRatio >= 1 {
                report.at = before.at
            }
        }
        self.loads.removeAll { $0.job == report.job && $0.source == report.source }
        self.loads.insert(report, at: 0)
        self.loads = Array(self.loads.prefix(Self.loadsMax))
    }

    /// What the gates look at.
    var loadEvidence: [LoadEvidence] {
        LoadEvidence.combined(
            self.loads.compactMap { report in
                guard let state = LoadEvidence.State(rawValue: report.state),
                    let began = Moment.milliseconds(report.beganAt), let at = Moment.milliseconds(report.at)
                else { return nil }
                return LoadEvidence(
                    job: report.job,
                    state: state,
                    beganAt: began,
                    at: at,
                    covered: report.tokensCoveredRatio,
                    deadLetters: report.deadLetters,
                    tables: Set(report.tables.map(\.table))
                )
            }
        )
    }

    /// What the gates look at.
    var comparisonEvidence: ComparisonEvidence? {
        guard let report = self.comparison, let verdict = ComparisonEvidence.Verdict(rawValue: report.verdict),
            let began = Moment.milliseconds(report.beganAt), let at = Moment.milliseconds(report.at)
        else { return nil }
        return ComparisonEvidence(
            job: report.job,
            verdict: verdict,
            beganAt: began,
            at: at,
            covered: report.tokensCoveredRatio,
            sampledPercentage: report.sampledPercentage,
            differences: report.differences,
            tables: Set(report.tables.map(\.table))
        )
    }
}
