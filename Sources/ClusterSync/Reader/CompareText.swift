import DualReader

/// A report for people.
enum CompareText {
    /// Characters of the line of one difference.
    private static let lineMax = 400

    /// One block for each table, then what is said of all of them.
    static func text(_ report: CompareReport, of settings: CompareSettings) -> String {
        var lines = report.tables.flatMap { Self.lines($0, settings.repair) }
        lines += Self.lines(report.dirty)
        if settings.repair.policy != .manual { lines.append("report of repairs: \(report.repairReportPath)") }
        if !settings.sampling.isWhole {
            lines.append(
                "compared: a sample of \(settings.sampling.percentage) % of the partitions; of the others nothing is said"
            )
        }
        lines.append("verdict: \(Self.words(report.verdict))")
        return lines.joined(separator: "\n")
    }

    /// `in sync`, `differs: why`, `incomplete: why`.
    static func words(_ verdict: Verdict) -> String {
        switch verdict {
        case .inSync: "in sync"
        case .differs(let reason): "differs: \(reason)"
        case .incomplete(let reason): "incomplete: \(reason)"
        }
    }

    /// What became of the partitions that the dual writer has in doubt.
    private static func lines(_ dirty: CompareReport.Dirty) -> [String] {
        var lines: [String] = []
        if dirty.compared > 0 {
            lines.append(
                "in doubt: \(Human.many(dirty.compared, "partition")) compared first, \(Human.count(dirty.cleared)) in doubt "
                    + "no more, \(Human.count(dirty.left)) left"
            )
        }
        if let failure = dirty.failure { lines.append("in doubt: not all is known: \(failure)") }
        return lines
    }

    private static func lines(_ table: CompareReport.Table, _ repair: RepairSettings) -> [String] {
        var lines = ["table \(table.name): \(Self.words(table.verdict))"]
        if table.refusal != nil { return lines }
        let tally = table.tally
        lines.append(
            "  \(Human.percent(table.coverage)) of the tokens: \(Human.many(tally.rows, "row")) in "
                + "\(Human.many(tally.partitions, "partition")), \(Human.count(tally.rowsOnSource)) on the source, "
                + "\(Human.count(tally.rowsOnTarget)) on the target; \(Human.many(tally.cells, "cell")) of both"
        )
        if let digests = Self.digests(tally) { lines.append("  " + digests) }
        if tally.rowsSettled > 0 {
            lines.append("  \(Human.many(tally.rowsSettled, "row")) agreed when read again")
        }
        if tally.rowsUndecided > 0 { lines.append("  \(Human.many(tally.rowsUndecided, "row")) undecided") }
        if tally.rowsRepaired > 0 { lines.append("  \(Human.many(tally.rowsRepaired, "row")) repaired") }
        if tally.rowsUnrepaired > 0 {
            let words = repair.isDryRun ? "not repaired, as nothing was to be written" : "not repaired"
            lines.append("  \(Human.many(tally.rowsUnrepaired, "row")) \(words)")
        }
        for failure in table.failures { lines.append("  failed: \(failure)") }
        for column in table.untoldTimes {
            lines.append("  column \(column): values alone, as a cluster does not tell its elements' times")
        }
        for (kind, count) in tally.classes {
            lines.append("  \(kind.rawValue): \(Human.many(count, "difference"))")
            let samples = table.samples.filter { $0.difference.kind == kind }
            lines += samples.map { "    " + Human.line(Self.line($0), max: Self.lineMax) }
            if samples.count < count { lines.append("    … \(Human.count(count - samples.count)) more") }
        }
        return lines
    }

    /// `key (7), row (3), v: source 'a' (writetime 5), target 'a' (writetime 6)`.
    private static func line(_ sample: DescribedDifference) -> String {
        let difference = sample.difference
        var place = "key (\(sample.key.joined(separator: ", ")))"
        if let clustering = sample.clustering {
            if !clustering.isEmpty { place += ", row (\(clustering.joined(separator: ", ")))" }
        } else {
            place += ", static"
        }
        if let column = difference.column {
            place += ", \(column)" + (sample.element.map { "[\($0)]" } ?? "")
        }
        let source = Self.content(difference.source, sample.source)
        let target = Self.content(difference.target, sample.target)
        return "\(place): source \(source), target \(target)"
    }

    private static func content(_ content: Difference.Content?, _ literal: String?) -> String {
        guard let content else { return "nothing" }
        var times: [String] = []
        if let writetime = content.writetime { times.append("writetime \(writetime)") }
        if let end = content.expiresAt, end > 0 { times.append("ends at \(end)") }
        let value = literal ?? "a row"
        return times.isEmpty ? value : "\(value) (\(times.joined(separator: ", ")))"
    }
}
