import DualWriteCore
import Logging
import Operations

/// What other services report, and who has changed what.
extension SidecarControl {
    /// How far a report may lie ahead of this machine's clock, in milliseconds.
    private static var aheadMillisecondsMax: Int64 { 600_000 }

    func reports() -> ReportsDocument { self.reportsKept }

    func keep(_ report: LoadReport) throws(AdminError) -> ReportsDocument {
        try Self.check(began: report.beganAt, at: report.at)
        var reports = self.reportsKept
        reports.take(report)
        return try self.keep(reports)
    }

    func keep(_ report: ComparisonReport) throws(AdminError) -> ReportsDocument {
        try Self.check(began: report.beganAt, at: report.at)
        var reports = self.reportsKept
        // What was sent again late must not hide what is newer.
        let kept = reports.comparison.flatMap { Moment.milliseconds($0.at) } ?? .min
        if let at = Moment.milliseconds(report.at), at >= kept { reports.comparison = report }
        return try self.keep(reports)
    }

    func forgetLoad(_ job: String, by: String) throws(AdminError) -> ReportsDocument {
        var reports = self.reportsKept
        reports.loads.removeAll { $0.job == job }
        guard reports.loads.count < self.reportsKept.loads.count else {
            throw AdminError(.nothingFound, "No load '\(job)' was reported.", hint: "GET /v1/reports lists them.")
        }
        let document = try self.keep(reports)
        self.audit(.reportForget, "the load '\(job)'", by: by, reason: nil)
        return document
    }

    private func keep(_ reports: ReportsDocument) throws(AdminError) -> ReportsDocument {
        do {
            try self.reportStore.save(reports)
        } catch {
            throw AdminError(.changeFailed, "\(error)", hint: "What was reported before still counts.")
        }
        self.reportsKept = reports
        return reports
    }

    private static func check(began: String, at: String) throws(AdminError) {
        guard let began = Moment.milliseconds(began), let at = Moment.milliseconds(at) else {
            throw AdminError(.invalidDocument, "began_at, at: must be moments", hint: "Nothing was changed.")
        }
        guard began <= at else {
            throw AdminError(.invalidDocument, "began_at: lies behind at", hint: "Nothing was changed.")
        }
        guard at <= Timestamp.milliseconds() + Self.aheadMillisecondsMax else {
            throw AdminError(
                .invalidDocument,
                "at: lies ahead of the clock of this machine",
                hint: "Nothing was changed. Mend NTP on one of the two."
            )
        }
    }

    // MARK: Audit

    func audit(max: Int) -> AuditDocument {
        AuditDocument(records: self.trail.suffix(max).reversed(), total: self.trail.count)
    }

    /// Notes a change that was made. That the disk does not take the note does not undo the change; the log has it too.
    func audit(
        _ action: AuditRecord.Action,
        _ what: String,
        by: String,
        reason: String?,
        forced: Bool = false,
        _ judgement: Judgement = Judgement()
    ) {
        var record = AuditRecord(at: Timestamp.now(), action: action, by: by, reason: reason, what: what)
        record.forced = forced || !judgement.overruled.isEmpty
        record.overruled = judgement.overruled.map(\.rawValue)
        record.notAsked = judgement.notAsked.map(\.rawValue)
        self.trail.append(record)
        self.trail = self.trail.suffix(AuditDocument.recordsMax)
        do {
            try self.auditStore.save(self.trail)
        } catch {
            self.logger.error("the audit cannot be kept on disk", metadata: ["reason": "\(error)"])
        }
    }
}
